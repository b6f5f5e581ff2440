"""The time that the service goes by, which tests drive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

_MOST_SECONDS = 1.0
"""After which the time is looked at again: the clock of a machine may be set, forward too."""
_PAUSE_SECONDS = 0.5
"""What was found within it is judged and written together."""


class Clock(Protocol):
    """Tells the time, and lets it pass."""

    def now(self) -> datetime:
        """This moment, in UTC."""

    async def sleep(self, until: datetime, wake: asyncio.Event) -> None:
        """Return at a time, or once `wake` is set; it may return sooner."""

    async def pause(self) -> None:
        """Let what comes gather for a moment."""


class SystemClock:
    """The clock of this machine."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now()

    async def sleep(self, until: datetime, wake: asyncio.Event) -> None:
        seconds = min((until - self._now()).total_seconds(), _MOST_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.0)):
                await wake.wait()

    async def pause(self) -> None:
        await asyncio.sleep(_PAUSE_SECONDS)
