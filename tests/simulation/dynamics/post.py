"""Mail servers for the asynchronous service of a simulated organization to test mailboxes with, and a way to have it done."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from probe.simulation import listening, pop3, releases, smtp
from probe.simulation.authority import Authority, Identity
from probe.simulation.dynamics.candidates import AsynchronousServer
from probe.simulation.dynamics.mail_tests import run
from probe.simulation.dynamics.metadata import ENGLISH, MAILBOX
from probe.simulation.dynamics.organization import Organization
from probe.simulation.dynamics.routes import Routes
from probe.simulation.dynamics.service import AsynchronousService, Pace, Test
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer

EXCHANGE = "mail.contoso.test"
POP3, SMTP = "pop.fabrikam.test", "smtp.fabrikam.test"
SERVICE, SERVICE_PASSWORD = "svc-crm@contoso.test", "Correct-Horse-7"
WINDOWS = "svc-async@contoso.test"
SALES, ORDERS, PASSWORD = "sales@contoso.test", "orders@fabrikam.test", "Paper-Clip-3"
EVERYTHING = {"incomingemaildeliverymethod": 2, "outgoingemaildeliverymethod": 2, "actdeliverymethod": 1}
MAIL_ONLY = {**EVERYTHING, "actdeliverymethod": 2}

S = TypeVar("S", bound=listening.Server)


@dataclass
class Post:
    """An organization, its service, and the mail servers, under the names that records have."""

    authority: Authority
    stack: AsyncExitStack
    organization: Organization = field(default_factory=Organization)
    hosts: dict[str, str] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the asynchronous server."""
    timeout: float = 5.0
    delivered: list[tuple[str, str]] = field(default_factory=list)
    """What the SMTP server took: recipient and message."""

    async def open(self, host: str, server: S) -> S:
        """A server under a name."""
        await self.stack.enter_async_context(server)
        self.hosts[host] = listening.LOOPBACK
        return server

    async def exchange(self, identity: Identity | None = None, **settings: Any) -> ExchangeServer:
        """An Exchange Server whose service account may act as everybody."""
        accounts = {
            SERVICE: Account(password=SERVICE_PASSWORD, may_act_as=frozenset({SALES})),
            WINDOWS: Account(password=SERVICE_PASSWORD, may_act_as=frozenset({SALES})),
            SALES: Account(password=PASSWORD, mailbox=SALES),
        }
        given = {"accounts": accounts, "mailboxes": [SALES, "board@contoso.test"], **settings}
        tls = (identity or self.authority.issue(EXCHANGE)).context()
        return await self.open(EXCHANGE, ExchangeServer(releases.EXCHANGE_2019, EXCHANGE, tls, **given))

    async def providers(self, *, implicit: bool, secure: bool = True) -> tuple[Pop3Server, SmtpServer]:
        """A POP3 and an SMTP server, with TLS at once, by an upgrade, or with none."""
        accounts = {ORDERS: PASSWORD}
        pop3_tls = self.authority.issue(POP3).context() if secure else None
        smtp_tls = self.authority.issue(SMTP).context() if secure else None
        makes = (pop3.GMAIL, smtp.GMAIL) if implicit else (pop3.DOVECOT, smtp.POSTFIX) if secure else (_CLEAR_POP3, _CLEAR_SMTP)
        incoming = await self.open(POP3, Pop3Server(makes[0], pop3_tls, implicit=implicit, accounts=accounts))
        outgoing = SmtpServer(makes[1], smtp_tls, implicit=implicit, accounts=accounts)
        outgoing.deliver = lambda recipient, message: self.delivered.append((recipient, message))
        return incoming, await self.open(SMTP, outgoing)

    def exchange_profile(self, server: listening.Server | int, **values: Any) -> str:
        """A profile of the service account with impersonation, by NTLM."""
        port = server if isinstance(server, int) else server.port
        given = {
            "incomingserverlocation": f"https://{EXCHANGE}:{port}/EWS/Exchange.asmx",
            "incomingcredentialretrieval": 1,
            "incomingauthenticationprotocol": 2,
            "incomingusername": SERVICE,
            "incomingpassword": SERVICE_PASSWORD,
            "incominguseimpersonation": True,
        }
        return self.organization.add_profile("Exchange", **{**given, **values})

    def pop3_profile(self, incoming: listening.Server | int, outgoing: listening.Server | int, **values: Any) -> str:
        """A profile of POP3 and SMTP, whose mailboxes have passwords of their own."""
        given = {
            "servertype": 1,
            "incomingserverlocation": POP3,
            "incomingportnumber": incoming if isinstance(incoming, int) else incoming.port,
            "outgoingserverlocation": SMTP,
            "outgoingportnumber": outgoing if isinstance(outgoing, int) else outgoing.port,
        }
        return self.organization.add_profile("Provider", **{**given, **values})

    def sales(self, profile: str | None, **values: Any) -> str:
        return self.organization.add_mailbox(SALES, profile, **{**EVERYTHING, **values})

    def orders(self, profile: str | None, **values: Any) -> str:
        given = {**MAIL_ONLY, "allowemailconnectortousecredentials": True, "username": ORDERS, "password": PASSWORD}
        return self.organization.add_mailbox(ORDERS, profile, **{**given, **values})

    def service(self, *, tries: int = 3, language: int = ENGLISH, test: Test = run) -> AsynchronousService:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(self.authority.ca_file)
        routes = Routes(trust=trust, hosts=self.hosts, ports=self.ports, timeout=self.timeout)
        settings = {"service_account": (WINDOWS, SERVICE_PASSWORD), **self.settings}
        pace = Pace(factor=1e-5, tries=tries)
        return AsynchronousService(
            self.organization, AsynchronousServer(routes=routes, **settings), pace=pace, language=language, test=test
        )

    def schedule(self, mailbox: str) -> None:
        """Puts a mailbox down, as the Web API does."""
        self.organization.update(MAILBOX, mailbox, {"testemailconfigurationscheduled": True})

    async def test_and_enable(self, mailbox: str, **service: Any) -> Mapping[str, Any]:
        """The mailbox's record after its test."""
        async with self.service(**service) as running:
            self.schedule(mailbox)
            await running.settled(mailbox)
        return self.organization.mailboxes[mailbox]

    def told(self, mailbox: str, level: int = 3) -> list[str]:
        """The server error codes of a mailbox's alerts of a level, in their order; the words of those that have none."""
        alerts = [alert for alert in self.organization.alerts(mailbox) if alert["level"] == level]
        return [alert["text"].rpartition("Email Server Error Code: ")[2] for alert in reversed(alerts)]


def outcome(row: Mapping[str, Any]) -> tuple[int, int, int]:
    """The three statuses."""
    return row.get("incomingemailstatus", 0), row.get("outgoingemailstatus", 0), row.get("actstatus", 0)


_CLEAR_POP3 = pop3.Pop3Personality(
    greeting="+OK ready",
    capabilities=("USER",),
    capabilities_secure=(),
    capabilities_heading="+OK",
    unknown="-ERR unknown",
    misplaced="-ERR not now",
    login_in_clear="-ERR not now",
    user_taken="+OK",
    refused="-ERR [AUTH] no",
    welcome="+OK",
    bye="+OK",
)
_CLEAR_SMTP = smtp.SmtpPersonality(
    greeting="220 mail ready",
    hello="welcome",
    extensions=("AUTH LOGIN",),
    extensions_secure=(),
    unknown="500 unknown",
    hello_first="503 not yet",
    tls_first="530 TLS first",
    login_first="530 login first",
    unknown_mechanism="504 unknown",
    refused="535 no",
    refused_token="535 no",
    accepted="235 yes",
    okay="250 ok",
    bye="221 bye",
    tls_ready="220 go",
    tls_is_up="503 no",
)


@asynccontextmanager
async def posting(authority: Authority) -> AsyncIterator[Post]:
    """An organization without records, and no mail servers yet."""
    async with AsyncExitStack() as stack:
        yield Post(authority, stack)
