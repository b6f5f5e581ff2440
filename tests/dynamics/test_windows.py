"""The simulated Web API under Extended Protection, and the Windows session at its door. Windows is a stand-in below pyspnego's own SSPI provider."""

from __future__ import annotations

import json
import ssl
from functools import partial

import pytest

from probe.dynamics import SignInFailed
from probe.model.estate import Authentication
from probe.simulation.dynamics.organization import Organization
from probe.simulation.dynamics.web_api import DynamicsServer
from probe.wire.channel_binding import end_point_binding
from tests.dynamics.peer import Peer, Way
from tests.ledger import Ledger
from tests.looking import authority
from tests.simulation.dynamics.world import PASSWORD, READER, server
from tests.windows import WindowsSession, ticket_at_windows

NO_SERVICE = 0x80090303
SESSION = WindowsSession(names=(READER.name, READER.principal_name), password=PASSWORD)


class Site:
    """The organization's site, which requires a sign-in to be bound to its certificate."""

    def __init__(self) -> None:
        identity = authority().issue("localhost", "127.0.0.1")
        pem = identity.file.read_text()
        begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        self.certificate = ssl.PEM_cert_to_DER_cert(begin + pem.split(begin)[1].partition(end)[0] + end)
        asked = {
            "target": "HTTP/localhost",
            "delegates": False,
            "binding": (end_point_binding(self.certificate) or b"").hex(),
            "as": "the session",
        }
        self.server: DynamicsServer = server(
            Organization(),
            identity.context(),
            protection="required",
            certificate=self.certificate,
            tickets={json.dumps(asked).encode(): READER.name},
        )

    async def signed_in_by(self, way: Way) -> str:
        """How the way let somebody in. Raises SignInFailed."""
        async with self.server:
            way.url = f"https://localhost:{self.server.port}/{self.server.organization.name}"
            async with way.to(Peer()) as client:
                return client.signed_in_by


async def test_our_ntlm_is_bound_to_the_channel() -> None:
    """Where Extended Protection is required, a password lets in by NTLM."""
    assert await Site().signed_in_by(Way(username=READER.name, password=PASSWORD)) == "ntlm"


async def test_what_is_not_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sign-in without a binding is refused, as one with a wrong password is, and the sentence names Extended Protection."""
    monkeypatch.setattr("probe.dynamics.signing_in.end_point_binding", lambda der: None)
    site = Site()
    with pytest.raises(SignInFailed, match="Extended Protection"):
        await site.signed_in_by(Way(username=READER.name, password=PASSWORD))
    assert list(site.server.logons) == [(READER.name, False)]


async def test_the_session_s_ticket_is_bound_and_not_delegated() -> None:
    """Without user name and password, SSPI is asked for a ticket for the host, for its certificate's channel, and no more."""
    way, site = _of_session(SESSION), Site()
    with SESSION.running():
        assert await site.signed_in_by(way) == "kerberos"
    assert list(site.server.logons) == [(READER.name, True)]


async def test_ntlm_of_the_session_is_bound_too() -> None:
    """Where there is no Kerberos for the server, Windows proves its own account by NTLM, once, and no password is known here."""
    session = WindowsSession(names=SESSION.names, password=PASSWORD, kerberos_failure=NO_SERVICE)
    way, site = _of_session(session), Site()
    with session.running():
        assert await site.signed_in_by(way) == "ntlm"
    assert list(site.server.logons) == [(READER.name, True)]
    assert any("the KDC knows no HTTP/localhost" in line for line in way.lines)


async def test_a_session_that_dynamics_refuses_is_shown_once() -> None:
    """The ledger, which is of passwords that somebody gave, hears of nothing."""
    session = WindowsSession(names=SESSION.names, password="another", kerberos_failure=NO_SERVICE)
    way, site = _of_session(session), Site()
    with session.running(), pytest.raises(SignInFailed, match="the account that runs this program"):
        await site.signed_in_by(way)
    assert list(site.server.logons) == [(READER.name, False)]


def _of_session(session: WindowsSession) -> Way:
    return Way(username=None, authentication=Authentication.NEGOTIATE, fetch=partial(ticket_at_windows, session), proof=Ledger())
