"""A service on a disk that is full, then read-only: `python -m tests.service.cramped FOLDER`, in a mount namespace of its own. Prints JSON of what came of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from probe.config import load_estate
from probe.history import open_history
from probe.memory import Folder
from probe.service import CannotServe, serve, writing
from probe.simulation import pop3
from probe.simulation import smtp as smtp_simulated
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from tests.looking import server_context
from tests.service.serving import GOING_DOWN, OTHER_MECHANISMS, estate_text, settings_of


class Log(logging.Handler):
    """What the service logs, and what it tells."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.errors: list[str] = []
        self.alerts: list[list[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.errors.append(f"{record.name} {record.getMessage()}")
        if record.name == "probe.alerts.telling" and record.getMessage() == "alert":
            self.alerts.append([str(vars(record)["kind"]), str(vars(record)["about"])])

    def clear(self) -> None:
        self.errors, self.alerts = [], []


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


@contextmanager
def full(state: Path) -> Any:
    """While not a byte of the disk is free."""
    filler = state / "filler"
    with filler.open("wb", buffering=0) as target:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    target.write(b"x" * size)
            except OSError:
                continue
    yield
    filler.unlink()


@contextmanager
def read_only(state: Path) -> Any:
    """While the folder is read-only; a file that is open already can be written."""
    _mount("--bind", str(state), str(state))
    _mount("-o", "remount,bind,ro", str(state))
    yield
    subprocess.run(["umount", str(state)], check=True, stdin=subprocess.DEVNULL)


async def _until(is_so: Callable[[], bool], what: object = "") -> None:
    for _ in range(1200):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


async def live(folder: Path, log: Log) -> dict[str, Any]:
    """Watch while the disk is full, and while it is read-only."""
    writing.WRITE_AGAIN = timedelta(seconds=1)
    state, told = folder / "state", dict[str, Any]()
    state.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(state))
    async with Pop3Server(pop3.DOVECOT, server_context()) as pop, SmtpServer(smtp_simulated.POSTFIX, server_context()) as smtp:
        file, pop_url, smtp_url = folder / "estate.toml", f"pop3://localhost:{pop.port}", f"smtp://localhost:{smtp.port}"
        file.write_text(estate_text(pop.port, smtp.port))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(settings_of(folder, file), load_estate(file), stop, asyncio.Event()))
            await _until(lambda: len(log.alerts) == 1, "watching")
            await asyncio.sleep(2)
            log.clear()
            for name, fault, mails, posts, *kinds in (
                ("full", full, GOING_DOWN, OTHER_MECHANISMS, "began", "notice"),
                # What changes back within the hour is told as such.
                ("read-only", read_only, pop3.DOVECOT, smtp_simulated.POSTFIX, "recovered", "began"),
            ):
                with fault(state):
                    before = pop.connections
                    pop.personality, smtp.personality = mails, posts
                    await _until(lambda: bool(log.errors), f"{name}: an error")
                    await _until(lambda: pop.connections > before + 3, f"{name}: looks")  # noqa: B023 - it is waited for here
                    await asyncio.sleep(2)
                await _until(lambda: len(log.alerts) >= 2, f"{name}: {log.alerts} {log.errors}")
                await asyncio.sleep(2)
                wanted = sorted(map(list, zip(kinds, (pop_url, smtp_url), strict=True)))
                told[name] = {"errors": log.errors, "alerts": sorted(log.alerts), "wanted": wanted}
                log.clear()
            stop.set()
        async with open_history(Folder(state), "contoso-crm") as history:
            changes = [change for change in await history.changes() if (change.subject, change.key) == (smtp_url, "auth.mechanisms")]
        told["drift"] = len(changes) == 2
        with read_only(state):
            try:
                await serve(settings_of(folder, file), load_estate(file), asyncio.Event(), asyncio.Event())
            except CannotServe as refused:
                told["refused"] = str(refused)
    return told


if __name__ == "__main__":
    log = Log()
    logging.getLogger("probe").addHandler(log)
    logging.getLogger("probe").setLevel(logging.INFO)
    found = asyncio.run(live(Path(sys.argv[1]), log))
    os.write(1, json.dumps(found).encode())
