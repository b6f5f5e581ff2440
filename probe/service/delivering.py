"""Sends what is to be told, while everything else goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from probe.alerts import Alerts
from probe.memory import MemoryUnavailable
from probe.net.threads import in_thread
from probe.service.bugs import log_bug
from probe.service.clock import Clock
from probe.service.handover import Handover

_log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=1)
"""After which it is tried again where the alerts cannot be read or written."""


class Delivering:
    """Has the alerts sent; and before and after has it left for whoever takes over what is on its way."""

    def __init__(self, alerts: Alerts, handover: Handover, clock: Clock, wake: asyncio.Event, is_watching: Callable[[], bool]) -> None:
        """`wake` is set once something was sent; nothing is begun to be while `is_watching` says no."""
        self._alerts = alerts
        self._handover = handover
        self._clock = clock
        self._wake = wake
        self._is_watching = is_watching
        self._wanted = asyncio.Event()
        self._is_under_way = False
        self.next_due: datetime | None = clock.now()
        """When alerts have something to send by time alone."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is sent, or waits to be."""
        return not (self._is_under_way or self._wanted.is_set())

    def want(self) -> None:
        """Have sent what was told."""
        self._wanted.set()

    def want_what_is_due(self) -> None:
        """Have sent what is due by time alone, and left what could not be before."""
        now = self._clock.now()
        if (self.next_due is not None and self.next_due <= now) or self._handover.has_something:
            self._wanted.set()

    async def run(self) -> None:
        """Go on until it is cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._is_under_way = True
            try:
                await self._handover.leave_told()
                if self._is_watching():
                    await self._alerts.deliver(self._clock.now(), self._is_watching)
                self.next_due = await in_thread(partial(self._alerts.next_due, self._clock.now()), "probe-alerts")
                await self._handover.leave_told()
            except MemoryUnavailable as unavailable:
                self.next_due = self._clock.now() + _AGAIN
                _log.error("alerts are not delivered: %s", unavailable)
            except Exception as failure:  # noqa: BLE001 - what nobody expected is called a bug, and the service goes on
                self.next_due = self._clock.now() + _AGAIN
                log_bug(failure, {})
            finally:
                self._is_under_way = False
            self._wake.set()
