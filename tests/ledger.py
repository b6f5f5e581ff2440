"""The ledger of passwords as a test looks at it: what it is told."""

from __future__ import annotations

from probe.probing import Ending, Unrecorded


class Ledger(Unrecorded):
    """What the ledger was told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def claim(self) -> None:
        self.told.append("claimed")

    async def release(self) -> None:
        self.told.append("released")

    async def end(self, ending: Ending) -> None:
        self.told.append(ending)
