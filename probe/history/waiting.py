"""What was found and is not written yet: kept in memory while the database cannot be written, and written once it can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice

from probe.history.entries import Sighting
from probe.history.timelines import HistoryChange

MOST_WAITING = 100_000
"""Sightings that wait at most. One that repeats takes 300 bytes, one with a transcript some kilobytes."""

_AT_A_TIME = 500
"""Sightings of a transaction."""
_NEWS_AT_A_TIME = 100
"""Those of them that do not say by themselves that nothing is new: as many take 10 to 20 ms, in which nothing else is done on the loop."""

Write = Callable[[Sequence[Sighting]], Awaitable[tuple[HistoryChange, ...]]]
"""Writes all of some sightings or none; `History.record` is one."""


class Recording:
    """Writes what is found in the order in which it was found, and loses none of it while the database is away, as long as it has room."""

    def __init__(self, write: Write, most: int = MOST_WAITING) -> None:
        self._write = write
        self._most = most
        self._waiting: list[Sighting] = []
        self._writing = asyncio.Lock()
        self.lost = 0
        """Sightings for which there was no room, the oldest first. Those between two that say the same are left out before, and not counted."""

    @property
    def waiting(self) -> int:
        """How many sightings wait."""
        return len(self._waiting)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take in what was found; it is written by the next `flush`."""
        self._waiting += sightings
        self._make_room()

    async def flush(self) -> tuple[HistoryChange, ...]:
        """Write everything that waits; gives what changed, the newest first. Raises HistoryUnavailable, and what is not written waits on."""
        async with self._writing:
            changes: list[HistoryChange] = []
            while self._waiting:
                number = _fitting(self._waiting)
                batch, self._waiting = self._waiting[:number], self._waiting[number:]
                try:
                    changes[:0] = await self._write(batch)
                except BaseException:
                    # What came meanwhile stands behind it.
                    self._waiting = batch + self._waiting
                    self._make_room()
                    raise
                # Whoever asks for a page meanwhile has it in between.
                await asyncio.sleep(0)
            return tuple(changes)

    def _make_room(self) -> None:
        if len(self._waiting) <= self._most:
            return
        self._waiting = list(_without_repetitions(self._waiting))
        excess = len(self._waiting) - self._most // 2
        # Half is left, so that room is not made again at once.
        if len(self._waiting) > self._most:
            self.lost += excess
            del self._waiting[:excess]


def _fitting(sightings: Sequence[Sighting]) -> int:
    """How many of some sightings, from the first, go into one transaction."""
    news = (number for number, one in enumerate(sightings[:_AT_A_TIME]) if one.known_digest is None)
    return next(islice(news, _NEWS_AT_A_TIME, None), _AT_A_TIME)


def _without_repetitions(sightings: Sequence[Sighting]) -> Iterator[Sighting]:
    """Of each row of sightings of one subject that say the same, the first and the last: when it was first and last seen stays."""
    following: dict[tuple[str, str | None, str], int] = {}
    says_the_same_later: list[bool] = [False] * len(sightings)
    digests = [one.digest() for one in sightings]
    for number in range(len(sightings) - 1, -1, -1):
        later = following.get(_whose(sightings[number]))
        says_the_same_later[number] = later is not None and digests[later] == digests[number]
        following[_whose(sightings[number])] = number
    before: dict[tuple[str, str | None, str], int] = {}
    for one, digest, repeats in zip(sightings, digests, says_the_same_later, strict=True):
        if not (repeats and before.get(_whose(one)) == digest):
            yield one
        before[_whose(one)] = digest


def _whose(one: Sighting) -> tuple[str, str | None, str]:
    return one.subject, one.mailbox, one.topic
