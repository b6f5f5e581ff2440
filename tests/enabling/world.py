"""An organization with many mailboxes of one Exchange Server, as the command line meets it: all on loopback, Dynamics without TLS."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probe.simulation import releases
from probe.simulation.authority import Authority
from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.candidates import AsynchronousServer, Candidate
from probe.simulation.dynamics.organization import Organization, SystemUser
from probe.simulation.dynamics.routes import Routes
from probe.simulation.dynamics.service import AsynchronousService, Pace
from probe.simulation.dynamics.signing_in import Windows
from probe.simulation.dynamics.web_api import DynamicsServer
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer
from probe.simulation.ntlm import WindowsHost
from tests.command import environment
from tests.config.estates import DEPLOYMENT

PASSWORD = "Paper-Lantern-5"
USER = SystemUser(name="CONTOSO\\svc-probe", password=PASSWORD)
FLAG = {"testemailconfigurationscheduled": True}
GO = ("--accept", "not-signed-in", "--tls", "none")
"""Nobody signs in to the Exchange Server, which is let pass."""
AT_ONCE = ("--enable", "--yes", "--pause", "0")

_ESTATE = (
    DEPLOYMENT
    + """{allow}
[dynamics]
url = "http://127.0.0.1:{dynamics}/Contoso"
plain_http = true
authentication = "ntlm"
username = 'CONTOSO\\svc-probe'
password = "env:CRM_PASSWORD"
{organization}
{from_page}
[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://127.0.0.1:{exchange}/EWS/Exchange.asmx"
authentication = "ntlm"
credentials = "profile"
impersonation = true
username = "svc@contoso.test"
password = "env:EWS_PASSWORD"
"""
)
_MAILBOX = """
[[mailbox]]
address = "{address}"
profile = "corp"
incoming = "server-side"
outgoing = "server-side"
appointments = "{appointments}"
"""


def address(number: int) -> str:
    """The address of a mailbox of the world."""
    return f"m{number:03}@contoso.test"


@dataclass
class Ended:
    """A command that has come to its end."""

    code: int
    out: str
    err: str


@dataclass
class World:
    """What runs. Tests change `failing` and the organization's records as they like."""

    folder: Path
    organization: Organization
    server: DynamicsServer
    service: AsynchronousService
    failing: set[str]
    """Addresses whose outgoing mail does not work."""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def sent(self) -> list[str]:
        """The id of each mailbox whose row was changed, in that order."""
        assert all((write.changes, write.if_match) == (FLAG, "*") for write in self.organization.writes)
        return [write.identifier for write in self.organization.writes if write.status == 204]

    @property
    def audit(self) -> str:
        file = self.state / "audit.jsonl"
        return file.read_text() if file.exists() else ""

    def id_of(self, number: int) -> str:
        return next(one for one, row in self.organization.mailboxes.items() if row["emailaddress"] == address(number))

    async def begun(self, *arguments: str, terminal: int | None = None, **more: str) -> asyncio.subprocess.Process:
        """`probe gate estate.toml` with these arguments, begun; on a terminal, where its descriptor is given."""
        return await self._begun("gate", "estate.toml", "--ca", "ca.pem", *arguments, terminal=terminal, **more)

    async def _begun(self, *arguments: str, terminal: int | None = None, **more: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "probe", *arguments),
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL if terminal is None else terminal,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if terminal is None else terminal,
            env=environment(PROBE_STATE_DIR=str(self.state), CRM_PASSWORD=PASSWORD, EWS_PASSWORD="Correct-Horse-7", **more),
        )

    async def gate(self, *arguments: str, **more: str) -> Ended:
        """The same, to its end."""
        return await self._ended(await self.begun(*arguments, terminal=None, **more))

    async def history(self, *arguments: str) -> Ended:
        """`probe history estate.toml` with these arguments, to its end."""
        return await self._ended(await self._begun("history", "estate.toml", *arguments))

    @staticmethod
    async def _ended(process: asyncio.subprocess.Process) -> Ended:
        out, err = await asyncio.wait_for(process.communicate(), 100)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def organized(
    folder: Path,
    mailboxes: int,
    *,
    pace: float = 1e-4,
    tries: int = 1,
    appointments: Sequence[int] = (),
    bound: str | None = "",
    signs_in: bool = False,
    from_page: bool = False,
) -> AsyncIterator[World]:
    """A world of so many mailboxes; `appointments` of these are synchronized too. `bound` is the organization that the estate binds; empty: this one.

    `signs_in`: whether the estate allows sign-ins and the Exchange Server has the account of the profile. `from_page`: whether the page may enable.
    """
    addresses = frozenset(map(address, range(mailboxes)))
    accounts = {"svc@contoso.test": Account(password="Correct-Horse-7", may_act_as=addresses)} if signs_in else {}
    failing: set[str] = set()

    def test(candidate: Candidate, workload: Workload, _server: AsynchronousServer) -> Mapping[str, Any]:
        if workload is Workload.OUTGOING and candidate.address in failing:
            raise Failure(Words.CREDENTIALS, "Http server returned 401 Unauthorized exception.", permanent=tries == 1)
        return {}

    async with AsyncExitStack() as stack:
        authority = Authority(folder)
        identity = authority.issue("127.0.0.1")
        exchange = await stack.enter_async_context(
            ExchangeServer(
                releases.EXCHANGE_2019, "127.0.0.1", identity.context(), accounts=accounts, mailboxes=addresses if signs_in else ()
            )
        )
        organization = Organization()
        profile = organization.add_profile(
            "corp",
            exchangeversion=5,
            incomingserverlocation=f"https://127.0.0.1:{exchange.port}/EWS/Exchange.asmx",
            incomingauthenticationprotocol=2,
            incomingcredentialretrieval=1,
            incominguseimpersonation=True,
            incomingusername="svc@contoso.test",
            incomingpassword="Correct-Horse-7",
        )
        for number in range(mailboxes):
            act = 1 if number in appointments else 2
            served = {"incomingemaildeliverymethod": 2, "outgoingemaildeliverymethod": 2, "actdeliverymethod": act}
            disabled = dict.fromkeys(("enabledforincomingemail", "enabledforoutgoingemail", "enabledforact"), False)
            organization.add_mailbox(address(number), profile, emailrouteraccessapproval=1, **served, **disabled)
        windows = Windows(host=WindowsHost(computer="127.0.0.1", domain="contoso.test", version=(10, 0, 17763)))
        server = await stack.enter_async_context(DynamicsServer(organization, users=(USER,), windows=windows))
        asynchronous = AsynchronousServer(routes=Routes(trust=identity.context()))
        service = await stack.enter_async_context(
            AsynchronousService(organization, asynchronous, pace=Pace(factor=pace, tries=tries), test=test)
        )
        named = {None: "", "": f'organization = "{organization.id} Contoso"'}.get(bound, f'organization = "{bound}"')
        text = _ESTATE.format(
            dynamics=server.port,
            exchange=exchange.port,
            organization=named,
            allow='allow = ["logs-in"]' if signs_in else "",
            from_page="enable_from_page = true" if from_page else "",
        )
        for number in range(mailboxes):
            text += _MAILBOX.format(address=address(number), appointments="server-side" if number in appointments else "none")
        (folder / "estate.toml").write_text(text)
        (folder / "ca.pem").write_bytes(authority.ca_file.read_bytes())
        yield World(folder, organization, server, service, failing)
