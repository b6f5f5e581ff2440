"""The state that the service shows: what is known as of its last judgement, whole. Soon after the beginning alone, as much as is judged by then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from probe.model.runs import Run
from probe.web import WatchedState
from probe.web.parts import PartState

T = TypeVar("T")

_EVERY_SECONDS = 1.0
"""How often more is shown while everything is judged for the first time."""


class ShownState:
    """What is shown now."""

    def __init__(self, whole: Run) -> None:
        self.now = WatchedState(whole=whole, parts={})
        self._anew = asyncio.Event()
        """Set once something else is shown; each time has its own."""

    def show(self, whole: Run, parts: Mapping[int, PartState]) -> None:
        """Show this from now on."""
        self.now = WatchedState(whole=whole, parts=dict(parts))
        news, self._anew = self._anew, asyncio.Event()
        news.set()

    def show_what_is(self, whole: Run, parts: Mapping[int, PartState], *, is_partial: bool) -> None:
        """Show what is judged by now; where the estate is another than the one that is shown, once that is not a part of it only."""
        if not is_partial or self.now.whole.estate is whole.estate:
            self.show(whole, parts)

    async def show_while(self, judging: asyncio.Future[T], whole: Run, parts: Mapping[int, PartState], number: int) -> None:
        """Until everything is judged for the first time, show what is; `number` is how many parts there are, `parts` those that are judged by now.

        Where the estate is another than the one that is shown, that one is shown until all of the new one is judged.
        """
        while self.now.whole.estate is whole.estate and len(self.now.parts) < number:
            done, _ = await asyncio.wait([judging], timeout=_EVERY_SECONDS)
            if done:
                break
            self.show(whole, parts)

    async def otherwise(self, known: WatchedState | None) -> None:
        """Return once another state is shown than this."""
        while self.now is known:
            await self._anew.wait()
