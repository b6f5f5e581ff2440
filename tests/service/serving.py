"""A service within this process, over real sockets: what it says, tells and answers."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.config import load_estate
from probe.memory import Folder
from probe.model.estate import Secret
from probe.service import ServiceSettings, serve
from probe.simulation import pop3
from probe.simulation import smtp as smtp_simulated
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from probe.web.listener import listen_settings
from tests.config.estates import DEPLOYMENT
from tests.looking import authority, server_context

GOING_DOWN = replace(pop3.DOVECOT, greeting="-ERR going down")
OTHER_MECHANISMS = replace(
    smtp_simulated.POSTFIX,
    extensions_secure=tuple("AUTH PLAIN" if line.startswith("AUTH ") else line for line in smtp_simulated.POSTFIX.extensions_secure),
)
INTERVAL = 1.0
"""Seconds between two looks at an endpoint."""


def estate_text(pop: int, smtp: int) -> str:
    return f"""{DEPLOYMENT}[schedule]
quick = "1s"
posture = "off"
[[profile]]
name = "branch"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "pop3://localhost:{pop}"
outgoing = "smtp://localhost:{smtp}"
[[mailbox]]
address = "sales@contoso.test"
profile = "branch"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


class Serving:
    """A service within this process, and what it told."""

    def __init__(self, folder: Path, pop: Pop3Server, smtp: SmtpServer, log: pytest.LogCaptureFixture) -> None:
        self.pop, self.smtp = pop, smtp
        self.file = folder / "estate.toml"
        self.reload = asyncio.Event()
        self.said: list[str] = []
        self.folder = folder
        self._log = log

    def told(self) -> list[tuple[str, str]]:
        """Each alert: what it tells, and of what."""
        return [
            (str(vars(record)["kind"]), str(vars(record)["about"]))
            for record in self._log.records
            if record.name == "probe.alerts.telling" and record.message == "alert"
        ]

    async def asks(self, path: str, body: object = None, token: str = "", prefer: str = "wait=30") -> tuple[int, Any]:
        """What the listener answers: status and JSON, or the text."""
        url = self.said[0].rpartition(" ")[2]
        headers = {"Content-Type": "application/json", "Prefer": prefer, **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(), headers)

        def answer() -> tuple[int, Any]:
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    status, text = response.status, response.read().decode()
            except urllib.error.HTTPError as refused:
                with refused:
                    status, text = refused.code, refused.read().decode()
            return status, json.loads(text) if text.startswith(("{", "[")) else text

        return await asyncio.to_thread(answer)

    async def hears(self, *wanted: tuple[str, str], within: float = 20.0) -> None:
        """Wait until these and no others were told since the last time."""
        await until(lambda: len(self.told()) >= len(wanted), within)
        await asyncio.sleep(2 * INTERVAL)
        assert sorted(self.told()) == sorted(wanted), self.told()
        self._log.clear()


def settings_of(folder: Path, estate: Path, say: Callable[[str], None] = lambda line: None) -> ServiceSettings:
    return ServiceSettings(
        estate_file=estate,
        options=app.Options(timeout=5, ca_file=authority().ca_file, state=folder / "state"),
        folder=Folder(folder / "state"),
        database=None,
        listen=listen_settings("127.0.0.1:0"),
        say=say,
    )


async def until(is_so: Callable[[], bool], seconds: float) -> None:
    """Return once something is so, or that many seconds later."""
    for _ in range(int(seconds / 0.05)):
        if is_so():
            return
        await asyncio.sleep(0.05)


async def logged(log: pytest.LogCaptureFixture, beginning: str, within: float = 20.0) -> None:
    """Wait for a message of the log."""
    await until(lambda: any(record.message.startswith(beginning) for record in log.records), within)
    assert any(record.message.startswith(beginning) for record in log.records), beginning


@asynccontextmanager
async def watching(folder: Path, log: pytest.LogCaptureFixture, database: str | None = None) -> AsyncIterator[Serving]:
    """A service of one mailbox with two servers, once both were looked at, its history in SQLite or at a URL of PostgreSQL. It is ended at the end."""
    log.set_level(logging.INFO, "probe")
    async with Pop3Server(pop3.DOVECOT, server_context()) as pop, SmtpServer(smtp_simulated.POSTFIX, server_context()) as smtp:
        one = Serving(folder, pop, smtp, log)
        one.file.write_text(estate_text(pop.port, smtp.port))
        stop = asyncio.Event()
        settings = replace(settings_of(folder, one.file, one.said.append), database=None if database is None else Secret(database))
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(settings, load_estate(one.file), stop, one.reload))
            await one.hears(("began", "profile:branch"))  # neither product is on Microsoft's list
            yield one
            stop.set()
