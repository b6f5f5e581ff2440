"""A program that tells alerts without end, to be killed: `python -m tests.alerts.killed_sender FOLDER CA_FILE LIFE`.

It makes one event after another, and delivers each to two targets. Its clock runs a minute with each pass, so that pauses pass quickly.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

from probe.alerts import Alerts, Recipients, TargetSender, Telling
from probe.memory.folder import Folder
from probe.model.secrets import SecretReference
from probe.model.watching import AlertSettings
from probe.net.killable import Children
from tests.alerts.scripted import START, condition, notice


async def _tell(folder: Path, ca_file: str, life: int) -> None:
    references = tuple(SecretReference("file", str(folder / name)) for name in ("first", "second"))
    async with Children(2) as children:
        targets = TargetSender(children, ca_file=ca_file, seconds=20)
        telling = Telling(settings=AlertSettings(remind=None), recipients=Recipients(default=references))
        alerts = Alerts(Folder(folder / "state"), "contoso-crm", targets.send, telling)
        for step in count():
            now = START + timedelta(days=life, minutes=step)
            alerts.settle([condition("lasts")], now)
            alerts.notify([notice(f"change {life}.{step}")], now)
            # Only what is on the disk is promised.
            sys.stdout.write(f"change {life}.{step}\n")
            sys.stdout.flush()
            await alerts.deliver(now)


if __name__ == "__main__":
    asyncio.run(_tell(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
