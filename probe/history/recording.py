"""Writing what was found. A sighting in which nothing changed updates the one row of its subject, and inserts nothing.

An interval stays open while each look finds the same. A key of which a look says nothing (the server was not reached, nobody asked) keeps its open
interval, which then has a `last_seen` of its own until a look finds it again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, case, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from probe.history.entries import Entry, Sighting, body_of, continues, is_drift, says_more
from probe.history.moments import stored
from probe.history.schema import DEPLOYMENT, FORM, SPAN, SUBJECT, TRANSCRIPT
from probe.model.attempts import Attempt
from probe.model.kinds import Json
from probe.model.values import dataclass

_AT_ONCE = 500
"""Subjects that are asked for at a time; SQLite takes 32766 parameters."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of some sightings."""

    repeated: int
    """How many found nothing new."""
    changes: tuple[int, ...]
    """Ids of the intervals that began and that another one had come before."""


def deployment_of(connection: Connection, name: str) -> int | None:
    """The id of a deployment; None where nothing was ever recorded of it."""
    return connection.execute(select(DEPLOYMENT.c.id).where(DEPLOYMENT.c.name == name)).scalar()


def record(connection: Connection, name: str, sightings: Sequence[Sighting]) -> Recorded:
    """Write what was found of subjects of a deployment, in the order of time."""
    deployment = _existing(connection, DEPLOYMENT, {"name": name})
    repeated, changes = 0, list[int]()
    for of_round in _rounds(sorted(sightings, key=lambda one: one.at)):
        digests = {one: of_round[one].digest() for one in of_round}
        known = _known_digests(connection, deployment, of_round)
        same = [_repetition(deployment, one, digests[whose]) for whose, one in of_round.items() if known.get(whose) == digests[whose]]
        if same:
            connection.execute(_REPEATED, same)
        repeated += len(same)
        for whose, one in of_round.items():
            if known.get(whose) != digests[whose]:
                changes += _Change(connection, deployment, one, digests[whose]).written()
    return Recorded(repeated=repeated, changes=tuple(changes))


_Whose = tuple[str, str, str]
"""Subject, account or nothing, and topic: by what a row of `subject` is unique in a deployment."""


def _rounds(sightings: Sequence[Sighting]) -> Iterator[dict[_Whose, Sighting]]:
    """The sightings in parts in which no subject comes twice: of one subject the second may be news after the first."""
    of_round: dict[_Whose, Sighting] = {}
    for one in sightings:
        whose = (one.subject, one.mailbox or "", one.topic)
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
    at, took = stored(one.at), None if one.seconds is None else round(one.seconds * 1000)
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


class _Change:
    """Writes one sighting in which something is new."""

    def __init__(self, connection: Connection, deployment: int, one: Sighting, digest: int) -> None:
        self._connection = connection
        self._sighting = one
        whose = {"deployment_id": deployment, "subject": one.subject, "mailbox": one.mailbox or "", "topic": one.topic}
        found = connection.execute(
            select(SUBJECT.c.id, SUBJECT.c.last_seen, SUBJECT.c.samples).where(*(SUBJECT.c[name] == value for name, value in whose.items()))
        ).first()
        took = None if one.seconds is None else round(one.seconds * 1000)
        self._at = stored(one.at) if found is None else max(stored(one.at), found.last_seen)
        self._before = self._at if found is None else found.last_seen
        seen = {"last_seen": self._at, "digest": digest, **({} if took is None else {"last_ms": took})}
        if found is None:
            row = {**whose, **seen, "first_seen": self._at, "samples": sample(self._at, took)}
            self._id = _inserted(connection, SUBJECT, row)
        else:
            samples = found.samples + sample(self._at, took) if len(found.samples) < MOST_SAMPLES else found.samples
            self._id = found.id
            connection.execute(update(SUBJECT).where(SUBJECT.c.id == found.id).values(**seen, samples=samples))
        self._open: dict[str, _OpenSpan] = {}
        if found is not None:
            spans = connection.execute(
                select(SPAN.c.id, SPAN.c.last_seen, FORM.c.body)
                .join(FORM, FORM.c.id == SPAN.c.form_id)
                .where(SPAN.c.subject_id == self._id, SPAN.c.is_open)
            )
            for span in spans:
                form = json.loads(span.body)
                self._open[form["key"]] = _OpenSpan(id=span.id, form=form, last_seen=span.last_seen)

    def written(self) -> list[int]:
        """Writes it; gives the ids of the intervals that follow another."""
        began: list[tuple[Entry, int | None, bool]] = []
        found_again, ended = list[int](), list[int]()
        more: list[tuple[int, Entry]] = []
        for entry in self._sighting.entries:
            before = self._open.get(entry.key)
            if before is None:
                if entry.says or "why" in entry.form:  # that an attempt was not made is nothing to keep
                    began.append((entry, None, False))
            elif continues(before.form, entry):
                found_again.append(before.id)
                if says_more(before.form, entry):
                    more.append((before.id, entry))
            elif entry.says:
                ended.append(before.id)
                began.append((entry, before.id, is_drift(before.form, entry)))
        self._keep(found_again, ended)
        ids = _form_ids(self._connection, [body_of(entry) for entry in (*(one[0] for one in began), *(one[1] for one in more))])
        for span, entry in more:
            self._connection.execute(update(SPAN).where(SPAN.c.id == span).values(form_id=ids[body_of(entry)]))
        rows = [
            {
                "subject_id": self._id,
                "form_id": ids[body_of(entry)],
                "previous_id": previous,
                "first_seen": self._at,
                "last_seen": None,
                "is_open": True,
                "is_drift": drifts,
            }
            for entry, previous, drifts in began
        ]
        if quiet := [row for row in rows if row["previous_id"] is None]:
            self._connection.execute(insert(SPAN), quiet)
        changes = [_inserted(self._connection, SPAN, row) for row in rows if row["previous_id"] is not None]
        # Of a subject that is new, the words are kept where something went wrong.
        self._keep_transcripts([one for one in self._sighting.attempts if changes or one.outcome.value != "completed"])
        return changes

    def _keep(self, found_again: Sequence[int], ended: Sequence[int]) -> None:
        """Mark which open intervals were found again, which have ended, and which nothing was said of."""
        paused = [span.id for span in self._open.values() if span.last_seen is None and span.id not in found_again and span.id not in ended]
        resumed = [span.id for span in self._open.values() if span.last_seen is not None and span.id in found_again]
        last_seen = func.coalesce(SPAN.c.last_seen, literal(self._before))
        for ids, values in (
            (ended, {"last_seen": last_seen, "is_open": False}),
            (paused, {"last_seen": self._before}),
            (resumed, {"last_seen": None}),
        ):
            if ids:
                self._connection.execute(update(SPAN).where(SPAN.c.id.in_(ids)).values(**values))

    def _keep_transcripts(self, attempts: Sequence[Attempt]) -> None:
        rows = [
            {
                "subject_id": self._id,
                "at": stored(attempt.at),
                "prober": attempt.prober,
                "outcome": attempt.outcome.value,
                "body": _packed_words(attempt),
            }
            for attempt in attempts
            if len(attempt.transcript)
        ]
        if rows:
            self._connection.execute(insert(TRANSCRIPT), rows)


def form_id(connection: Connection, body: str) -> int:
    """The id of a form, which is made where it is not there."""
    return _form_ids(connection, [body])[body]


def _form_ids(connection: Connection, bodies: Sequence[str]) -> dict[str, int]:
    """The ids of forms by their text; those that are not there are made."""
    digests = {body: hashlib.blake2b(body.encode(), digest_size=16).digest() for body in bodies}
    if not digests:
        return {}
    connection.execute(_unless_there(connection, FORM), [{"digest": digest, "body": body} for body, digest in digests.items()])
    found = connection.execute(select(FORM.c.digest, FORM.c.id).where(FORM.c.digest.in_(list(digests.values()))))
    by_digest = {bytes(row.digest): int(row.id) for row in found}
    return {body: by_digest[digest] for body, digest in digests.items()}


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


def _inserted(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """The id of a new row."""
    made = connection.execute(insert(table).values(**row).returning(table.c.id))
    return int(made.scalar_one())


def _unless_there(connection: Connection, table: Table) -> Insert:
    """An insert that leaves out rows which are there already."""
    made = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    return made.on_conflict_do_nothing()
