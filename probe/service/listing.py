"""Looks once a day which mailboxes Dynamics serves that the estate does not have."""

from __future__ import annotations

from datetime import datetime, timedelta

from probe.model.estate import Estate
from probe.service.clock import Clock
from probe.service.instruments import Observer

LIST_EVERY = timedelta(days=1)
"""How often all of Dynamics' mailboxes are listed, which may be tens of thousands."""


class UnlistedMailboxes:
    """The mailboxes that Dynamics serves and the estate does not have."""

    def __init__(self, observer: Observer, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self._listed_at: datetime | None = None

    async def found(self, estate: Estate) -> tuple[str, ...] | None:
        """Their addresses; None where they were looked for within a day, or that cannot be told. Raises Throttled where the server asks to be left alone."""
        now, last = self._clock.now(), self._listed_at
        if last is not None and timedelta(0) <= now - last < LIST_EVERY:
            return None
        self._listed_at = now
        return await self._observer.unlisted_mailboxes(estate)
