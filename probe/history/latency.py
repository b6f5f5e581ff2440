"""How long looks took: their minimum, median and maximum an hour for two weeks, and a day for as long as the history is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
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
        _add_to_days(connection, {(subject, day): of_day for subject, samples in rows for day, of_day in _by_day(samples)})
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


def _add_to_days(connection: Connection, added: Mapping[tuple[int, int], str]) -> None:
    """Add samples to days, by subject and day: by few statements, however many they are."""
    subjects, days = {subject for subject, _ in added}, [day for _, day in added]
    known = connection.execute(
        select(LATENCY.c.subject_id, LATENCY.c.day, LATENCY.c.samples).where(
            LATENCY.c.subject_id.in_(sorted(subjects)), LATENCY.c.day.between(min(days), max(days))
        )
    )
    before = {(row.subject_id, row.day): row.samples for row in known}
    new, old = list[dict[str, object]](), list[dict[str, object]]()
    for (subject, day), samples in added.items():
        earlier = before.get((subject, day), "")
        # Of a day whose samples are gone nothing can be drawn anew; a look that comes so late is left out.
        if earlier is None:
            continue
        row = _drawn(earlier + samples)
        if (subject, day) in before:
            old.append({"of_subject": subject, "of_day": day, **row})
        else:
            new.append({"subject_id": subject, "day": day, **row})
    if new:
        connection.execute(insert(LATENCY), new)
    if old:
        of = update(LATENCY).where(LATENCY.c.subject_id == bindparam("of_subject"), LATENCY.c.day == bindparam("of_day"))
        connection.execute(of, old)


def _drawn(samples: str) -> dict[str, object]:
    """The columns that follow from all samples of a day."""
    hours: dict[int, list[int]] = {}
    for one in samples.split():
        minute, _, took = one.partition(":")
        hours.setdefault(int(minute) // 60 % 24, []).append(int(took))
    looks, least, middle, most = _four(list(chain.from_iterable(hours.values())))
    return {
        "looks": looks,
        "minimum": least,
        "median": middle,
        "maximum": most,
        "hours": json.dumps({hour: _four(of_hour) for hour, of_hour in hours.items()}, separators=(",", ":")),
        "samples": samples,
    }


def _by_day(samples: str) -> Iterator[tuple[int, str]]:
    """Samples by the day in which they lie, counted from 1970."""
    found: dict[int, list[str]] = {}
    for one in samples.split():
        found.setdefault(int(one.partition(":")[0]) // MINUTES_A_DAY, []).append(f"{one} ")
    return ((day, "".join(of_day)) for day, of_day in found.items())


def _four(took: Sequence[int]) -> Sequence[int]:
    """How many there are, and the least, the median and the most."""
    return len(took), min(took), round(median(took)), max(took)
