"""The moments at which a task is due by itself: a grid of its own, which follows from its name alone and is the same after a restart. Pure.

Moments are seconds since 1970 in UTC. Hours of a day are local time; on days on which clocks change they are an hour shorter or longer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from probe.model.values import dataclass
from probe.model.watching import Hours
from probe.schedule.tasks import Task

_DAY = 86400.0
_MOST_DAYS = 9
"""Days in a row without a minute in which a task may be done, after which there will be none: hours come again each week."""
_LEEWAY = 300.0
"""Seconds before the end of hours in which nothing is due that is due once a night: what then waits for its turn may still be done in them."""
_MOST_LEEWAY = 0.05
"""Of the hours: of short ones not all are left free."""
_ALL_DAY = Hours(start=datetime.min.time(), end=datetime.min.time())

Span = tuple[float, float]


def fraction_of(*names: str) -> float:
    """A number from 0 to below 1 that is as good as drawn by lot, and always the same for the same names."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def to_microseconds(moment: float) -> float:
    """A moment as exactly as a datetime can tell it, so that one that was told as a datetime is the same again."""
    return round(moment, 6)


@dataclass(frozen=True, slots=True)
class Slots:
    """When one task is due."""

    interval: float
    """Seconds."""
    fraction: float
    """Its place within an interval, or within its hours of a day."""
    between: Hours | None
    never: tuple[Hours, ...]
    zone: tzinfo | None
    """Of the hours; None: the system's."""

    @staticmethod
    def of(task: Task, deployment: str, zone: tzinfo | None) -> Slots:
        """Those of a task of a deployment."""
        fraction = fraction_of(deployment, task.kind, task.subject)
        return Slots(task.interval.total_seconds(), fraction, task.between, task.never, zone)

    @property
    def is_nightly(self) -> bool:
        """Whether it has one slot in its hours of some day, rather than one in each interval."""
        return self.between is not None and self.interval >= _DAY

    def after(self, moment: float) -> float | None:
        """The first slot after a moment; None where its hours never come."""
        if self.is_nightly:
            return self._night_after(moment)
        slot = self._grid_after(moment)
        if self.between is None and not self.never:
            return slot
        for start, end in self._free_from(slot):
            if start <= slot < end:
                return slot
            if slot < start:
                # It falls where it may not be done: spread over what follows.
                return min(start + self.fraction * min(self.interval, end - start), self._grid_after(start))
        return None

    def allows(self, moment: float) -> bool:
        """Whether it may be done at a moment."""
        return self.free_until(moment) is not None

    def free_until(self, moment: float) -> float | None:
        """How long it may be done from a moment on, infinity where always; None where it may not be done at that moment."""
        if self.between is None and not self.never:
            return math.inf
        return next((end for start, end in self._free_from(moment, days=2) if start <= moment), None)

    def _grid_after(self, moment: float) -> float:
        phase = self.fraction * self.interval
        number = math.floor((moment - phase) / self.interval)
        while (slot := to_microseconds(phase + number * self.interval)) <= moment:
            number += 1
        return slot

    def _night_after(self, moment: float) -> float | None:
        days = max(1, round(self.interval / _DAY))
        mine = int(self.fraction * 2**32) % days
        today = _local_day(moment, self.zone)
        for number in range(-1, days * _MOST_DAYS):
            day = today + timedelta(days=number)
            if day.toordinal() % days != mine:
                continue
            spans = tuple(map(_with_leeway, _free_on(self.between, self.never, self.zone, day)))
            place = self.fraction * sum(end - start for start, end in spans)
            for start, end in spans:
                if place < end - start:
                    if (slot := to_microseconds(start + place)) > moment:
                        return slot
                    break
                place -= end - start
        return None

    def _free_from(self, moment: float, days: int = _MOST_DAYS) -> Iterator[Span]:
        """What is free of its hours, from the day before a moment on."""
        first = _local_day(moment, self.zone) - timedelta(days=1)
        for number in range(days):
            yield from (span for span in _free_on(self.between, self.never, self.zone, first + timedelta(days=number)) if span[1] > moment)


def _local_day(moment: float, zone: tzinfo | None) -> date:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).date()


def _with_leeway(span: Span) -> Span:
    start, end = span
    return start, end - min(_LEEWAY, (end - start) * _MOST_LEEWAY)


@lru_cache(4096)
def _free_on(between: Hours | None, never: tuple[Hours, ...], zone: tzinfo | None, day: date) -> tuple[Span, ...]:
    """What is left of the hours that start on a day, or of that whole day, less those in which nothing is done, in order."""
    whole = (between or _ALL_DAY).span_on(day, zone)
    if whole is None:
        return ()
    free = [(whole[0].timestamp(), whole[1].timestamp())]
    # What starts up to a day before may reach into it, and what starts on the day after where it ends then.
    for hours in never:
        for number in (-1, 0, 1):
            span = hours.span_on(day + timedelta(days=number), zone)
            if span is not None:
                free = list(_without(free, (span[0].timestamp(), span[1].timestamp())))
    return tuple(free)


def _without(spans: list[Span], taken: Span) -> Iterator[Span]:
    for start, end in spans:
        if start < min(end, taken[0]):
            yield start, min(end, taken[0])
        if max(start, taken[1]) < end:
            yield max(start, taken[1]), end
