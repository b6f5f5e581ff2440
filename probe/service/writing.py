"""What the service writes: the history, and what a restart is to know. Where that cannot be written, it is kept in memory, and tried again after a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import datetime, timedelta
from functools import partial

from probe.history import HistoryUnavailable, Recording, Sighting
from probe.history.waiting import Write
from probe.memory import MemoryUnavailable
from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.service.clock import Clock
from probe.service.keeping import KeptLooks
from probe.service.known import KnownLooks
from probe.service.looks import LookKey

_log = logging.getLogger(__name__)

_THREAD = "probe-kept-looks"
WRITE_AGAIN = timedelta(seconds=15)
"""After which what could not be written is tried again."""


def unwritten(what_comes_of_it: str, unavailable: HistoryUnavailable) -> str:
    """That something cannot be written into the history now, what becomes of it, and why."""
    return f"the history cannot be written; {what_comes_of_it}: {unavailable}"


class WritePause:
    """The pause after something could not be written. A clock that is set back makes it no longer."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    def begin(self, now: datetime) -> None:
        """It could not be written."""
        self._until = now + WRITE_AGAIN

    def lasts(self, now: datetime) -> bool:
        """Whether it is not to be tried yet."""
        return self._until is not None and self._until - WRITE_AGAIN <= now < self._until


class HistoryWriter:
    """Writes what was found."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Drop what waits."""
        self._recording, self._pause = Recording(self._write), WritePause()
        self.is_late = False
        """Whether it could not be written the last time; a part of it may have been."""

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take in what was found."""
        self._recording.add(sightings)

    def has_something(self, now: datetime) -> bool:
        """Whether something waits that may be written now."""
        return self._recording.waiting > 0 and not self._pause.lasts(now)

    async def write(self, *, at_once: bool = False) -> bool:
        """Write what waits, unless the history could not be written a moment ago; `at_once`: all the same. Whether changes may have come into it."""
        now = self._clock.now()
        if self._pause.lasts(now) and not at_once:
            return False
        try:
            has_changed = bool(await self._recording.flush())
        except HistoryUnavailable as unavailable:
            self._pause.begin(now)
            self.is_late = True
            waiting = {"waiting": self._recording.waiting, "lost": self._recording.lost}
            _log.error(unwritten("what was found is kept in memory", unavailable), extra=waiting)
            return False
        was_late, self.is_late = self.is_late, False
        return has_changed or was_late


class LookKeeper:
    """Keeps for a restart what is believed: what a restart did not know would be told again."""

    def __init__(self, kept: KeptLooks, clock: Clock, are_kept: Callable[[Iterable[LookKey]], None]) -> None:
        """`are_kept` hears of looks that are kept anew."""
        self._kept = kept
        self._clock = clock
        self._are_kept = are_kept
        self._pause = WritePause()
        self._unkept: set[LookKey] = set()

    def add(self, key: LookKey) -> None:
        """Another look is believed."""
        self._unkept.add(key)

    def has_something(self, now: datetime) -> bool:
        """Whether something waits that may be kept now."""
        return bool(self._unkept) and not self._pause.lasts(now)

    async def keep(
        self, known: KnownLooks, state: Run, portions: Callable[[Sequence[LookKey]], Iterable[Sequence[LookKey]]], *, at_once: bool = False
    ) -> None:
        """Keep what waits, a portion at a time, unless that could not be written a moment ago; `at_once`: all the same. `state` is as of `KeptLooks.keep`."""
        now = self._clock.now()
        if self._pause.lasts(now) and not at_once:
            return
        for keys in portions(sorted(self._unkept)):
            # What is believed meanwhile waits on.
            self._unkept.difference_update(keys)
            looks, is_kept = [one.look for key in keys if (one := known.believed.get(key)) is not None], False
            try:
                is_kept = await self._safely(partial(self._kept.keep, (look.get() for look in looks), state))
            finally:
                if not is_kept:
                    self._unkept.update(keys)
            if not is_kept:
                self._pause.begin(now)
                return
            self._are_kept(keys)

    async def begin(self, state: Run, keys: Set[LookKey], otherwise: Set[LookKey]) -> None:
        """Keep the estate of `state`. Of the looks with these keys those stay as they are kept that do not say something `otherwise` under it.

        These are kept anew. Raises MemoryUnavailable.
        """
        self._unkept |= otherwise
        await in_thread(partial(self._kept.keep_estate, state, keys - otherwise), _THREAD)

    async def keep_estate(self, state: Run, keys: Set[LookKey], otherwise: Set[LookKey]) -> None:
        """As `begin`; what keeps it from being kept is told."""
        self._unkept |= otherwise
        await self._safely(partial(self._kept.keep_estate, state, keys - otherwise))

    @staticmethod
    async def _safely(work: Callable[[], None]) -> bool:
        try:
            await in_thread(work, _THREAD)
        except MemoryUnavailable as unavailable:
            _log.error("what is known is not kept for a restart: %s", unavailable)
            return False
        return True
