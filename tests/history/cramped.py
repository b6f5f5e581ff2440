"""A history on a disk that is full, then read-only: `python -m tests.history.cramped FOLDER`, in a mount namespace of its own. Prints what came of each step."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from probe.history import HistoryUnavailable, Recording, open_history
from probe.memory import Folder
from tests.history.looks import look, product

_LONG = "+OK " + "x" * 900


def _mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, stdin=subprocess.DEVNULL)


async def _live(folder: Path) -> None:
    _mount(folder, "-o", "size=1m,mode=700")
    async with open_history(Folder(folder), "contoso") as history:
        recording, looks = Recording(history.record), 0
        while recording.waiting == 0:
            recording.add(look(looks + number, *product(f"Product {looks + number}", _LONG)) for number in range(50))
            looks += 50
            try:
                await recording.flush()
            except HistoryUnavailable as unavailable:
                print("full:", unavailable)  # noqa: T201 - which is what the test reads
        print("readable:", len(await history.changes(limit=10)))  # noqa: T201
        _mount(folder, "-o", "remount,size=16m")
        await recording.flush()
        products = [one for one in await history.intervals() if one.key == "server.product"]
        print("written:", len(products) == looks, recording.waiting, recording.lost)  # noqa: T201
    # Whose files are open cannot be made read-only.
    _mount(folder, "-o", "remount,ro")
    try:
        async with open_history(Folder(folder), "contoso"):
            pass
    except HistoryUnavailable as unavailable:
        print("read-only:", unavailable)  # noqa: T201
    _mount(folder, "-o", "remount,rw,size=16m")
    async with open_history(Folder(folder), "contoso") as history:
        print("again:", len(await history.record([look(looks, *product("Last"))])) > 0)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1])))
