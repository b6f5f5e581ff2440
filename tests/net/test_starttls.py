"""Tests of coming to the point where a TLS hello may be sent."""

from __future__ import annotations

import pytest

from probe.model.estate import Endpoint
from probe.net.dial import Dial, Network
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.starttls import NoUpgrade, come_to_tls
from probe.net.transcript import Recorder
from tests.looking import authority, playing
from tests.scripted import ScriptedServer


async def come(scheme: str, *steps: str) -> ScriptedServer:
    """Come to TLS at a server that plays these steps."""
    async with playing(list(steps), implicit=False) as server, Children() as children:
        network = Network(ca_file=authority().ca_file, children=children)
        async with Deadline(5) as deadline:
            dial = Dial(Endpoint.parse(f"{scheme}://127.0.0.1:{server.port}"), network, deadline, Recorder())
            async with dial.open_bare() as stream:
                await come_to_tls(stream, dial.endpoint.service, dial.endpoint.security)
        return server


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3", ["S: +OK ready", "C: STLS", "S: +OK go"]),
        ("smtp", ["S: 220-two lines", "S: 220 ready", "C: EHLO [127.0.0.1]", "S: 250-mx", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go"]),
        ("imap", ["S: * OK ready", "C: a1 STARTTLS", "S: * CAPABILITY IMAP4rev1", "S: a1 OK go"]),
    ],
)
async def test_each_service_is_upgraded_in_its_own_words(scheme: str, steps: list[str]) -> None:
    """Greeting, the least that the service wants said, and its consent: nothing is sent before the reply to what came before."""
    server = await come(scheme, *steps)
    assert server.departures == []


@pytest.mark.parametrize(
    ("scheme", "steps", "failure"),
    [
        ("pop3", ["S: -ERR [IN-USE] busy"], Throttled),
        ("pop3", ["S: -ERR go away"], Denied),
        ("pop3", ["S: SSH-2.0-OpenSSH"], OffProtocol),
        ("pop3", ["S: +OK", "C: STLS", "S: -ERR unknown command"], NoUpgrade),
        ("pop3", ["S: +OK", "C: STLS", "S: -ERR [SYS/TEMP] later"], Throttled),
        ("pop3", ["S: +OK", "C: STLS"], PeerClosed),
        ("smtp", ["S: 421 too many connections"], Throttled),
        ("smtp", ["S: 554 no service here"], Denied),
        ("smtp", ["S: hello"], OffProtocol),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 502 no"], NoUpgrade),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 500 what", "C: EHLO*", "S: 502 no"], NoUpgrade),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 501 no address", "C: EHLO*", "S: 550 no name"], Denied),
        ("smtp", ["S: 550 black ip."], Denied),
        ("imap", ["S: * NO not you"], Denied),
        ("imap", ["S: * BYE go away"], Denied),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 450 later"], Throttled),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 250 mx", "C: STARTTLS", "S: 454 TLS not available"], Throttled),
        ("smtp", ["S: 220 mx", "C: EHLO*", "S: 250 mx", "C: STARTTLS", "S: 502 no"], NoUpgrade),
        ("imap", ["S: * BYE too many"], Throttled),
        ("imap", ["S: * PREAUTH welcome"], NoUpgrade),
        ("imap", ["S: +OK not imap"], OffProtocol),
        ("imap", ["S: * OK", "C: a1 STARTTLS", "S: a1 BAD unknown"], NoUpgrade),
        ("imap", ["S: * OK", "C: a1 STARTTLS", "S: * BYE later"], Throttled),
        ("imap", ["S: * OK", "C: a1 STARTTLS", "S: what"], OffProtocol),
    ],
)
async def test_a_refusal_a_later_and_nonsense_are_told_apart(scheme: str, steps: list[str], failure: type[PeerFailure]) -> None:
    """What a server will not, what it will not now, and what is not the protocol are different failures."""
    with pytest.raises(failure):
        await come(scheme, *steps)


async def test_words_after_the_consent_are_not_taken_for_tls() -> None:
    """Bytes in clear behind the consent end the attempt: whoever injects them must not be believed."""
    with pytest.raises(OffProtocol, match="went on in clear"):
        await come("pop3", "S: +OK", "C: STLS", "S: +OK go", "S: +OK more")


async def test_endless_talk_before_tls_ends() -> None:
    """A server that never comes to its consent is left after a bounded number of lines."""
    with pytest.raises(OffProtocol, match="more than 200 lines"):
        await come("imap", "S: * OK", "C: a1 STARTTLS", *["S: * OK still thinking"] * 300)
