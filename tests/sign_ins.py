"""Two mail servers of one account, which count how often it signs in, and runs over them that share a state folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from probe import app
from probe.config import load_estate
from probe.gate import Gated
from probe.model.attempts import Attempt
from probe.model.runs import Run
from probe.simulation import pop3, smtp
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from tests.config.estates import DEPLOYMENT
from tests.looking import authority, server_context

ADDRESS = "sales@contoso.test"
PASSWORD = "marked-Right-1"
BEGIN = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
LOGINS = ("pop3-login", "smtp-login")


@dataclass
class TwoServers:
    """The servers, the estate's file, and a clock that a test drives."""

    pop: Pop3Server
    smtp: SmtpServer
    folder: Path
    now: datetime = BEGIN
    mailboxes: list[str] = field(default_factory=lambda: [ADDRESS])
    authentication: str = "basic"
    pop_port: int = 0
    """Of a POP3 server of a test's own."""

    @property
    def estate_file(self) -> Path:
        """The estate, written as it is now."""
        boxes = "".join(
            f'[[mailbox]]\naddress = "{address}"\nprofile = "branch"\nincoming = "server-side"\noutgoing = "server-side"\n'
            f'appointments = "none"\nusername = "{ADDRESS}"\npassword = "file:{self.folder / "password"}"\n'
            for address in self.mailboxes
        )
        file = self.folder / "estate.toml"
        file.write_text(
            f"""{DEPLOYMENT}allow = ["logs-in"]
[[profile]]
name = "branch"
server_type = "pop3-smtp"
credentials = "mailbox"
authentication = "{self.authentication}"
incoming = "pop3s://localhost:{self.pop_port or self.pop.port}"
outgoing = "smtps://localhost:{self.smtp.port}"
{boxes}"""
        )
        return file

    def set_password(self, password: str) -> None:
        (self.folder / "password").write_text(password)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    @property
    def logons(self) -> tuple[int, int]:
        """How often somebody signed in to POP3, and to SMTP."""
        return len(self.pop.logons), len(self.smtp.logons)

    def options(self, **more: Any) -> app.Options:
        made = app.Options(timeout=10, ca_file=authority().ca_file, state=self.folder / "state", clock=lambda: self.now, tls="none")
        return replace(made, **more)

    async def check(self, **more: Any) -> Run:
        """A run over the estate, in another process as far as anything is shared."""
        estate = load_estate(self.estate_file)
        return await app.check(estate, estate.mailboxes, self.options(**more))

    async def gate(self, **more: Any) -> Gated:
        """The gate's answer for all of it."""
        estate = load_estate(self.estate_file)
        gated = await app.gate(estate, estate.mailboxes, self.options(**more))
        assert gated is not None
        return gated


@asynccontextmanager
async def two_servers(folder: Path) -> AsyncIterator[TwoServers]:
    """The servers on free ports, and an estate of one mailbox."""
    accounts, tls = {ADDRESS: PASSWORD}, server_context()
    async with (
        Pop3Server(pop3.DOVECOT, tls, implicit=True, accounts=accounts) as pop,
        SmtpServer(smtp.POSTFIX, tls, implicit=True, accounts=accounts) as out,
    ):
        world = TwoServers(pop, out, folder)
        world.set_password(PASSWORD)
        yield world


def logins(run: Run) -> list[Attempt]:
    """Its attempts that sign in, or were to."""
    return [attempt for attempt in run.attempts if attempt.prober in LOGINS]
