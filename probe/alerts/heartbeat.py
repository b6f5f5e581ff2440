"""The heartbeat: a URL of a dead man's switch that is called while the schedule is kept, so that somebody else notices where it is not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from probe.model.secrets import SecretReference
from probe.net.alert_request import Delivered, DeliveryEnding

_log = logging.getLogger(__name__)

AT_MOST_EVERY = timedelta(minutes=1)


class Heartbeat:
    """One URL, named by its reference."""

    def __init__(self, reference: SecretReference, beat: Callable[[SecretReference], Awaitable[Delivered]]) -> None:
        """`beat` is that of `probe.alerts.targets.TargetSender`."""
        self._reference = reference
        self._beat = beat
        self._last: datetime | None = None
        self.trouble = ""
        """Why the last call was not taken; empty where it was, and before the first."""

    async def beat(self, now: datetime) -> bool:
        """Call it, as the schedule was kept until now; not sooner than a minute after the last call. Whether it was called and took it."""
        # A clock that was set back must not silence it.
        if self._last is not None and self._last <= now < self._last + AT_MOST_EVERY:
            return False
        self._last = now
        ended = await self._beat(self._reference)
        self.trouble = "" if ended.ending is DeliveryEnding.TAKEN else ended.why
        if self.trouble:
            _log.warning("heartbeat was not taken", extra={"why": self.trouble})
        return not self.trouble
