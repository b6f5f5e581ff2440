"""What the history knows: what is so now, what was so when, and what changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from probe.history.entries import ASSESSMENT, JUDGED
from probe.history.latency import Latency, hours_of
from probe.history.moments import DAY_MS, read_back, stored
from probe.history.schema import DOCUMENT, FORM, LATENCY, SPAN, SUBJECT, TRANSCRIPT
from probe.model.kinds import Json
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A time in which one key of a subject was found to be one thing."""

    id: int
    subject: str
    mailbox: str | None
    key: str
    """Of the vocabulary; `assessment`, or `attempt:PROBER` for how attempts ended."""
    form: Mapping[str, Json]
    """`value` or `why`, how it is known, and `words` off the wire: as they were when the interval began."""
    first_seen: datetime
    last_seen: datetime
    is_open: bool
    """Whether nothing else was found since."""


TimelinePlace = tuple[int, int]
"""Where something stands in a list that has the newest first: its time as it is stored, and the id of its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryChange:
    """That something was found where before it something else was found."""

    id: int
    """Of the interval that began; the newer has the higher one."""
    at: datetime
    """When it was first found otherwise."""
    last_seen: datetime | None
    """When it was last found as before; it changed at some time between. None where that is no longer kept, as `before` is."""
    subject: str
    mailbox: str | None
    key: str
    """As of an interval; of an assessment its part: `support`, `readiness`, `readiness.incoming` and the like, `failing`."""
    before: Mapping[str, Json] | None
    after: Mapping[str, Json]
    is_drift: bool

    @property
    def place(self) -> TimelinePlace:
        """That of the interval, which several changes may share."""
        return stored(self.at), self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTranscript:
    """A conversation in which something changed."""

    place: TimelinePlace
    mailbox: str | None
    """Whose account it was held for; None where it was held for everybody."""
    at: datetime
    prober: str
    outcome: str
    lines: Sequence[Mapping[str, Json]]
    """As in a run's document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A whole run that is kept."""

    place: TimelinePlace
    run: str
    """Its id."""
    finished: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSubject:
    """A subject of which something is known."""

    subject: str
    mailbox: str | None
    first_seen: datetime
    last_seen: datetime
    milliseconds: int | None
    """What the last look took."""
    drift: int
    """How often it drifted, as far as that is kept."""


_PREVIOUS, _PREVIOUS_FORM = SPAN.alias("previous"), FORM.alias("previous_form")
_IS_DRIFT: ColumnElement[bool] = literal_column("span.is_drift")
"""As the index of drift has it: one of `span.is_drift = 1` does not follow from that for SQLite."""
_LAST_SEEN = func.coalesce(SPAN.c.last_seen, SUBJECT.c.last_seen)


def _of(column: ColumnElement[Any], deployment: int, name: str | None, beside: Sequence[str] = ()) -> ColumnElement[bool]:
    """Rows of a deployment that belong, by a column with the ids of subjects, to one subject or to one account, whichever has that name; without one all.
    `beside`: and to what is everybody's of these subjects."""
    # As a sum, since SQLite would rather go through all of a deployment than find the few that are asked for by an index of theirs.
    ours = SUBJECT.c.deployment_id + 0 == deployment
    if name is None:
        return ours
    # Both sides by the database, whose small letters are those of its indexes.
    named = select(SUBJECT.c.id).where(or_(*(func.lower(own) == func.lower(name) for own in (SUBJECT.c.subject, SUBJECT.c.mailbox))))
    others = select(SUBJECT.c.id).where(SUBJECT.c.subject.in_(beside), SUBJECT.c.mailbox == "", SUBJECT.c.deployment_id == deployment)
    return and_(column.in_(named.union_all(others) if beside else named), ours)


def knows(connection: Connection, deployment: int, about: str) -> bool:
    """Whether anything was ever found of a subject or an account."""
    return connection.execute(select(SUBJECT.c.id).where(_of(SUBJECT.c.id, deployment, about)).limit(1)).first() is not None


def subjects(connection: Connection, deployment: int) -> Iterator[KeptSubject]:
    """Every subject of which something is known, by name."""
    drift = select(SPAN.c.subject_id, func.count().label("number")).where(SPAN.c.is_drift).group_by(SPAN.c.subject_id).subquery()
    rows = connection.execute(
        select(
            SUBJECT.c.subject,
            SUBJECT.c.mailbox,
            func.min(SUBJECT.c.first_seen).label("first_seen"),
            func.max(SUBJECT.c.last_seen).label("last_seen"),
            func.max(SUBJECT.c.last_ms).label("last_ms"),
            func.coalesce(func.sum(drift.c.number), 0).label("drift"),
        )
        .outerjoin(drift, drift.c.subject_id == SUBJECT.c.id)
        .where(SUBJECT.c.deployment_id == deployment)
        .group_by(SUBJECT.c.subject, SUBJECT.c.mailbox)
        .order_by(SUBJECT.c.subject, SUBJECT.c.mailbox)
    )
    for row in rows:
        yield KeptSubject(
            subject=row.subject,
            mailbox=row.mailbox or None,
            first_seen=read_back(row.first_seen),
            last_seen=read_back(row.last_seen),
            milliseconds=row.last_ms,
            drift=int(row.drift),
        )


def last_seen_by_accounts(connection: Connection, deployment: int) -> dict[str, datetime]:
    """When anything was found with the account of each mailbox last, by address in small letters."""
    address = func.lower(SUBJECT.c.mailbox)
    last = select(address, func.max(SUBJECT.c.last_seen)).where(SUBJECT.c.deployment_id == deployment, SUBJECT.c.mailbox != "")
    return {mailbox: read_back(at) for mailbox, at in connection.execute(last.group_by(address))}


def intervals(
    connection: Connection, deployment: int, about: str | None = None, *, beside: Sequence[str] = (), open_only: bool = False
) -> Iterator[Interval]:
    """What was so when, by subject and key, the oldest first."""
    rows = connection.execute(
        select(SPAN, _LAST_SEEN.label("until"), SUBJECT.c.subject, SUBJECT.c.mailbox, FORM.c.body)
        .join(SUBJECT, SUBJECT.c.id == SPAN.c.subject_id)
        .join(FORM, FORM.c.id == SPAN.c.form_id)
        .where(_of(SPAN.c.subject_id, deployment, about, beside), SPAN.c.is_open if open_only else true())
        .order_by(SUBJECT.c.subject, SUBJECT.c.mailbox, SPAN.c.first_seen, SPAN.c.id)
    )
    for row in rows:
        key, form = _form(row.body)
        yield Interval(
            id=row.id,
            subject=row.subject,
            mailbox=row.mailbox or None,
            key=key,
            form=form,
            first_seen=read_back(row.first_seen),
            last_seen=read_back(row.until),
            is_open=row.is_open,
        )


def changes(
    connection: Connection,
    deployment: int,
    *,
    since: datetime | None = None,
    about: str | None = None,
    beside: Sequence[str] = (),
    after: TimelinePlace | None = None,
    newer_than: int | None = None,
    limit: int | None = None,
    drift_only: bool = True,
) -> Iterator[HistoryChange]:
    """What changed, the newest first; `after` is the place of the last that is known already, and only older ones follow, after the id `newer_than` only
    those that were written later. `limit` is of intervals."""
    wanted = _changed().where(_of(SPAN.c.subject_id, deployment, about, beside), _older(SPAN.c.first_seen, SPAN.c.id, after))
    if since is not None:
        wanted = wanted.where(SPAN.c.first_seen >= stored(since))
    if drift_only:
        wanted = wanted.where(_IS_DRIFT)
    if newer_than is not None:
        wanted = wanted.where(SPAN.c.id > newer_than)
    wanted = wanted.order_by(SPAN.c.first_seen.desc(), SPAN.c.id.desc())
    return _told(connection, wanted if limit is None else wanted.limit(limit))


def changes_by_id(connection: Connection, ids: Sequence[int]) -> Iterator[HistoryChange]:
    """What changed with these intervals, the newest first."""
    wanted = _changed().where(SPAN.c.id.in_(ids)).order_by(SPAN.c.first_seen.desc(), SPAN.c.id.desc())
    return _told(connection, wanted) if ids else iter(())


def last_written(connection: Connection) -> int:
    """The highest id that a change may have by now, of whichever deployment and whatever its time; 0 where nothing was ever found."""
    return int(connection.execute(select(func.max(SPAN.c.id))).scalar() or 0)


def stands_since(connection: Connection, deployment: int, mailbox: str) -> datetime | None:
    """Since when a mailbox has the verdict that it has, on support and on each direction, whatever it rests on; None where none is kept."""
    rows = connection.execute(
        select(SPAN.c.first_seen, FORM.c.body)
        .join(SUBJECT, SUBJECT.c.id == SPAN.c.subject_id)
        .join(FORM, FORM.c.id == SPAN.c.form_id)
        .where(_of(SPAN.c.subject_id, deployment, mailbox), SUBJECT.c.topic == JUDGED)
        .order_by(SPAN.c.first_seen.desc(), SPAN.c.id.desc())
    )
    verdict, since = None, None
    for row in rows:
        value = _form(row.body)[1]["value"]
        told = value["support"], value["readiness"], value["directions"]
        if since is not None and told != verdict:
            break
        verdict, since = told, row.first_seen
    return None if since is None else read_back(since)


def latencies(connection: Connection, deployment: int, subject: str, since: datetime) -> Iterator[tuple[datetime, bool, Latency]]:
    """When a day or an hour began, whether it is an hour, and how long the looks at a subject took in it; days whose hours are known come as hours.

    Sign-ins of single accounts are not among them.
    """
    rows = connection.execute(
        select(LATENCY)
        .join(SUBJECT, SUBJECT.c.id == LATENCY.c.subject_id)
        .where(
            _of(LATENCY.c.subject_id, deployment, subject),
            SUBJECT.c.mailbox == "",
            LATENCY.c.day >= stored(since) // DAY_MS,
        )
        .order_by(LATENCY.c.day)
    )
    for row in rows:
        if row.hours is None:
            yield read_back(row.day * DAY_MS), False, Latency(looks=row.looks, minimum=row.minimum, median=row.median, maximum=row.maximum)
        for hour, of_hour in sorted(hours_of(row.hours).items()):
            yield read_back(row.day * DAY_MS + hour * DAY_MS // 24), True, of_hour


def transcripts(
    connection: Connection, deployment: int, about: str, limit: int, after: TimelinePlace | None = None
) -> Iterator[KeptTranscript]:
    """Conversations in which something changed, the newest first; `after` is the place of the last that is known already."""
    rows = connection.execute(
        select(TRANSCRIPT, SUBJECT.c.mailbox)
        .join(SUBJECT, SUBJECT.c.id == TRANSCRIPT.c.subject_id)
        .where(_of(TRANSCRIPT.c.subject_id, deployment, about), _older(TRANSCRIPT.c.at, TRANSCRIPT.c.id, after))
        .order_by(TRANSCRIPT.c.at.desc(), TRANSCRIPT.c.id.desc())
        .limit(limit)
    )
    for row in rows:
        yield KeptTranscript(
            place=(row.at, row.id),
            mailbox=row.mailbox or None,
            at=read_back(row.at),
            prober=row.prober,
            outcome=row.outcome,
            lines=json.loads(zlib.decompress(row.body)),
        )


def runs(connection: Connection, deployment: int, limit: int, after: TimelinePlace | None = None) -> Iterator[KeptRun]:
    """The whole runs that are kept, the newest first; `after` is the place of the last that is known already."""
    rows = connection.execute(
        select(DOCUMENT.c.id, DOCUMENT.c.run, DOCUMENT.c.at)
        .where(DOCUMENT.c.deployment_id == deployment, _older(DOCUMENT.c.at, DOCUMENT.c.id, after))
        .order_by(DOCUMENT.c.at.desc(), DOCUMENT.c.id.desc())
        .limit(limit)
    )
    for row in rows:
        yield KeptRun(place=(row.at, row.id), run=row.run, finished=read_back(row.at))


def _older(at: ColumnElement[int], row: ColumnElement[int], place: TimelinePlace | None) -> ColumnElement[bool]:
    """Rows that stand after a place, which need not be there any more."""
    return true() if place is None else or_(at < place[0], and_(at == place[0], row < place[1]))


def document(connection: Connection, deployment: int, run: str) -> Mapping[str, Any] | None:
    """A whole run that somebody asked for, as it was published; None where it is not kept."""
    body = connection.execute(select(DOCUMENT.c.body).where(DOCUMENT.c.deployment_id == deployment, DOCUMENT.c.run == run)).scalar()
    return None if body is None else dict(json.loads(zlib.decompress(body)))


def _changed() -> Select[Any]:
    """Intervals that another one came before, with that one as far as it is kept."""
    return (
        select(
            SPAN.c.id,
            SPAN.c.first_seen,
            SPAN.c.is_drift,
            SUBJECT.c.subject,
            SUBJECT.c.mailbox,
            FORM.c.body,
            _PREVIOUS.c.last_seen.label("until"),
            _PREVIOUS_FORM.c.body.label("previous"),
        )
        .join(SUBJECT, SUBJECT.c.id == SPAN.c.subject_id)
        .join(FORM, FORM.c.id == SPAN.c.form_id)
        .outerjoin(_PREVIOUS, _PREVIOUS.c.id == SPAN.c.previous_id)
        .outerjoin(_PREVIOUS_FORM, _PREVIOUS_FORM.c.id == _PREVIOUS.c.form_id)
        .where(SPAN.c.previous_id.is_not(None))
    )


def _told(connection: Connection, wanted: Select[Any]) -> Iterator[HistoryChange]:
    for row in connection.execute(wanted):
        key, after = _form(row.body)
        before = None if row.previous is None else _form(row.previous)[1]
        parts = _parts(before, after) if key == ASSESSMENT else iter(((key, before, after),))
        for part, was, now in parts:
            yield _change(row, part, was, now)


def _change(row: Row[Any], key: str, before: Mapping[str, Json] | None, after: Mapping[str, Json]) -> HistoryChange:
    return HistoryChange(
        id=row.id,
        at=read_back(row.first_seen),
        last_seen=None if row.until is None else read_back(row.until),
        subject=row.subject,
        mailbox=row.mailbox or None,
        key=key,
        before=before,
        after=after,
        is_drift=row.is_drift,
    )


def _parts(
    before: Mapping[str, Json] | None, after: Mapping[str, Json]
) -> Iterator[tuple[str, Mapping[str, Json] | None, Mapping[str, Json]]]:
    """The parts of an assessment that changed, each with the rules that fail now and why."""
    was, now = None if before is None else before["value"], after["value"]
    old, new = ({} if was is None else _flat(was)), _flat(now)
    for part, value in new.items():
        if was is None or old.get(part) != value:
            began = sorted(set(now["fails"]) - set(() if was is None else was["fails"]))
            because = {rule: after.get("because", {}).get(rule, []) for rule in (began or now["fails"])}
            yield part, None if was is None else {"value": old.get(part)}, {"value": value, "because": because}


def _flat(value: Mapping[str, Json]) -> dict[str, Json]:
    ways = {f"readiness.{way}": ready for way, ready in value["directions"].items()}
    return {
        "support": value["support"],
        "readiness": value["readiness"],
        **ways,
        "signed_in": value["signed_in"],
        "failing": value["fails"],
    }


def _form(body: str) -> tuple[str, Mapping[str, Json]]:
    form = json.loads(body)
    return form.pop("key"), form
