"""What asking for a token tells the ledger: when a proof left, and how it ended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from probe.model.estate import Authentication, Cloud, Endpoint, Secret
from probe.net.dial import Dial, Network
from probe.net.failures import PeerFailure
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.transcript import Recorder
from probe.probing import Account, Application, Ending, NotClaimed, Notebook, Unrecorded
from probe.probing.authority import NoToken, allowed_authority, askable, token_by_application, token_by_password
from probe.simulation.authorities import Client, EntraAuthority, User
from probe.simulation.web import Request, Response
from tests.exchange_world import ADFS, AZURE_CLI, ENTRA, OURS, PASSWORD, TENANT, USER, World
from tests.looking import authority

RESOURCE = "https://mail.contoso.test"
ACCOUNT = Account(USER, USER, Secret(PASSWORD), Authentication.OAUTH, impersonates=False)
APPLICATION = replace(
    ACCOUNT, username=OURS, password=Secret("marked-Secret-1"), application=Application(OURS, "contoso.test", signs_in=True)
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, tmp_path)


class Ledger(Unrecorded):
    """A record of what one attempt told, in order; `requests` is how many the authority had heard by then."""

    def __init__(self, heard: list[Request], *, forbids: bool = False) -> None:
        self.told: list[str] = []
        self._heard = heard
        self._forbids = forbids

    async def claim(self) -> None:
        if self._forbids:
            raise NotClaimed("it must not be tried now")
        self.told.append(f"claimed after {len(self._heard)} requests")

    async def release(self) -> None:
        self.told.append("released")

    async def end(self, ending: Ending) -> None:
        self.told.append(ending)


class Answering(EntraAuthority):
    """An Entra ID that answers a token request as it is told, and keeps what it heard."""

    def __init__(self, tls: Any, token: Response | None = None, configuration: Response | None = None) -> None:
        super().__init__(tls, tenants={"contoso.test": TENANT}, users={USER: User(PASSWORD)}, clients={AZURE_CLI: Client()})
        self.heard_requests: list[Request] = []
        self._token_answer = token
        self._configuration_answer = configuration

    def answer(self, request: Request) -> Response:
        self.heard_requests.append(request)
        given = self._token_answer if request.method == "POST" else self._configuration_answer
        return given or super().answer(request)


@asynccontextmanager
async def asking(world: World) -> AsyncIterator[tuple[Dial, Notebook]]:
    """The way to an Exchange, whose authority is asked, and the notes of the attempt."""
    async with Children() as children, Deadline(20) as deadline:
        network = Network(hosts=world.hosts, children=children, system_anchors=authority().ca_file)
        endpoint = Endpoint.parse(f"{RESOURCE}/EWS/Exchange.asmx")
        yield Dial(endpoint, network, deadline, Recorder()), Notebook("1", endpoint.url, USER, lambda: datetime(2026, 11, 28, tzinfo=UTC))


async def came_of(world: World, entra: Answering, account: Account, ledger: Ledger) -> str | NoToken | PeerFailure:
    """What comes of asking for a token."""
    await world.open_at_443(ENTRA, entra)
    account = replace(account, proof=ledger)
    found = allowed_authority(account, f"https://{ENTRA}/common")
    assert not isinstance(found, NoToken)
    ask = token_by_application if account.application is not None else token_by_password
    async with asking(world) as (dial, notes):
        try:
            return await ask(account, dial, notes, found, RESOURCE)
        except PeerFailure as failure:
            return failure


def refusal(error: str, *codes: int, status: int = 400) -> Response:
    return Response(status, (), json.dumps({"error": error, "error_codes": codes}).encode())


ENDINGS: dict[str, tuple[Response, Ending, Ending]] = {
    # The answer, how it ends a password, and how an application's secret.
    "token": (Response(200, (), b'{"access_token": "t", "token_type": "Bearer", "expires_in": 9}'), Ending.ACCEPTED, Ending.ACCEPTED),
    "invalid_grant": (refusal("invalid_grant"), Ending.REFUSED, Ending.REFUSED),
    "invalid_grant at 401": (refusal("invalid_grant", status=401), Ending.REFUSED, Ending.REFUSED),
    "invalid_grant at 200": (refusal("invalid_grant", status=200), Ending.REFUSED, Ending.REFUSED),
    "wrong password": (refusal("invalid_grant", 50126), Ending.REFUSED, Ending.REFUSED),
    "second factor": (refusal("interaction_required", 50076), Ending.REFUSED, Ending.REFUSED),
    "locked": (refusal("invalid_request", 50053), Ending.REFUSED, Ending.REFUSED),
    "wrong secret": (refusal("invalid_client", 7000215, status=401), Ending.REFUSED, Ending.REFUSED),
    "invalid_client": (refusal("invalid_client", status=401), Ending.TURNED_DOWN, Ending.REFUSED),
    "agent away": (refusal("invalid_grant", 80002), Ending.UNSEEN, Ending.UNSEEN),
    "no consent": (refusal("invalid_grant", 65001), Ending.TURNED_DOWN, Ending.TURNED_DOWN),
    "unknown number": (refusal("invalid_grant", 59999), Ending.REFUSED, Ending.REFUSED),
    "server_error": (refusal("server_error"), Ending.UNSEEN, Ending.UNSEEN),
    "temporarily_unavailable": (refusal("temporarily_unavailable"), Ending.UNSEEN, Ending.UNSEEN),
    "access_denied": (refusal("access_denied"), Ending.TURNED_DOWN, Ending.TURNED_DOWN),
    "forbidden": (refusal("forbidden", status=403), Ending.TURNED_DOWN, Ending.TURNED_DOWN),
    "403 page": (Response(403, (), b"<html>"), Ending.TURNED_DOWN, Ending.TURNED_DOWN),
    "429": (refusal("invalid_grant", status=429), Ending.UNSEEN, Ending.UNSEEN),
    "500": (refusal("invalid_grant", status=500), Ending.UNSEEN, Ending.UNSEEN),
    "503": (Response(503), Ending.UNSEEN, Ending.UNSEEN),
    "302": (Response(302, (("Location", "/"),), b"{}"), Ending.UNSEEN, Ending.UNSEEN),
    "page": (Response(200, (), b"<html>"), Ending.UNSEEN, Ending.UNSEEN),
    "token at 400": (Response(400, (), b'{"access_token": "t"}'), Ending.TURNED_DOWN, Ending.TURNED_DOWN),
}


@pytest.mark.parametrize(("answer", "by_password", "by_itself"), ENDINGS.values(), ids=ENDINGS)
async def test_a_sign_in_ends_by_codes_alone(world: World, answer: Response, by_password: Ending, by_itself: Ending) -> None:
    """A token accepts; what names the credential refuses; another refusal turns down; what is no answer, or is none for now, leaves the end unseen."""
    for account, ending, before in ((ACCOUNT, by_password, 2), (APPLICATION, by_itself, 0)):
        entra = Answering(world.tls(ENTRA), token=answer)
        ledger = Ledger(entra.heard_requests)
        await came_of(world, entra, account, ledger)
        assert ledger.told == [f"claimed after {before} requests", ending]


@pytest.mark.parametrize("configuration", [Response(404), Response(500), Response(200, (), b"{}"), Response(200, (), b"[")])
async def test_nothing_is_claimed_where_no_proof_left(world: World, configuration: Response) -> None:
    """An authority that gives no configuration is sent no password, so that none is claimed; an application's claim is taken back."""
    for account, told in ((ACCOUNT, []), (APPLICATION, ["claimed after 0 requests", "released"])):
        entra = Answering(world.tls(ENTRA), configuration=configuration)
        ledger = Ledger(entra.heard_requests)
        assert isinstance(await came_of(world, entra, account, ledger), PeerFailure)
        assert ledger.told == told


@pytest.mark.parametrize("account", [ACCOUNT, APPLICATION], ids=["password", "application"])
async def test_a_proof_that_is_not_granted_does_not_leave(world: World, account: Account) -> None:
    """Where the ledger forbids it, the token is not asked for."""
    entra = Answering(world.tls(ENTRA))
    came = await came_of(world, entra, account, Ledger(entra.heard_requests, forbids=True))
    assert isinstance(came, NotClaimed)
    assert "POST" not in {request.method for request in entra.heard_requests}


@pytest.mark.parametrize(
    ("url", "cloud", "authorities", "may_ask"),
    [
        (
            "https://mail.contoso.test",
            Cloud.WORLDWIDE,
            (ADFS, "sts.contoso.test:8443"),
            ("login.microsoft.com", "login.microsoftonline.com", "login.windows.net", "sts.windows.net", ADFS, "sts.contoso.test:8443"),
        ),
        ("https://mail.contoso.test", Cloud.US_DOD, ("login.windows.net",), ("login.microsoftonline.us",)),
        ("https://partner.outlook.cn", Cloud.CHINA, (), ("login.chinacloudapi.cn", "login.partner.microsoftonline.cn")),
        ("https://partner.outlook.cn", Cloud.WORLDWIDE, (ADFS,), ()),
    ],
)
def test_who_may_be_asked_is_known_beforehand(url: str, cloud: Cloud, authorities: tuple[str, ...], may_ask: tuple[str, ...]) -> None:
    """It is the cloud's Entra ID and the estate's own authorities, each of which is allowed when it is named, and nobody else."""
    endpoint = Endpoint.parse(url)
    assert askable(endpoint, cloud, authorities) == may_ask
    account = replace(ACCOUNT, cloud=cloud, authorities=frozenset(authorities))
    assert not any(isinstance(allowed_authority(account, f"https://{host}/"), NoToken) for host in may_ask)
