"""What inferences and rules said before, by what they went by: so that endpoints and mailboxes that are alike are thought about once.

They depend on values, on the reasons for missing ones, and on the date. So what they said of one subject holds for any other with the same values,
in whichever judgement of the same ruleset and day. A service judges thousands of small estates, most of which say the same.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import date
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_MOST_DAYS = 8
"""Days that are remembered: today, and those to come for which an outlook judges."""


class Remembered(Generic[T]):
    """Values by keys, up to so many, after which all are forgotten. Any thread may use it: what is not there is worked out again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, T] = {}

    def get(self, key: Hashable) -> T | None:
        """The value of a key."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: T) -> None:
        """Remember a value."""
        if len(self._values) >= self._most:
            # Another dictionary: a thread may be reading the old one.
            self._values = {}
        self._values[key] = value


class DayOfJudging:
    """What was said by the inferences and rules of one ruleset, judging for one day. Its values are those of the modules that keep them.

    Of endpoints that differ none of it is asked for again, and of those that are alike there is little: more of each takes room, and saves nothing.
    """

    def __init__(self) -> None:
        self.graphs: Any = None
        """Of the inferences."""
        self.places: Any = None
        """Of what the rules need."""
        self.said: Remembered[Any] = Remembered(512)
        """What an inference says."""
        # Where endpoints are alike there are few courses; where they differ, none is used again.
        self.courses: Remembered[Any] = Remembered(64)
        """What all inferences about an endpoint say."""
        self.findings: Remembered[Any] = Remembered(2048)
        """What a rule says."""


class DaysOfJudging:
    """The last days for which a ruleset judged. For any thread."""

    def __init__(self) -> None:
        self._days: dict[date, DayOfJudging] = {}
        self._lock = threading.Lock()

    def on(self, day: date) -> DayOfJudging:
        """What was said for a day."""
        with self._lock:
            found = self._days.pop(day) if day in self._days else DayOfJudging()
            self._days[day] = found
            if len(self._days) > _MOST_DAYS:
                del self._days[next(iter(self._days))]
            return found
