"""A mailbox and the servers that it depends on, simulated on loopback under the names that they have outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from probe import app
from probe.document import publish
from probe.model.estate import (
    Authentication,
    Cloud,
    Credentials,
    Delivery,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    SecretReference,
    ServerProfile,
    ServerType,
)
from probe.model.facts import Fact, Missing
from probe.model.keys import FactKey
from probe.model.runs import Run
from probe.net.names import NameServer
from probe.simulation.authorities import Client, EntraAuthority, User
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeOnline
from probe.simulation.listening import Server
from probe.simulation.web import Request, Response, WebServer
from tests.estates import DEPLOYMENT
from tests.looking import authority

USER, PASSWORD = "anna@contoso.test", "marked-Correct-Horse-7"
TENANT = "0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11"
ENTRA, ONLINE, ADFS, ON_PREMISES = "login.microsoftonline.com", "outlook.office365.com", "adfs.contoso.test", "mail.contoso.test"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
OURS = "6731de76-14a6-49ae-97bc-6eba6914391e"


class Anything(WebServer):
    """A server that answers every request alike, and keeps what it heard."""

    def __init__(self, tls: Any, response: Response = Response(200)) -> None:  # noqa: B008 - a frozen value
        super().__init__(tls)
        self.response = response
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response


@dataclass
class World:
    """Servers on loopback under the names that they have outside, and a mailbox that signs in by token."""

    stack: AsyncExitStack
    folder: Path
    hosts: dict[str, str] = field(default_factory=dict)

    async def open(self, host: str, server: Server) -> str:
        """Opens a server under a name; gives its origin."""
        await self.stack.enter_async_context(server)
        self.hosts[host] = "127.0.0.1"
        return f"https://{host}:{server.port}"

    async def open_at_443(self, host: str, server: Server) -> str:
        """Opens a server where port 443 of a name leads to; gives its origin."""
        await self.stack.enter_async_context(server)
        self.hosts[host] = f"127.0.0.1:{server.port}"
        return f"https://{host}"

    def tls(self, host: str) -> Any:
        return authority().issue(host).context()

    async def entra(self, **users: Any) -> tuple[EntraAuthority, str]:
        """The worldwide Entra ID with one tenant, whose user is as said."""
        return await self.entra_at(ENTRA, **users)

    async def entra_at(self, host: str, **users: Any) -> tuple[EntraAuthority, str]:
        """As `entra`, under another name."""
        user = User(**{"password": PASSWORD, **users})
        clients = {AZURE_CLI: Client(), OURS: Client(secret="marked-Secret-1")}
        server = EntraAuthority(self.tls(host), tenants={"contoso.test": TENANT}, users={USER: user}, clients=clients)
        return server, await self.open_at_443(host, server)

    async def online(
        self, origin: str, entra: EntraAuthority | None = None, *, host: str = ONLINE, **more: Any
    ) -> tuple[ExchangeOnline, str]:
        """An Exchange Online that sends for its tokens to an authority."""
        accounts = {USER: Account(password="", mailbox=USER), OURS: Account(password="", may_act_as=frozenset({USER}))}
        holder = (lambda token: None) if entra is None else entra.holder
        server = ExchangeOnline(self.tls(host), authority=origin, accounts=accounts, mailboxes=[USER], token_holder=holder, **more)
        return server, await self.open(host, server)

    def secret(self, text: str) -> SecretReference:
        file = self.folder / f"secret-{len(list(self.folder.iterdir()))}"
        file.write_text(text)
        return SecretReference("file", str(file))

    async def check(
        self,
        ews: str,
        *,
        authorities: tuple[str, ...] = (),
        cloud: Cloud = Cloud.WORLDWIDE,
        trusts_entra: bool = True,
        password: str = PASSWORD,
        state: Path | None = None,
        password_of_profile: str | None = None,
        name_server: NameServer | None = None,
        location: Location | None = None,
        appointments: Delivery = Delivery.SERVER_SIDE,
        allow: frozenset[Effect] = frozenset({Effect.LOGS_IN}),
        clock: Callable[[], datetime] = app.now,
        timeout: float = 90,  # the first child waits for the fork server to load, which may take more than 15 s on a busy machine
        **profile: Any,
    ) -> Run:
        """A run over the one mailbox; the profile has OAuth and the mailbox's own credentials, unless said otherwise.

        `trusts_entra`: whether the system's own anchors vouch for the simulated Entra ID, for which `--ca` does not.
        """
        endpoint = Endpoint.parse(ews)
        if password_of_profile is not None:
            profile["password"] = self.secret(password_of_profile)
        made = ServerProfile(
            **{
                "name": "cloud",
                "server_type": ServerType.EXCHANGE_ONLINE,
                "incoming": endpoint,
                "outgoing": endpoint,
                "authentication": Authentication.OAUTH,
                "credentials": Credentials.MAILBOX,
                **profile,
            }
        )
        everything = Delivery.SERVER_SIDE
        mailbox = Mailbox(
            address=USER,
            profile="cloud",
            incoming=everything,
            outgoing=everything,
            appointments=appointments,
            username=USER,
            password=self.secret(password),
            location=location,
        )
        deployment = replace(DEPLOYMENT, allow=allow, authorities=authorities, cloud=cloud)
        estate = Estate(deployment=deployment, profiles=(made,), mailboxes=(mailbox,))
        bugs: list[str] = []
        options = app.Options(
            timeout=timeout,
            hosts=self.hosts,
            ca_file=authority().ca_file,
            system_anchors=authority().ca_file if trusts_entra else None,
            state=state,
            clock=clock,
            report_bug=bugs.append,
            name_server=name_server,
            tls="none",
        )
        run = await app.check(estate, estate.mailboxes, options)
        assert not bugs, bugs
        document = json.dumps(publish(run))
        assert "marked-" not in document
        return run


def reading(run: Run, key: FactKey[Any]) -> Any:
    """The value of a key that has one reading of the mailbox, or the reason why it has none."""
    found = [r for r in run.readings if r.key == key and (r.mailbox == USER or r.subject == USER)]
    facts = [r.value for r in found if isinstance(r, Fact)]
    return facts[0] if facts else next(str(r.why) for r in found if isinstance(r, Missing))


def login(run: Run) -> Any:
    (attempt,) = [a for a in run.attempts if a.prober == "ews-inbox"]
    return attempt
