"""Mail servers that know when they were looked at, and the estate of some of them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from probe.simulation.listening import LOOPBACK
from probe.simulation.mail import MailServer
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from tests.config.estates import DEPLOYMENT
from tests.looking import authority, server_context
from tests.service.hooks import Wanted

UNLISTED = "POP3/SMTP system that is not listed"


class Seen(MailServer[Any]):
    """A server that knows when it was looked at, and can go away and come back on its port."""

    look_begins = b""
    """What a client says once in each look."""

    def __init__(self, personality: Any) -> None:
        super().__init__(personality, server_context(), implicit=True)
        self.looks: list[float] = []

    def heard(self, line: bytes) -> None:
        super().heard(line)
        if line.upper().startswith(self.look_begins):
            self.looks.append(time.time())

    async def change(self, do: Callable[[], None]) -> float:
        """Do something while nobody is connected; when it was done."""
        await self._quiet.wait()
        do()
        return time.time()

    async def come(self) -> None:
        """Listen on the port that it had."""
        self._listening = await asyncio.get_running_loop().create_server(self.converse, LOOPBACK, self.port)

    async def go(self) -> None:
        """Listen no more."""
        await self.__aexit__(None, None, None)


class SeenPop3(Seen, Pop3Server):
    look_begins = b"CAPA"


class SeenSmtp(Seen, SmtpServer):
    look_begins = b"EHLO"


def estate_text(hook: Path, *ends: tuple[Seen, Seen]) -> str:
    """Profiles `p0` and so on with a mailbox each, of pairs of servers for POP3 and SMTP."""
    head = f'{DEPLOYMENT}[schedule]\nquick = "1s"\nposture = "off"\n[alerts]\nto = ["file:{hook}"]\n'
    profiles = (
        f"""
[[profile]]
name = "p{number}"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "pop3s://localhost:{incoming.port}"
outgoing = "smtps://localhost:{outgoing.port}"
"""
        for number, (incoming, outgoing) in enumerate(ends)
    )
    mailboxes = (
        f"""
[[mailbox]]
address = "m@p{number}.contoso.test"
profile = "p{number}"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""
        for number in range(len(ends))
    )
    return "".join((head, *profiles, *mailboxes))


def url_of(server: Seen) -> str:
    return f"{'pop3s' if isinstance(server, Pop3Server) else 'smtps'}://localhost:{server.port}"


def certificate(days: int) -> ssl.SSLContext:
    """A server's settings with another certificate, which is valid for so many days from now on."""
    return authority().issue("localhost", "127.0.0.1", ends_in=timedelta(days=days)).context()


def unlisted(profile: str) -> Wanted:
    """That neither server of a profile is on Microsoft's list."""
    return Wanted("WARNING", UNLISTED, (f"Server profiles: {profile}", f"Cause: {UNLISTED}"))
