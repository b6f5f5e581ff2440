"""Limits on concurrency, and deadlines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from weakref import WeakValueDictionary

PER_ADDRESS = 3
"""Connections to one address and port at a time. Mail servers limit clients to between 3 and 10 (Postfix: 50, Dovecot: 10, Exchange POP3: 16)."""
OVERALL = 800
"""Connections at a time in all, where the system allows as many open files."""
LOOKUPS = 128
"""Names that are looked up at a time; each takes a thread, and a hung resolver may hold all of them."""
_SPARE_FILES = 100


_log = logging.getLogger(__name__)


class Deadline:
    """The end of one attempt. Its clock stands still while the attempt waits for its turn."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise TimeoutError(f"not finished within {self.seconds:g} s") from None

    def remaining(self) -> float:
        """Seconds left."""
        end = self._timeout.when()
        return self.seconds if end is None else max(0.0, end - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[None]:
        """Within this, no time is counted."""
        loop = asyncio.get_running_loop()
        began, end = loop.time(), self._timeout.when()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            if end is not None:
                self._timeout.reschedule(end + loop.time() - began)


class Limits:
    """Caps on connections and on names being looked up, shared by every run of a process."""

    def __init__(self, per_address: int = PER_ADDRESS) -> None:
        self._per_address = per_address
        self._gates: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()
        """Only of places with a connection or a waiter: a process that lives long meets many."""
        self._overall = asyncio.Semaphore(min(OVERALL, _open_files() - _SPARE_FILES))
        self.lookups = asyncio.Semaphore(LOOKUPS)

    @asynccontextmanager
    async def turn(self, address: str, port: int, deadline: Deadline) -> AsyncIterator[None]:
        """One connection's turn at an address and port; waiting for it costs the attempt no time."""
        gate = self._gates.setdefault((address, port), asyncio.Semaphore(self._per_address))
        if gate.locked() or self._overall.locked():
            _log.debug("waits for its turn to connect", extra={"address": address, "port": port})
            async with deadline.standing_still():
                await self._acquire(gate)
        else:
            await self._acquire(gate)
        try:
            yield
        finally:
            self._overall.release()
            gate.release()

    async def _acquire(self, gate: asyncio.Semaphore) -> None:
        await gate.acquire()
        try:
            await self._overall.acquire()
        except BaseException:
            gate.release()
            raise


def _open_files() -> int:
    """How many files this process may have open, raised as far as the system lets it."""
    try:
        import resource
    except ImportError:  # Windows has no such limit on sockets
        return OVERALL + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OVERALL + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        return max(soft, _SPARE_FILES + 8)
    return max(raised, _SPARE_FILES + 8)
