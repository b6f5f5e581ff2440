"""What a webhook on loopback was told, and the command that tells it: `probe serve` as a process."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.alerts.peers import HttpsTarget
from tests.command import environment
from tests.looking import authority
from tests.service.accounts import PASSWORD


@dataclass(frozen=True)
class Told:
    """A message as the webhook took it."""

    event: str
    title: str
    text: str

    @property
    def is_marked(self) -> bool:
        """Whether it says that it may have come before."""
        return "Possibly a repetition" in self.text


@dataclass(frozen=True)
class Wanted:
    """What is to be told of a change: how the title begins, what it is about, and what else is said."""

    mark: str
    about: str
    words: tuple[str, ...] = ()

    def is_told_by(self, told: Told) -> bool:
        """Whether this is it."""
        return told.title.startswith(f"[{self.mark}]") and all(word in f"{told.title}\n{told.text}" for word in (self.about, *self.words))


def told_by(target: HttpsTarget) -> list[Told]:
    """All that it took, in order."""
    found = []
    for request in list(target.arrived):
        body = json.loads(request.body)
        (event,) = re.findall(r"Event: ([0-9a-f]{12})", body["message"])
        found.append(Told(event, body["title"], body["message"]))
    return found


async def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return once something is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - it is another thread, or another program, that makes it so
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(folder: Path, *more: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service of `estate.toml` in a folder, until it is left; its state lies in `state` there, what it says in `said`.

    `more` are further arguments, `variables` those of its environment.
    """
    with (folder / "said").open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-m",
                "probe",
                "serve",
                "estate.toml",
                "--listen",
                "127.0.0.1:0",
                "--ca",
                str(authority().ca_file),
                "--log-level",
                "warning",
                *more,
            ),
            cwd=folder,
            env=environment(PROBE_STATE_DIR=str(folder / "state"), MAILBOX_PASSWORD=PASSWORD, **variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
