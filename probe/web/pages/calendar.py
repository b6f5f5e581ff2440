"""What comes, on one line of time. Pure in what is worked out of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from probe.model.rules import Otherwise
from probe.outlook import Coming
from probe.web.ahead import FAR, Ahead

_LEFT, _WIDTH = 10, 980
"""Where the line begins in the drawing, and how long it is."""
_LINE, _APART, _MOST_ABOVE = 50, 13, 3
"""How high it lies, how far marks of the same time stand above each other, and how many."""


class Calendar:
    """What comes, as the page draws it."""

    def __init__(self, ahead: Ahead) -> None:
        self.ahead = ahead
        self.start, self.until, self.coming = ahead.start, ahead.until, ahead.coming

    def months(self) -> Iterator[tuple[str, list[Coming]]]:
        """What comes, by month."""
        for month, of_it in groupby(self.coming, key=lambda one: f"{one.day:%Y-%m}"):
            yield month, list(of_it)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Where each quarter of a year begins on the line, and what it is called."""
        yield _LEFT, "today"
        for number in range(1, FAR.days // 91 + 2):
            months = self.start.year * 12 + (self.start.month - 1) // 3 * 3 + number * 3
            day = date(months // 12, months % 12 + 1, 1)
            if 45 < (day - self.start).days <= FAR.days:
                yield self._x(day), f"{day:%Y-%m}"

    def marks(self) -> Iterator[tuple[int, int, str]]:
        """Where each event stands in the drawing, and its tone."""
        before: dict[int, int] = {}
        for one in self.coming:
            x = self._x(one.day)
            above = before[x // _APART] = before.get(x // _APART, -1) + 1
            yield x, _LINE - min(above, _MOST_ABOVE) * _APART, "doubtful" if one.otherwise is Otherwise.ADVICE else "bad"

    def _x(self, day: date) -> int:
        return _LEFT + round((day - self.start).days / FAR.days * _WIDTH)
