"""The client of an authority, for a token that is not for EWS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from probe.model.estate import Endpoint, Secret, authority_endpoint
from probe.net.dial import Dial, Network
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.token_client import TokenClient
from probe.net.transcript import Recorder
from probe.simulation.authorities import Client, EntraAuthority, User
from probe.simulation.web import Request, Response
from probe.wire.oauth import Authority
from tests.exchange_world import ENTRA, OURS, PASSWORD, TENANT, USER, World
from tests.looking import authority

SCOPE = "https://crm.contoso.test/user_impersonation"


class Hearing(EntraAuthority):
    """An Entra ID that gives any user a token, and keeps what it heard."""

    def __init__(self, tls: Any) -> None:
        super().__init__(tls, tenants={"contoso.test": TENANT}, users={USER: User(PASSWORD)}, clients={OURS: Client()})
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(200, (), b'{"access_token": "t"}') if request.method == "POST" else super().answer(request)


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[tuple[TokenClient, Hearing, Dial]]:
    """A client, the authority that it asks, and the attempt that it asks for."""
    async with AsyncExitStack() as stack:
        world = World(stack, folder)
        entra = Hearing(world.tls(ENTRA))
        await world.open_at_443(ENTRA, entra)
        children = await stack.enter_async_context(Children())
        deadline = await stack.enter_async_context(Deadline(20))
        network = Network(hosts=world.hosts, children=children, system_anchors=authority().ca_file)
        dial = Dial(Endpoint.parse("https://crm.contoso.test/"), network, deadline, Recorder())
        yield TokenClient(dial, Authority(authority_endpoint(ENTRA), is_adfs=False)), entra, dial


async def test_a_token_is_asked_for_what_the_caller_names(tmp_path: Path) -> None:
    """Tenant, realm and token are told by an account and a scope alone; each connection counts as one of the attempt's, and nothing is noted."""

    async def first() -> None:
        order.append(f"after {len(entra.asked)} requests")

    order: list[str] = []
    async with asking(tmp_path) as (client, entra, dial):
        found = await client.configuration("contoso.test")
        realm = await client.realm(USER)
        assert found.document is not None
        assert realm.document is not None
        assert (found.document.tenant, realm.document.kind) == (TENANT, "managed")
        answer = await client.by_password(
            tenant=TENANT, client=OURS, username=USER, password=Secret(PASSWORD), scope=SCOPE, resource=None, first=first
        )
        assert (answer.status, answer.document) == (200, "t")
        assert "access_token" not in repr(answer)
        assert order == ["after 2 requests"]
        assert parse_qs(entra.asked[-1].body.decode())["scope"] == [SCOPE]
        assert dial.connections == 3


async def test_what_forbids_the_proof_keeps_it_from_being_sent(tmp_path: Path) -> None:
    """Where the caller's `first` raises, the connection stands and no password is sent over it."""

    async def first() -> None:
        raise PermissionError("not now")

    async with asking(tmp_path) as (client, entra, dial):
        with pytest.raises(PermissionError, match="not now"):
            await client.by_password(tenant=TENANT, client=OURS, username=USER, password=Secret(PASSWORD), scope=SCOPE, first=first)
        assert entra.asked == []
        assert dial.connections == 1
