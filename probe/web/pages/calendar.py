"""What comes, on one line of time. Pure in what is worked out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby

from probe.model.rules import Otherwise
from probe.outlook import Coming
from probe.web.ahead import FAR, Ahead

EVENTS_A_PAGE = 100
_LEFT, _WIDTH = 10, 980
"""Where the line begins in the drawing, and how long it is."""
_LINE, _APART, _MOST_ABOVE = 50, 13, 3
"""How high it lies, how far marks of the same time stand above each other, and how many."""


class Calendar:
    """What comes, as the page draws it."""

    def __init__(self, ahead: Ahead, page: int) -> None:
        self.ahead = ahead
        self.start, self.until = ahead.start, ahead.until
        self.pages = max(-(-len(ahead.coming) // EVENTS_A_PAGE), 1)
        self.page = min(max(page, 1), self.pages)
        self.shown = ahead.coming[(self.page - 1) * EVENTS_A_PAGE : self.page * EVENTS_A_PAGE]
        self.unseen = ahead.unseen[:EVENTS_A_PAGE]

    def months(self) -> Iterator[tuple[str, list[Coming]]]:
        """What comes of this page, by month."""
        for month, of_it in groupby(self.shown, key=lambda one: f"{one.day:%Y-%m}"):
            yield month, list(of_it)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Where each quarter of a year begins on the line, and what it is called."""
        yield _LEFT, "today"
        for number in range(1, FAR.days // 91 + 2):
            months = self.start.year * 12 + (self.start.month - 1) // 3 * 3 + number * 3
            day = date(months // 12, months % 12 + 1, 1)
            if 45 < (day - self.start).days <= FAR.days:
                yield self._x(day), f"{day:%Y-%m}"

    def marks(self) -> Iterable[tuple[int, int, str]]:
        """Where each event stands in the drawing, and its tone; what stands at one place is drawn once."""
        return dict.fromkeys(self._marks())

    def _marks(self) -> Iterator[tuple[int, int, str]]:
        before: dict[int, int] = {}
        for one in self.ahead.coming:
            x = self._x(one.day)
            above = before[x // _APART] = before.get(x // _APART, -1) + 1
            yield x, _LINE - min(above, _MOST_ABOVE) * _APART, "doubtful" if one.otherwise is Otherwise.ADVICE else "bad"

    def _x(self, day: date) -> int:
        return _LEFT + round((day - self.start).days / FAR.days * _WIDTH)
