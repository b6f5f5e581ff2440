"""What is drawn of the newest state, once of each, and without holding up whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.web.state import EstateState, States

T = TypeVar("T")

PATIENCE = 0.05
"""Seconds for which a page waits for what is new, where there is something to be shown already."""
_SHORT = 0.5
"""Seconds: a moment."""


class Drawn(Generic[T]):
    """Something that is drawn of the newest state, in a thread of its own."""

    def __init__(self, states: States, run: Callable[[], Run], draw: Callable[[EstateState], T], name: str, rests: int = 10) -> None:
        """`run` gives what is newest, and another object where something of it is new; `name` is that of the thread.

        What took longer than a moment is not drawn again until `rests` times as long have passed: an estate of ten thousand changes all the time.
        """
        self._states, self._run, self._draw, self._name, self._rests = states, run, draw, name, rests
        self._of: Run | None = None
        self._drawn: T | None = None
        self._drawing: asyncio.Future[None] | None = None
        self._rests_until = 0.0

    async def newest(self, patience: float | None) -> T | None:
        """What is drawn of the newest state; of an earlier one where drawing takes longer than `patience` seconds, or did so lately.

        None where nothing is drawn by then; without `patience` it is waited for.
        """
        now = asyncio.get_running_loop().time()
        if self._drawing is None and self._run() is not self._of and now >= self._rests_until:
            self._drawing = asyncio.ensure_future(self._draw_newest())
            # Nobody may be left to hear of a failure.
            self._drawing.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._drawing is not None:
            drawing = self._drawing
            done, _ = await asyncio.wait({drawing}, timeout=patience)
            for one in done:
                one.result()
        return self._drawn

    async def _draw_newest(self) -> None:
        time = asyncio.get_running_loop().time
        began = time()
        try:
            state = await self._states.newest()
            drawn: Awaitable[T] = in_thread(lambda: self._draw(state), self._name)
            self._drawn, self._of = await drawn, state.run
        finally:
            self._drawing = None
            took = time() - began
            self._rests_until = time() + (took * self._rests if took > _SHORT else 0.0)
