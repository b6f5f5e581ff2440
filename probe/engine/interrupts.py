"""The signals that ask for an end: the first ends what goes on so that it tells what it has learnt, the second ends the program."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

from probe.net.heap import collect_seldom, keep_small

T = TypeVar("T")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""Signals that ask for an end: Ctrl-C; service managers, containers and timeout(1); a terminal that is closed; Ctrl-Break on Windows."""


class Interrupts:
    """What comes of the signals that ask for an end. `with` it, on the main thread, where signals are; elsewhere nothing is changed."""

    def __init__(self) -> None:
        self._count = 0
        self._stop: Callable[[], object] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                # What was ignored when we were started stays so: nohup(1) ignores SIGHUP, and shells SIGINT for what runs in the background.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    async def stopping(self, begin: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        """Begin it with a stop that the first signal sets."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        # By the loop, which a mere set() in a signal handler would not wake.
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        if self._count:
            raise KeyboardInterrupt
        return await begin(stop)

    def _came(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            raise KeyboardInterrupt
        if self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended, and with it all that could be stopped
                self._stop()


async def unless_stopped(work: Callable[[], Coroutine[Any, Any, T]], stop: asyncio.Event) -> T:
    """What comes of work of which a part is nothing: it is cancelled once `stop` is set, and KeyboardInterrupt raised."""
    working, ended = asyncio.ensure_future(work()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise KeyboardInterrupt
        return working.result()
    finally:
        working.cancel()
        ended.cancel()
        await asyncio.gather(working, ended, return_exceptions=True)


def complete(begin: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
    """Run something to its end on a loop of its own, given the stop of its runs.

    The first signal that asks for an end sets the stop, so that a run tells what it has learnt; the second raises KeyboardInterrupt.
    """
    keep_small()
    collect_seldom()
    with Interrupts() as interrupts:
        return asyncio.run(interrupts.stopping(begin))
