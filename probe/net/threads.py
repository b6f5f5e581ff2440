"""Runs what blocks on threads of our own.

What hangs in a system call or a library cannot be cancelled, and asyncio's own threads would hold the program's exit until it ends.
These are daemons: the run goes on without them, and so does the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

R = TypeVar("R")


def in_thread(work: Callable[[], R], name: str) -> asyncio.Future[R]:
    """Begins what blocks, on a thread of that name. Cancelling the future leaves the thread alone, and nobody hears of how it ends."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[R] = loop.create_future()
    # Nobody may be left to hear of a failure once the deadlines have passed.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    result: Future[R] = Future()

    def go() -> None:
        try:
            result.set_result(work())
        except Exception as failed:  # noqa: BLE001 - handed to whoever waits
            result.set_exception(failed)

    result.add_done_callback(lambda done: settle(loop, answer, done))
    threading.Thread(target=go, name=name, daemon=True).start()
    return answer


async def to_its_end(work: Callable[[], R], name: str) -> R:
    """What comes of what blocks, on a thread of that name. A cancellation is passed on once it has ended, so that no thread is left running."""
    answer = in_thread(work, name)
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        await asyncio.wait([answer])
        raise


def settle(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[R], done: Future[R]) -> None:
    """Tells a waiting task, from another thread, what came."""

    def tell() -> None:
        if not answer.done():
            failure = done.exception()
            if failure is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(failure)

    with contextlib.suppress(RuntimeError):  # the loop is gone, and nobody waits
        loop.call_soon_threadsafe(tell)
