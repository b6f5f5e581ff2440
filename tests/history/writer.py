"""A process that writes into a history until it is killed: a line for each change that it knows to be written."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from probe.history import open_history
from probe.memory.folder import Folder
from tests.history.looks import look, product


async def main(folder: Path) -> None:
    """Find another product each time."""
    async with open_history(Folder(folder), "contoso") as history:
        start = len([one for one in await history.intervals() if one.key == "server.product"])
        for n in count(start):
            await history.record([look(n, *product(f"Server {n}"))])
            sys.stdout.write(f"{n}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
