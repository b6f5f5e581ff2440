"""Writing what was found. A sighting in which nothing changed updates the one row of its subject, and inserts nothing.

An interval stays open while each look finds the same. A key of which a look says nothing (the server was not reached, nobody asked) keeps its open
interval, which then has a `last_seen` of its own until a look finds it again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from probe.history.entries import Entry, Sighting, body_of, continues, is_drift, says_more
from probe.history.moments import stored
from probe.history.schema import DEPLOYMENT, FORM, SPAN, SUBJECT, TRANSCRIPT
from probe.model.attempts import Attempt, Outcome
from probe.model.kinds import Json
from probe.model.values import dataclass

_AT_ONCE = 500
"""Rows that are asked for or written at a time; SQLite takes 32766 parameters."""
MOST_SAMPLES = 8192
"""Characters of looks that nobody has drawn together yet: two days of one each 5 minutes."""
MOST_TRANSCRIPT = 256 * 1024
"""Characters of a transcript that is kept; one of a prober that behaves is a tenth of it."""

_REPEATED = (
    update(SUBJECT)
    .where(
        SUBJECT.c.deployment_id == bindparam("of_deployment"),
        SUBJECT.c.subject == bindparam("of_subject"),
        SUBJECT.c.mailbox == bindparam("of_mailbox"),
        SUBJECT.c.topic == bindparam("of_topic"),
        SUBJECT.c.digest == bindparam("same"),
    )
    .values(
        # A clock that was set back does not take back what was seen.
        last_seen=case((SUBJECT.c.last_seen < bindparam("at"), bindparam("at")), else_=SUBJECT.c.last_seen),
        last_ms=func.coalesce(bindparam("took"), SUBJECT.c.last_ms),
        samples=case(
            (func.length(SUBJECT.c.samples) < MOST_SAMPLES, SUBJECT.c.samples.concat(bindparam("sample"))), else_=SUBJECT.c.samples
        ),
    )
)
"""What a look that finds nothing new does to the row of its subject."""


def deployment_of(connection: Connection, name: str) -> int | None:
    """The id of a deployment; None where nothing was ever recorded of it."""
    return connection.execute(select(DEPLOYMENT.c.id).where(DEPLOYMENT.c.name == name)).scalar()


def made_deployment(connection: Connection, name: str) -> int:
    """The id of a deployment, of which from now on something is recorded."""
    return _existing(connection, DEPLOYMENT, {"name": name})


def record(connection: Connection, name: str, sightings: Sequence[Sighting]) -> tuple[int, ...]:
    """Write what was found of subjects of a deployment, in the order of time, and of one subject in the order in which it was found.

    Gives the ids of the intervals that follow another.
    """
    deployment = made_deployment(connection, name)
    changes: list[int] = []
    for of_round in _rounds(_in_order(sightings)):
        digests = {one: of_round[one].digest() for one in of_round}
        # Whether what is given as a repetition is one, the statement itself sees.
        known = _known_digests(connection, deployment, [whose for whose, one in of_round.items() if one.known_digest is None])
        same = [
            _repetition(deployment, one, digests[whose])
            for whose, one in of_round.items()
            if one.known_digest is not None or known.get(whose) == digests[whose]
        ]
        if same:
            connection.execute(_REPEATED, same)
        news = [
            (whose, one, digests[whose])
            for whose, one in of_round.items()
            if one.known_digest is None and known.get(whose) != digests[whose]
        ]
        for first in range(0, len(news), _AT_ONCE):
            changes += _News(connection, deployment, news[first : first + _AT_ONCE]).written()
    return tuple(changes)


_Whose = tuple[str, str, str]
"""Subject, account or nothing, and topic: by what a row of `subject` is unique in a deployment."""


def _in_order(sightings: Sequence[Sighting]) -> list[Sighting]:
    """The sightings by time. What was found of a subject after something else stays behind that, though the clock was set back in between."""
    last: dict[_Whose, datetime] = {}

    def place(one: Sighting) -> datetime:
        # That something was found again counts where it is what was found last: of it the time alone decides.
        if one.known_digest is None:
            last[_whose(one)] = max(one.at, last.get(_whose(one), one.at))
            return last[_whose(one)]
        return one.at

    return sorted(sightings, key=place)


def _whose(one: Sighting) -> _Whose:
    return one.subject, one.mailbox or "", one.topic


def _rounds(sightings: Sequence[Sighting]) -> Iterator[dict[_Whose, Sighting]]:
    """The sightings in parts in which no subject comes twice: of one subject the second may be news after the first."""
    of_round: dict[_Whose, Sighting] = {}
    for one in sightings:
        whose = _whose(one)
        if whose in of_round:
            yield of_round
            of_round = {}
        of_round[whose] = one
    yield of_round


def _known_digests(connection: Connection, deployment: int, wanted: Iterable[_Whose]) -> dict[_Whose, int]:
    """The digests of what was found last."""
    subjects = sorted({subject for subject, _, _ in wanted})
    found: dict[_Whose, int] = {}
    for first in range(0, len(subjects), _AT_ONCE):
        rows = connection.execute(
            select(SUBJECT.c.subject, SUBJECT.c.mailbox, SUBJECT.c.topic, SUBJECT.c.digest).where(
                SUBJECT.c.deployment_id == deployment, SUBJECT.c.subject.in_(subjects[first : first + _AT_ONCE])
            )
        )
        found.update(((row.subject, row.mailbox, row.topic), row.digest) for row in rows)
    return found


def _repetition(deployment: int, one: Sighting, digest: int) -> dict[str, object]:
    at, took = stored(one.at), _milliseconds(one)
    return {
        "of_deployment": deployment,
        "of_subject": one.subject,
        "of_mailbox": one.mailbox or "",
        "of_topic": one.topic,
        "same": digest,
        "at": at,
        "took": took,
        "sample": sample(at, took),
    }


def sample(at: int, took: int | None) -> str:
    """What one look adds to the samples of its subject."""
    return "" if took is None else f"{at // 60_000}:{took} "


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenSpan:
    id: int
    form: Mapping[str, Json]
    last_seen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownSubject:
    """The row of a subject, as it was before."""

    id: int
    last_seen: int
    samples: str


class _News:
    """Writes sightings in which something is new, each of another subject: by few statements, however many they are."""

    def __init__(self, connection: Connection, deployment: int, news: Sequence[tuple[_Whose, Sighting, int]]) -> None:
        """`news`: whose, what was found, and its digest."""
        self._connection = connection
        self._deployment = deployment
        self._news = news
        self._known = _known_subjects(connection, deployment, [whose for whose, _, _ in news])
        self._open = self._open_spans()
        self._ended: list[dict[str, int]] = []
        self._paused: list[dict[str, int]] = []
        self._resumed: list[dict[str, int]] = []
        self._more: list[tuple[int, str]] = []
        """Open intervals that are found to say more, and their new forms."""
        self._began: list[dict[str, Any]] = []
        """Rows of intervals, each with the text of its form in place of its id."""

    def written(self) -> list[int]:
        """Writes them; gives the ids of the intervals that follow another."""
        ids = self._seen()
        for whose, one, _ in self._news:
            self._compare(ids[whose], whose, one)
        changes = self._write_spans()
        changed = {row["subject_id"] for row in self._began if row["previous_id"] is not None}
        # Of a subject that is new, the words are kept where something went wrong.
        self._keep_transcripts(
            (ids[whose], attempt)
            for whose, one, _ in self._news
            for attempt in one.attempts
            if ids[whose] in changed or attempt.outcome is not Outcome.COMPLETED
        )
        return changes

    def _seen(self) -> dict[_Whose, int]:
        """Write the rows of the subjects; gives their ids."""
        new, old = list[dict[str, object]](), list[dict[str, object]]()
        for whose, one, digest in self._news:
            known, took = self._known.get(whose), _milliseconds(one)
            at = self._at(whose, one)
            if known is None:
                subject, mailbox, topic = whose
                row: dict[str, object] = {
                    "deployment_id": self._deployment,
                    "subject": subject,
                    "mailbox": mailbox,
                    "topic": topic,
                    "digest": digest,
                }
                new.append({**row, "first_seen": at, "last_seen": at, "last_ms": took, "samples": sample(at, took)})
            else:
                samples = known.samples + sample(at, took) if len(known.samples) < MOST_SAMPLES else known.samples
                old.append({"of": known.id, "seen": at, "found": digest, "took": took, "all_samples": samples})
        ids = {whose: known.id for whose, known in self._known.items()}
        if new:
            self._connection.execute(insert(SUBJECT), new)
            now = _known_subjects(self._connection, self._deployment, [whose for whose, _, _ in self._news])
            ids = {whose: known.id for whose, known in now.items()}
        if old:
            values: dict[str, Any] = {
                "last_seen": bindparam("seen"),
                "digest": bindparam("found"),
                "last_ms": func.coalesce(bindparam("took"), SUBJECT.c.last_ms),
                "samples": bindparam("all_samples"),
            }
            self._connection.execute(update(SUBJECT).where(SUBJECT.c.id == bindparam("of")).values(values), old)
        return ids

    def _at(self, whose: _Whose, one: Sighting) -> int:
        """When it was found, never before what was found last: a clock may have been set back."""
        known = self._known.get(whose)
        return stored(one.at) if known is None else max(stored(one.at), known.last_seen)

    def _open_spans(self) -> dict[int, dict[str, _OpenSpan]]:
        """The open intervals of the subjects that are known, by key."""
        found: dict[int, dict[str, _OpenSpan]] = {}
        if self._known:
            rows = self._connection.execute(
                select(SPAN.c.id, SPAN.c.subject_id, SPAN.c.last_seen, FORM.c.body)
                .join(FORM, FORM.c.id == SPAN.c.form_id)
                .where(SPAN.c.subject_id.in_([known.id for known in self._known.values()]), SPAN.c.is_open)
            )
            for row in rows:
                form = json.loads(row.body)
                found.setdefault(row.subject_id, {})[form["key"]] = _OpenSpan(id=row.id, form=form, last_seen=row.last_seen)
        return found

    def _compare(self, subject: int, whose: _Whose, one: Sighting) -> None:
        """Find out which intervals begin, go on and end by one sighting."""
        known, are_open = self._known.get(whose), self._open.get(subject, {})
        untold = dict(are_open)
        for entry in one.entries:
            before = are_open.get(entry.key)
            if before is None:
                if entry.says or "why" in entry.form:  # that an attempt was not made is nothing to keep
                    self._begin(subject, whose, one, entry, None)
            elif continues(before.form, entry):
                untold.pop(entry.key, None)
                if before.last_seen is not None:
                    self._resumed.append({"of": before.id})
                if says_more(before.form, entry):
                    self._more.append((before.id, body_of(entry)))
            elif entry.says:
                untold.pop(entry.key, None)
                assert known is not None
                self._ended.append({"of": before.id, "until": known.last_seen if before.last_seen is None else before.last_seen})
                self._begin(subject, whose, one, entry, before)
        for span in untold.values():
            if span.last_seen is None and known is not None:
                self._paused.append({"of": span.id, "until": known.last_seen})

    def _begin(self, subject: int, whose: _Whose, one: Sighting, entry: Entry, before: _OpenSpan | None) -> None:
        self._began.append(
            {
                "subject_id": subject,
                "form": body_of(entry),
                "previous_id": None if before is None else before.id,
                "first_seen": self._at(whose, one),
                "last_seen": None,
                "is_open": True,
                "is_drift": before is not None and is_drift(before.form, entry),
            }
        )

    def _write_spans(self) -> list[int]:
        of = update(SPAN).where(SPAN.c.id == bindparam("of"))
        for statement, rows in (
            (of.values(last_seen=bindparam("until"), is_open=False), self._ended),
            (of.values(last_seen=bindparam("until")), self._paused),
            (of.values(last_seen=None), self._resumed),
        ):
            if rows:
                self._connection.execute(statement, rows)
        ids = _form_ids(self._connection, dict.fromkeys([*(row["form"] for row in self._began), *(body for _, body in self._more)]))
        if self._more:
            self._connection.execute(
                of.values(form_id=bindparam("better")), [{"of": span, "better": ids[body]} for span, body in self._more]
            )
        rows_of_spans = [
            {**{name: value for name, value in row.items() if name != "form"}, "form_id": ids[row["form"]]} for row in self._began
        ]
        if not rows_of_spans:
            return []
        self._connection.execute(insert(SPAN), rows_of_spans)
        followed = {row["previous_id"] for row in rows_of_spans} - {None}
        if not followed:
            return []
        # Asked for afterwards, since an insert that gives the ids of its rows is one statement a row on SQLite.
        changed = sorted({row["subject_id"] for row in rows_of_spans if row["previous_id"] is not None})
        made = self._connection.execute(select(SPAN.c.id, SPAN.c.previous_id).where(SPAN.c.subject_id.in_(changed), SPAN.c.is_open))
        return sorted(row.id for row in made if row.previous_id in followed)

    def _keep_transcripts(self, attempts: Iterable[tuple[int, Attempt]]) -> None:
        rows = [
            {
                "subject_id": subject,
                "at": stored(attempt.at),
                "prober": attempt.prober,
                "outcome": attempt.outcome.value,
                "body": _packed_words(attempt),
            }
            for subject, attempt in attempts
            if len(attempt.transcript)
        ]
        if rows:
            self._connection.execute(insert(TRANSCRIPT), rows)


def _milliseconds(one: Sighting) -> int | None:
    return None if one.seconds is None else round(one.seconds * 1000)


def _known_subjects(connection: Connection, deployment: int, wanted: Sequence[_Whose]) -> dict[_Whose, _KnownSubject]:
    rows = connection.execute(
        select(SUBJECT.c.id, SUBJECT.c.subject, SUBJECT.c.mailbox, SUBJECT.c.topic, SUBJECT.c.last_seen, SUBJECT.c.samples).where(
            SUBJECT.c.deployment_id == deployment, SUBJECT.c.subject.in_(sorted({subject for subject, _, _ in wanted}))
        )
    )
    found = {(row.subject, row.mailbox, row.topic): _KnownSubject(id=row.id, last_seen=row.last_seen, samples=row.samples) for row in rows}
    return {whose: found[whose] for whose in wanted if whose in found}


def form_id(connection: Connection, body: str) -> int:
    """The id of a form, which is made where it is not there."""
    return _form_ids(connection, [body])[body]


def _form_ids(connection: Connection, bodies: Iterable[str]) -> dict[str, int]:
    """The ids of forms by their text; those that are not there are made."""
    digests = [(hashlib.blake2b(body.encode(), digest_size=16).digest(), body) for body in bodies]
    found: dict[str, int] = {}
    for first in range(0, len(digests), _AT_ONCE):
        some = digests[first : first + _AT_ONCE]
        connection.execute(_unless_there(connection, FORM), [{"digest": digest, "body": body} for digest, body in some])
        rows = connection.execute(select(FORM.c.digest, FORM.c.id).where(FORM.c.digest.in_([digest for digest, _ in some])))
        by_digest = {bytes(row.digest): int(row.id) for row in rows}
        found.update((body, by_digest[digest]) for digest, body in some)
    return found


def _packed_words(attempt: Attempt) -> bytes:
    lines, left = [], MOST_TRANSCRIPT
    for line in attempt.transcript:
        left -= len(line.text)
        if left < 0:
            lines.append({"line": line.number, "from": "note", "text": "the rest was not kept"})
            break
        lines.append({"line": line.number, "from": line.speaker, "text": line.text})
    return zlib.compress(json.dumps(lines, separators=(",", ":")).encode())


def _existing(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """The id of a row that is unique by these values, made where it is not there."""
    found = select(table.c.id).where(*(table.c[name] == value for name, value in row.items()))
    known = connection.execute(found).scalar()
    if known is None:
        connection.execute(_unless_there(connection, table), [dict(row)])
        known = connection.execute(found).scalar_one()
    return int(known)


def _unless_there(connection: Connection, table: Table) -> Insert:
    """An insert that leaves out rows which are there already."""
    made = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    return made.on_conflict_do_nothing()
