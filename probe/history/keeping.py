"""What is dropped: what is old, what is too much, and what somebody asks to have erased."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Select, Table, delete, func, or_, select, update

from probe.document import is_in_packed
from probe.history.handover import erase_from_handover
from probe.history.latency import draw_together
from probe.history.moments import DAY_MS, milliseconds, stored
from probe.history.recording import form_id
from probe.history.schema import DEPLOYMENT, DOCUMENT, FORM, HANDOVER, LATENCY, SPAN, SUBJECT, TRANSCRIPT
from probe.model.estate import HistoryLimits
from probe.model.named_address import NamedAddress
from probe.model.values import dataclass

DOCUMENTS_KEPT = timedelta(days=90)
_ALL_TRANSCRIPTS = timedelta(days=14)
"""How long every transcript is kept; then, of a subject and prober, the first of each day, and after ninety days the first of each 30 days."""
_DAILY_TRANSCRIPTS = timedelta(days=90)
_AT_ONCE = 500
"""Rows that are looked through, or dropped, at a time; SQLite takes 32766 parameters."""
_SHARE = 0.05
"""How far below its greatest size the history is brought, so that this is not done anew each time."""
_PARTS = 20
"""In how many parts all that may be dropped for its size is dropped."""
ROW_BYTES = {"span": 110, "subject": 300, "form": 60, "transcript": 90, "document": 90, "latency": 45, "handover": 90}
"""What a row takes with its indexes beside the texts in it, on SQLite; PostgreSQL takes up to twice that. `python -m tests.benchmarks history` measures it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """How many rows were dropped."""

    intervals: int = 0
    transcripts: int = 0
    runs: int = 0
    is_for_size: bool = False
    """Whether some of it was dropped because the whole was too large."""


def sweep(connection: Connection, deployment: int, limits: HistoryLimits, now: datetime) -> Dropped:
    """Drop what is older than the estate wants it kept, and where the whole is too large what ended first.

    What still lasts stays, save of a subject that was not seen for all that time.
    """
    at = stored(now)
    draw_together(connection, deployment, at)
    too_old = at - limits.keep * DAY_MS
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    gone = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment, SUBJECT.c.last_seen < too_old)
    has_ended = ~SPAN.c.is_open & (SPAN.c.last_seen < too_old)
    intervals = connection.execute(delete(SPAN).where(SPAN.c.subject_id.in_(ours), or_(has_ended, SPAN.c.subject_id.in_(gone)))).rowcount
    connection.execute(delete(SUBJECT).where(SUBJECT.c.id.in_(gone)))
    connection.execute(delete(LATENCY).where(LATENCY.c.subject_id.in_(ours), LATENCY.c.day < too_old // DAY_MS))
    transcripts = _thinned(connection, deployment, at, too_old)
    oldest_run = max(too_old, at - milliseconds(DOCUMENTS_KEPT))
    runs = connection.execute(delete(DOCUMENT).where(DOCUMENT.c.deployment_id == deployment, DOCUMENT.c.at < oldest_run)).rowcount
    more = _shrunk(connection, deployment, limits.max_size)
    _drop_unused_forms(connection)
    return Dropped(
        intervals=intervals + more.intervals,
        transcripts=transcripts + more.transcripts,
        runs=runs + more.runs,
        is_for_size=more.is_for_size,
    )


def size(connection: Connection, deployment: int) -> int:
    """About how many bytes the rows of a deployment take. What was deleted counts no more, though files shrink only when they are compacted."""
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    factor = 1 if connection.dialect.name == "sqlite" else 2
    count = {
        "span": select(func.count()).where(SPAN.c.subject_id.in_(ours)),
        "subject": select(func.count()).where(SUBJECT.c.deployment_id == deployment),
        "form": select(func.count()).select_from(FORM),
        "transcript": select(func.count()).where(TRANSCRIPT.c.subject_id.in_(ours)),
        "document": select(func.count()).where(DOCUMENT.c.deployment_id == deployment),
        "latency": select(func.count()).where(LATENCY.c.subject_id.in_(ours)),
        "handover": select(func.count()).where(HANDOVER.c.deployment_id == deployment),
    }
    texts = (
        select(func.sum(func.length(FORM.c.body))),
        select(func.sum(func.length(TRANSCRIPT.c.body))).where(TRANSCRIPT.c.subject_id.in_(ours)),
        select(func.sum(func.length(DOCUMENT.c.body))).where(DOCUMENT.c.deployment_id == deployment),
        select(func.sum(func.length(LATENCY.c.hours))).where(LATENCY.c.subject_id.in_(ours)),
        select(func.sum(func.length(LATENCY.c.samples))).where(LATENCY.c.subject_id.in_(ours)),
        select(func.sum(func.length(HANDOVER.c.body))).where(HANDOVER.c.deployment_id == deployment),
    )
    rows = sum(int(connection.execute(query).scalar_one()) * ROW_BYTES[table] * factor for table, query in count.items())
    return rows + sum(int(connection.execute(query).scalar() or 0) for query in texts)


def erase(connection: Connection, deployment: int, address: NamedAddress) -> Dropped:
    """Erase one person's mailbox: its rows, the transcripts and whole runs that name it, and its address in what is known of others.

    The files hold nothing of it once they are compacted.
    """
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    rows = connection.execute(select(SUBJECT.c.id, SUBJECT.c.subject, SUBJECT.c.mailbox).where(SUBJECT.c.deployment_id == deployment))
    # Compared here, since SQLite knows capital letters of English alone.
    whose = {row.id for row in rows if address.is_it(row.subject) or address.is_it(row.mailbox)}
    words = connection.execute(
        select(TRANSCRIPT.c.id, TRANSCRIPT.c.subject_id, TRANSCRIPT.c.body).where(TRANSCRIPT.c.subject_id.in_(ours))
    ).all()
    transcripts = _drop(
        connection, TRANSCRIPT.c.id, [row.id for row in words if row.subject_id in whose or is_in_packed(address, row.body)]
    )
    _drop(connection, LATENCY.c.subject_id, sorted(whose))
    intervals = sum(_drop_of(connection, SPAN.c.subject_id, one) for one in whose)
    _drop(connection, SUBJECT.c.id, sorted(whose))
    bodies = connection.execute(select(DOCUMENT.c.id, DOCUMENT.c.body).where(DOCUMENT.c.deployment_id == deployment))
    runs = _drop(connection, DOCUMENT.c.id, [row.id for row in bodies if is_in_packed(address, row.body)])
    _strike(connection, deployment, address)
    erase_from_handover(connection, deployment, address)
    _drop_unused_forms(connection)
    return Dropped(intervals=intervals, transcripts=transcripts, runs=runs)


def rename(connection: Connection, old: str, new: str) -> bool:
    """Give what is kept of a deployment to one of another name. False where there is nothing of the old, or something of the new already."""
    if connection.execute(select(DEPLOYMENT.c.id).where(DEPLOYMENT.c.name == new)).first() is not None:
        return False
    return connection.execute(update(DEPLOYMENT).where(DEPLOYMENT.c.name == old).values(name=new)).rowcount == 1


def _thinned(connection: Connection, deployment: int, at: int, too_old: int) -> int:
    """Drop transcripts, the more the older they are; gives how many."""
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    count = connection.execute(delete(TRANSCRIPT).where(TRANSCRIPT.c.subject_id.in_(ours), TRANSCRIPT.c.at < too_old)).rowcount
    for age, days in ((_ALL_TRANSCRIPTS, 1), (_DAILY_TRANSCRIPTS, 30)):
        span = TRANSCRIPT.c.at // (days * DAY_MS)
        place = func.row_number().over(
            partition_by=(TRANSCRIPT.c.subject_id, TRANSCRIPT.c.prober, span), order_by=(TRANSCRIPT.c.at, TRANSCRIPT.c.id)
        )
        numbered = (
            select(TRANSCRIPT.c.id, place.label("place"))
            .where(TRANSCRIPT.c.subject_id.in_(ours), TRANSCRIPT.c.at < at - milliseconds(age))
            .subquery()
        )
        surplus = select(numbered.c.id).where(numbered.c.place > 1)
        count += connection.execute(delete(TRANSCRIPT).where(TRANSCRIPT.c.id.in_(surplus))).rowcount
    return count


def _shrunk(connection: Connection, deployment: int, max_size: int) -> Dropped:
    """Drop what is oldest, where the whole is too large: whole runs, which intervals tell in short, then intervals that ended, and then transcripts."""
    if size(connection, deployment) <= max_size:
        return Dropped()
    target = round(max_size * (1 - _SHARE))
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    kept = select(DOCUMENT.c.id).where(DOCUMENT.c.deployment_id == deployment).order_by(DOCUMENT.c.at, DOCUMENT.c.id)
    runs = _dropped_until(connection, deployment, target, kept, DOCUMENT)
    ended = (SPAN.c.subject_id.in_(ours), ~SPAN.c.is_open)
    intervals = _dropped_until(connection, deployment, target, select(SPAN.c.id).where(*ended).order_by(SPAN.c.last_seen, SPAN.c.id), SPAN)
    said = select(TRANSCRIPT.c.id).where(TRANSCRIPT.c.subject_id.in_(ours)).order_by(TRANSCRIPT.c.at, TRANSCRIPT.c.id)
    transcripts = _dropped_until(connection, deployment, target, said, TRANSCRIPT)
    return Dropped(intervals=intervals, transcripts=transcripts, runs=runs, is_for_size=True)


def _dropped_until(connection: Connection, deployment: int, target: int, ids: Select[tuple[int]], table: Table) -> int:
    """Drop rows, a part of them at a time, until the whole is small enough: what a row takes with its form is not known before. Gives how many."""
    part = -(-int(connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one()) // _PARTS)
    count = 0
    while part and size(connection, deployment) > target:
        dropped = connection.execute(delete(table).where(table.c.id.in_(ids.limit(part)))).rowcount
        if not dropped:
            break
        count += dropped
        _drop_unused_forms(connection)
    return count


def _drop_unused_forms(connection: Connection) -> None:
    connection.execute(delete(FORM).where(FORM.c.id.not_in(select(SPAN.c.form_id))))


def _drop(connection: Connection, column: Column[int], ids: Sequence[int]) -> int:
    for first in range(0, len(ids), _AT_ONCE):
        connection.execute(delete(column.table).where(column.in_(ids[first : first + _AT_ONCE])))
    return len(ids)


def _drop_of(connection: Connection, column: Column[int], value: int) -> int:
    return connection.execute(delete(column.table).where(column == value)).rowcount


def _strike(connection: Connection, deployment: int, address: NamedAddress) -> None:
    """Put something in the place of an address in what is known of others, such as the mailbox that a request at an endpoint named."""
    ours = select(SUBJECT.c.id).where(SUBJECT.c.deployment_id == deployment)
    rows = connection.execute(
        select(FORM.c.id, FORM.c.body).where(FORM.c.id.in_(select(SPAN.c.form_id).where(SPAN.c.subject_id.in_(ours))))
    ).all()
    for form, body in rows:
        if address.is_in(told := json.loads(body)):
            struck = json.dumps(address.struck(told), sort_keys=True, separators=(",", ":"))
            connection.execute(
                update(SPAN).where(SPAN.c.form_id == form, SPAN.c.subject_id.in_(ours)).values(form_id=form_id(connection, struck))
            )
