"""What the service writes into the history: kept in memory, and tried again after a while, where that cannot be written."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from probe.history import HistoryUnavailable, Recording, Sighting
from probe.history.waiting import Write
from probe.service.clock import Clock

_log = logging.getLogger(__name__)

WRITE_AGAIN = timedelta(seconds=15)
"""After which the history is written to again, where it could not be."""


class HistoryWriter:
    """Writes what was found."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._recording = Recording(write)
        self._clock = clock
        self._after = clock.now()
        """When the history is written to again, where it could not be."""

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take in what was found."""
        self._recording.add(sightings)

    def has_something(self, now: datetime) -> bool:
        """Whether something waits that may be written now."""
        return self._recording.waiting > 0 and not self._rests(now)

    async def write(self, *, at_once: bool = False) -> None:
        """Write what waits, unless the history could not be written a moment ago; `at_once`: all the same."""
        now = self._clock.now()
        if self._rests(now) and not at_once:
            return
        try:
            await self._recording.flush()
        except HistoryUnavailable as unavailable:
            self._after = now + WRITE_AGAIN
            waiting = {"waiting": self._recording.waiting, "lost": self._recording.lost}
            _log.error("the history cannot be written; what was found is kept in memory: %s", unavailable, extra=waiting)

    def _rests(self, now: datetime) -> bool:
        # A clock that was set back makes the moment no longer.
        return self._after > now >= self._after - WRITE_AGAIN
