"""A small organization, its users, and a server for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from probe.simulation.dynamics.organization import Organization, SystemUser
from probe.simulation.dynamics.signing_in import Windows
from probe.simulation.dynamics.web_api import DynamicsServer
from probe.simulation.ntlm import WindowsHost
from tests.simulation.dynamics.caller import Caller

T = TypeVar("T")

PASSWORD = "Probe-Pässword-1"
READER = SystemUser(name="CONTOSO\\svc-probe", principal_name="svc-probe@contoso.test", password=PASSWORD)
LIMITED = SystemUser(
    name="CONTOSO\\limited",
    password=PASSWORD,
    lacks=frozenset({"prvReadMailbox", "prvWriteMailbox", "prvReadActivity", "prvReadEntity"}),
)
STRANGER = SystemUser(name="CONTOSO\\stranger", password=PASSWORD, member=False)
HOST = WindowsHost(computer="crm.contoso.test", domain="contoso.test", version=(10, 0, 17763))


def server(organization: Organization, tls: ssl.SSLContext | None = None, **settings: Any) -> DynamicsServer:
    """A server on premises, with Windows authentication."""
    windows = {name: settings.pop(name) for name in ("schemes", "certificate", "protection", "tickets") if name in settings}
    return DynamicsServer(organization, tls, users=(READER, LIMITED, STRANGER), windows=Windows(host=HOST, **windows), **settings)


async def asked(
    server: DynamicsServer, questions: Callable[[Caller], T], *, user: SystemUser | None = READER, trust: ssl.SSLContext | None = None
) -> T:
    """What questions over one connection came to, which a user signed in; None for nobody."""

    def call() -> T:
        with Caller(server.port, trust) as caller:
            if user is not None:
                assert caller.sign_in(user.name, user.password).status != 401
            return questions(caller)

    return await asyncio.to_thread(call)
