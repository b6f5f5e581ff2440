"""What comes, drawn on one line of time, and told month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

from probe.document.telling.coming import Coming
from probe.model.rules import Otherwise

_LEFT, _WIDTH = 10, 980
"""Where the line begins in the drawing, and how long it is."""
_LINE, _APART, _MOST_ABOVE = 50, 13, 3
"""How high it lies, how far marks of the same time stand above each other, and how many."""
_FIRST_TICK = 45
"""Days from today to the first quarter that is named, so that the words do not overlap."""


class TimeLine:
    """A line of time from one day to another, with what comes on it, the earliest first."""

    def __init__(self, start: date, until: date, coming: Sequence[Coming]) -> None:
        self.start, self.until, self.coming = start, until, coming
        self._days = max((until - start).days, 1)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Where each quarter of a year begins on the line, and what it is called."""
        yield _LEFT, "today"
        for number in range(1, self._days // 91 + 2):
            months = self.start.year * 12 + (self.start.month - 1) // 3 * 3 + number * 3
            day = date(months // 12, months % 12 + 1, 1)
            if _FIRST_TICK < (day - self.start).days <= self._days:
                yield self._x(day), f"{day:%Y-%m}"

    def marks(self) -> Iterable[tuple[int, int, str]]:
        """Where each event stands in the drawing, and its tone; what stands at one place is drawn once."""
        return dict.fromkeys(self._marks())

    def _marks(self) -> Iterator[tuple[int, int, str]]:
        before: dict[int, int] = {}
        for one in self.coming:
            x = self._x(one.day)
            above = before[x // _APART] = before.get(x // _APART, -1) + 1
            yield x, _LINE - min(above, _MOST_ABOVE) * _APART, "doubtful" if one.otherwise is Otherwise.ADVICE else "bad"

    def _x(self, day: date) -> int:
        return _LEFT + round((day - self.start).days / self._days * _WIDTH)


def by_month(coming: Iterable[Coming]) -> Iterator[tuple[str, list[Coming]]]:
    """What comes, by month."""
    for month, of_it in groupby(coming, key=lambda one: f"{one.day:%Y-%m}"):
        yield month, list(of_it)
