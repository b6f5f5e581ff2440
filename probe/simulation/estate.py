"""The simulated estate: servers of every make on loopback, and the declaration of the mailboxes behind them.

Hosts carry the names that they would have outside; `Simulation.hosts` leads those names to loopback, so that nothing outside is
contacted. The mailboxes are chosen so that every verdict occurs.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from probe.model.estate import Estate, SecretReference
from probe.model.values import dataclass
from probe.simulation import pop3, releases, smtp
from probe.simulation.authority import Authority, Identity
from probe.simulation.broken import BrokenServer, Silent
from probe.simulation.declaration import declare
from probe.simulation.ews import Account
from probe.simulation.exchange import EWS_DISABLED, ExchangeOnline, ExchangeServer
from probe.simulation.listening import LOOPBACK, Server
from probe.simulation.pop3 import Pop3Server
from probe.simulation.releases import Release
from probe.simulation.smtp import SmtpServer

SERVICE_ACCOUNT = "svc-crm@contoso.test"
SERVICE_PASSWORD = "Correct-Horse-7"

ON_PREMISES = tuple(
    f"{name}@contoso.test"
    for name in ("sales", "service", "board", "finance", "pilot", "depot", "warehouse", "archive", "press", "legal", "retail", "claims")
)
"""The mailboxes of the Exchange organization; the estate declares those of them that say something by themselves."""

# The service account may act as all of them but one: the board was left out of its management scope.
_MAY_ACT_AS = frozenset(ON_PREMISES) - {"board@contoso.test"}

MAILBOX_PASSWORDS = {
    "contoso.events@gmail.com": "abcd efgh ijkl mnop",
    "contoso.jobs@gmail.com": "qrst uvwx yzab cdef",
    "contoso.parts@yahoo.com": "hgfedcbaponmlkji",
    "contoso.fairs@outlook.com": "Battery-Staple-9",
    "orders@fabrikam.test": "Paper-Clip-3",
    "support@tailspin.test": "Rubber-Band-5",
}

# Windows speaks TLS 1.3 from Server 2022 on.
_FIRST_WINDOWS_WITH_TLS_1_3 = (10, 0, 20348)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A running estate. `async with Simulation.start() as sim:` starts it, and ends it with all that it made."""

    hosts: Mapping[str, str]
    """The address of every host name."""
    ca_file: Path
    """The certificate of the authority that issued the servers' certificates."""
    estate: Estate
    """The declaration that an operator would have written."""
    authority: Authority
    """That authority, for adding further servers."""
    servers: Mapping[str, Server]
    """The servers, by what the declaration calls their profile, with `-in` and `-out` where there are two."""

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator[Simulation]:
        """Opens every server on a free port of the loopback address."""
        with tempfile.TemporaryDirectory(prefix="probe-simulation-") as folder:
            authority = Authority(Path(folder))
            secrets = _write_secrets(Path(folder))
            async with AsyncExitStack() as stack:
                opening = _Opening(authority, stack)
                await opening.exchange_servers()
                await opening.exchange_online()
                await opening.mail_providers()
                await opening.others()
                yield cls(opening.hosts, authority.ca_file, declare(opening.urls, secrets, SERVICE_ACCOUNT), authority, opening.servers)


class _Opening:
    """The servers as they open, one after the other."""

    def __init__(self, authority: Authority, stack: AsyncExitStack) -> None:
        self._authority = authority
        self._stack = stack
        self.hosts: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        self.servers: dict[str, Server] = {}

    async def exchange_servers(self) -> None:
        await self._exchange("exchange-2007", releases.EXCHANGE_2007, "ex2007.contoso.test")
        ends_soon = self._authority.issue("ex2010.contoso.test", ends_in=timedelta(days=12))
        await self._exchange("exchange-2010", releases.EXCHANGE_2010, "ex2010.contoso.test", ends_soon)
        expired = self._authority.expired("ex2013.contoso.test")
        await self._exchange("exchange-2013", releases.EXCHANGE_2013, "ex2013.contoso.test", expired)
        await self._exchange("exchange-2016", releases.EXCHANGE_2016, "ex2016.contoso.test")
        await self._exchange("exchange-2019", releases.EXCHANGE_2019, "ex2019.contoso.test")
        await self._exchange("exchange-se", releases.EXCHANGE_SE, "exse.contoso.test")

    async def exchange_online(self) -> None:
        host = "outlook.office365.com"
        await self._open("exchange-online", "https", host, ExchangeOnline(self._tls(host)))
        await self._open("exchange-online-closed", "https", host, ExchangeOnline(self._tls(host), policy_reason=EWS_DISABLED))

    async def mail_providers(self) -> None:
        known = MAILBOX_PASSWORDS
        gmail_in = Pop3Server(pop3.GMAIL, self._tls("pop.gmail.com"), implicit=True, accounts=known)
        await self._open("gmail-in", "pop3s", "pop.gmail.com", gmail_in)
        await self._open("gmail-out", "smtp", "smtp.gmail.com", SmtpServer(smtp.GMAIL, self._tls("smtp.gmail.com"), accounts=known))
        yahoo_in = Pop3Server(pop3.YAHOO, self._tls("pop.mail.yahoo.com"), implicit=True, accounts=known)
        await self._open("yahoo-in", "pop3s", "pop.mail.yahoo.com", yahoo_in)
        yahoo_out = SmtpServer(smtp.YAHOO, self._tls("smtp.mail.yahoo.com"), implicit=True, accounts=known)
        await self._open("yahoo-out", "smtps", "smtp.mail.yahoo.com", yahoo_out)
        outlook_in = Pop3Server(pop3.EXCHANGE_ONLINE, self._tls("outlook.office365.com"), implicit=True)
        await self._open("outlook-com-in", "pop3s", "outlook.office365.com", outlook_in)
        outlook_out = SmtpServer(smtp.OUTLOOK_COM, self._tls("smtp-mail.outlook.com"))
        await self._open("outlook-com-out", "smtp", "smtp-mail.outlook.com", outlook_out)

    async def others(self) -> None:
        tls = self._tls("mail.fabrikam.test")
        await self._open("fabrikam-in", "pop3", "mail.fabrikam.test", Pop3Server(pop3.DOVECOT, tls, accounts=MAILBOX_PASSWORDS))
        await self._open("fabrikam-out", "smtp", "mail.fabrikam.test", SmtpServer(smtp.POSTFIX, tls, accounts=MAILBOX_PASSWORDS))
        await self._open("tailspin-in", "pop3", "mail.tailspin.test", BrokenServer(Silent))
        await self._open("tailspin-out", "smtp", "mail.tailspin.test", BrokenServer(Silent))

    async def _exchange(self, name: str, release: Release, host: str, identity: Identity | None = None) -> None:
        highest = ssl.TLSVersion.TLSv1_3 if release.windows >= _FIRST_WINDOWS_WITH_TLS_1_3 else ssl.TLSVersion.TLSv1_2
        tls = (identity or self._authority.issue(host)).context(highest=highest)
        accounts = {SERVICE_ACCOUNT: Account(password=SERVICE_PASSWORD, may_act_as=_MAY_ACT_AS)}
        await self._open(name, "https", host, ExchangeServer(release, host, tls, accounts=accounts, mailboxes=ON_PREMISES))

    async def _open(self, name: str, scheme: str, host: str, server: Server) -> None:
        self.servers[name] = await self._stack.enter_async_context(server)
        self.hosts[host] = LOOPBACK
        self.urls[name] = f"{scheme}://{host}:{server.port}"

    def _tls(self, host: str) -> ssl.SSLContext:
        return self._authority.issue(host).context()


def _write_secrets(folder: Path) -> dict[str, SecretReference]:
    """The passwords, each in a file of its own that only this user can read, by account."""
    references = {}
    for number, (account, password) in enumerate({SERVICE_ACCOUNT: SERVICE_PASSWORD, **MAILBOX_PASSWORDS}.items()):
        file = folder / f"password-{number}"
        file.touch(mode=0o600)
        file.write_text(password, encoding="utf-8")
        references[account] = SecretReference("file", str(file))
    return references
