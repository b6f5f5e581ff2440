"""What the simulated asynchronous service does at Dovecot and Exim, which nobody here has written."""

from __future__ import annotations

import ssl

import pytest

from probe.simulation.dynamics.candidates import AsynchronousServer
from probe.simulation.dynamics.metadata import MAILBOX
from probe.simulation.dynamics.organization import Organization
from probe.simulation.dynamics.routes import Routes
from probe.simulation.dynamics.service import AsynchronousService, Pace
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.simulation.dynamics.post import outcome

POP3, IMAP = 1, 4


async def _outcome(dovecot: Dovecot, exim: Exim, server_type: int, incoming: int, outgoing: int, password: str) -> tuple[int, int, int]:
    organization = Organization()
    profile = organization.add_profile(
        "Debian",
        servertype=server_type,
        incomingserverlocation=dovecot.host,
        incomingportnumber=incoming,
        outgoingserverlocation=exim.host,
        outgoingportnumber=outgoing,
    )
    account = {"allowemailconnectortousecredentials": True, "username": dovecot.username, "password": password}
    mailbox = organization.add_mailbox(dovecot.username, profile, **account)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.load_verify_locations(dovecot.ca_file)
    routes = Routes(trust=trust, hosts={exim.host: "127.0.0.1", dovecot.host: "127.0.0.1"})
    async with AsynchronousService(organization, AsynchronousServer(routes=routes), pace=Pace(factor=0, tries=1)) as service:
        organization.update(MAILBOX, mailbox, {"testemailconfigurationscheduled": True})
        await service.settled()
    return outcome(organization.mailboxes[mailbox])


@pytest.mark.parametrize("kind", ["pop3", "imap"])
@pytest.mark.parametrize("implicit", [True, False], ids=["TLS at once", "upgrade"])
async def test_a_mailbox_that_is_in_order(kind: str, implicit: bool, dovecot: Dovecot, exim: Exim) -> None:
    """POP3, IMAP and SMTP pass with the right password, with TLS at once and by an upgrade."""
    incoming = getattr(dovecot, f"{kind}{'s' if implicit else ''}_port")
    outgoing = exim.smtps_port if implicit else exim.smtp_port
    server_type = POP3 if kind == "pop3" else IMAP
    assert await _outcome(dovecot, exim, server_type, incoming, outgoing, dovecot.password) == (1, 1, 0)


@pytest.mark.parametrize("kind", ["pop3", "imap"])
async def test_a_wrong_password(kind: str, dovecot: Dovecot, exim: Exim) -> None:
    """A wrong password fails both directions."""
    incoming = getattr(dovecot, f"{kind}s_port")
    server_type = POP3 if kind == "pop3" else IMAP
    assert await _outcome(dovecot, exim, server_type, incoming, exim.smtps_port, "wrong") == (2, 2, 0)
