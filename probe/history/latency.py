"""How long looks took: their minimum, median and maximum an hour for two weeks, and a day for as long as the history is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from statistics import median

from sqlalchemy import Connection, bindparam, insert, select, update

from probe.history.moments import DAY_MS, MINUTES_A_DAY
from probe.history.schema import LATENCY, SUBJECT
from probe.model.values import dataclass

HOURLY_DAYS = 14
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of the looks at one subject in an hour or a day."""

    looks: int
    minimum: int
    median: int
    maximum: int


def draw_together(connection: Connection, deployment: int, now: int) -> int:
    """Draw the samples of all subjects together; gives of how many. What was once drawn together has no samples left but those of its day."""
    count = 0
    while rows := connection.execute(
        select(SUBJECT.c.id, SUBJECT.c.samples).where(SUBJECT.c.deployment_id == deployment, SUBJECT.c.samples != "").limit(_AT_ONCE)
    ).all():
        for subject, samples in rows:
            for day, of_day in _by(samples, MINUTES_A_DAY):
                _add_to_day(connection, subject, day, of_day)
        connection.execute(
            update(SUBJECT).where(SUBJECT.c.id == bindparam("of")).values(samples=""), [{"of": subject} for subject, _ in rows]
        )
        count += len(rows)
    today = now // DAY_MS
    connection.execute(update(LATENCY).where(LATENCY.c.day < today, LATENCY.c.samples.is_not(None)).values(samples=None))
    connection.execute(update(LATENCY).where(LATENCY.c.day < today - HOURLY_DAYS, LATENCY.c.hours.is_not(None)).values(hours=None))
    return count


def hours_of(stored: str | None) -> dict[int, Latency]:
    """What is known of each hour of a day, from 0 to 23 in UTC."""
    return {
        int(hour): Latency(looks=looks, minimum=least, median=middle, maximum=most)
        for hour, (looks, least, middle, most) in json.loads(stored or "{}").items()
    }


def _add_to_day(connection: Connection, subject: int, day: int, samples: str) -> None:
    where = (LATENCY.c.subject_id == subject, LATENCY.c.day == day)
    before = connection.execute(select(LATENCY.c.samples).where(*where)).first()
    # Of a day whose samples are gone nothing can be drawn anew; a look that comes so late is left out.
    if before is not None and before.samples is None:
        return
    whole = samples if before is None else before.samples + samples
    hours = {hour % 24: _four(of_hour) for hour, of_hour in _by(whole, 60)}
    looks, least, middle, most = _four(whole)
    row = {
        "looks": looks,
        "minimum": least,
        "median": middle,
        "maximum": most,
        "hours": json.dumps(hours, separators=(",", ":")),
        "samples": whole,
    }
    if before is None:
        connection.execute(insert(LATENCY).values(subject_id=subject, day=day, **row))
    else:
        connection.execute(update(LATENCY).where(*where).values(**row))


def _by(samples: str, minutes: int) -> Iterator[tuple[int, str]]:
    """Samples by the span of so many minutes in which they lie, counted from 1970."""
    found: dict[int, list[str]] = {}
    for one in samples.split():
        found.setdefault(int(one.partition(":")[0]) // minutes, []).append(f"{one} ")
    return ((span, "".join(of_span)) for span, of_span in found.items())


def _four(samples: str) -> Sequence[int]:
    """How many there are, and the least, the median and the most."""
    took = [int(one.partition(":")[2]) for one in samples.split()]
    return len(took), min(took), round(median(took)), max(took)
