"""Which parts of an estate are judged next, and of which it is looked ahead after that. Pure.

Where more waits than can be judged at once, what somebody asks for comes first, then what something new is known of and can be told, and then the rest: a
part of which an endpoint was not looked at yet is judged once, and again when that is known, and not in between where others wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

AT_ONCE = 250
"""Parts that are judged until what follows is told: a few seconds, where they are small."""


class PartQueue:
    """The parts, by number, of which something waits to be concluded. At the beginning all of them do."""

    def __init__(self, number: int) -> None:
        self._all = range(number)
        self._asked: set[int] = set()
        self._news: set[int] = set()
        """Of which something is new."""
        self._anew: set[int] = set(self._all)
        """That are judged because all are, whatever is known of them."""
        self._ahead: set[int] = set()
        """That were judged, and not looked ahead of yet."""

    def touch(self, numbers: Iterable[int]) -> None:
        """Something new is known of some."""
        self._news.update(numbers)

    def touch_all(self) -> None:
        """Something is new that all of them hang on, as a day."""
        self._anew.update(self._all)

    def ask(self, numbers: Iterable[int]) -> None:
        """Somebody waits for what is known of some."""
        self._asked.update(numbers)

    @property
    def is_waiting(self) -> bool:
        """Whether some are to be judged."""
        return bool(self._news or self._anew)

    @property
    def is_partial(self) -> bool:
        """Whether all are to be judged, and some of them were, so that nothing can be said of the whole."""
        return bool(self._anew)

    @property
    def has_something(self) -> bool:
        """Whether some are to be judged, or looked ahead of."""
        return self.is_waiting or bool(self._ahead)

    def take(self, is_looked_at: Callable[[int], bool], at_most: int | None) -> Sequence[int]:
        """Those that are judged now, the first ones first; `is_looked_at`: whether each endpoint of one was looked at. Without `at_most` all that wait."""
        waiting = self._news | self._anew
        asked, self._asked = self._asked & waiting, set()
        if at_most is None or len(waiting) > at_most:
            news = {number for number in self._news if is_looked_at(number)}
            taken = sorted(waiting, key=lambda number: (number not in asked, number not in news, number not in self._anew, number))
            # Whoever waits is not left to wait for the next time.
            taken = taken if at_most is None else taken[: max(at_most, len(asked))]
        else:
            taken = sorted(waiting)
        self._news.difference_update(taken)
        self._anew.difference_update(taken)
        return taken

    def look_ahead_of(self, numbers: Iterable[int]) -> None:
        """Some were judged, and what comes there may be another."""
        self._ahead.update(numbers)

    def take_ahead(self, at_most: int) -> Sequence[int]:
        """Those of which it is looked ahead now."""
        taken = list(islice(self._ahead, at_most))
        self._ahead.difference_update(taken)
        return taken
