"""Tests of TLS with servers that do not bear a hello of today, and of what else ends a handshake."""

from __future__ import annotations

import ssl

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Endpoint
from probe.net.dial import Dial, Network
from probe.net.failures import UntrustedPeer
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.transcript import Recorder
from tests.looking import authority, look, server_context
from tests.particular import ParticularServer, has_few_suites, has_no_tls13, suites_of

POP3 = ["S: +OK ready", "C: CAPA", "S: +OK", "S: USER", "S: .", "C: QUIT", "S: +OK bye"]
STLS = ["S: +OK ready", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: STLS", "S: +OK go", "TLS", "C: CAPA", "S: +OK", "S: USER", "S: ."]
STLS += ["C: QUIT", "S: +OK bye"]


def tls12() -> ssl.SSLContext:
    context = authority().issue("localhost").context(highest=ssl.TLSVersion.TLSv1_2)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize("bears", [has_no_tls13, has_few_suites])
@pytest.mark.parametrize("way", ["close", "reset", "alert-40", "alert-50", "alert-70", "alert-80"])
async def test_a_server_that_does_not_bear_a_hello_of_today_is_read_with_an_older_one(bears: object, way: str) -> None:
    """However it refuses what it cannot read, one more connection without TLS 1.3 and with few suites reads it, and that is told."""
    assert callable(bears)
    async with ParticularServer(tls12(), bears, POP3, way).serving() as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.PROTOCOL_GREETING) == "+OK ready"
    assert looked.value(v.TLS_COMPLETED) is True
    assert looked.value(v.TLS_OLDER_HELLO) is True
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert server.connections == 2
    assert len(server.hellos[1]) < 256
    assert suites_of(server.hellos[1]) <= 64
    assert any("once more with one as clients sent it before TLS 1.3" in line.text for line in looked.attempt.transcript)


async def test_it_is_read_after_an_upgrade_too() -> None:
    """Where TLS comes by a command, the whole conversation is held again with the older hello."""
    async with ParticularServer(tls12(), has_no_tls13, STLS).serving() as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.TLS_OLDER_HELLO) is True
    assert looked.value(v.AUTH_MECHANISMS) == ("USER",)


async def test_a_server_that_falls_silent_over_a_hello_of_today_is_read_within_the_time() -> None:
    """Half of the time that is left is given to the first answer, and the other half to the older hello."""
    async with ParticularServer(tls12(), has_no_tls13, POP3, "silent").serving() as server:
        looked = await look(f"pop3s://localhost:{server.port}", timeout=3)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.TLS_OLDER_HELLO) is True


async def test_a_server_that_bears_no_hello_is_asked_twice_and_told_by_the_first() -> None:
    """Where the older hello fares no better, what came of the first is what is told, and no more is sent."""
    async with ParticularServer(tls12(), lambda hello: False, POP3, "alert-40").serving() as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: handshake failure"
    assert server.connections == 2


@pytest.mark.parametrize("way", ["alert-112", "alert-48"])
async def test_an_alert_that_is_not_about_the_hello_is_an_answer(way: str) -> None:
    """What speaks of a name or a certificate is no reason for an older hello."""
    async with ParticularServer(tls12(), lambda hello: False, POP3, way).serving() as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert server.connections == 1
    assert looked.value(v.TLS_COMPLETED) is False
    if way == "alert-112":
        assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: unrecognized name: it does not know the name localhost"


async def test_a_server_of_today_is_read_with_a_hello_of_today() -> None:
    """Nothing is told of an older hello where none was sent."""
    async with ParticularServer(server_context(), lambda hello: True, POP3).serving() as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.value(v.TLS_OLDER_HELLO) is False
    assert server.connections == 1


async def test_credentials_go_over_an_older_hello_only_to_whom_earns_them() -> None:
    """The way for credentials falls back in the same way, and verifies chain and name as strictly."""
    for identity, is_earned in ((authority().issue("localhost"), True), (authority().self_signed("localhost"), False)):
        context = identity.context(highest=ssl.TLSVersion.TLSv1_2)
        async with (
            ParticularServer(context, has_no_tls13, ["S: hello"]).serving() as server,
            Children() as children,
            Deadline(5) as deadline,
        ):
            network = Network(ca_file=authority().ca_file, children=children)
            dial = Dial(Endpoint.parse(f"pop3s://localhost:{server.port}"), network, deadline, Recorder())
            if is_earned:
                async with dial.open_trusted() as stream:
                    assert stream.session is not None
                    assert stream.session.version == "TLSv1.2"
                    assert await stream.receive() == b"hello\r\n"
                assert dial.sends_older_hello
            else:
                with pytest.raises(UntrustedPeer):
                    async with dial.open_trusted():
                        pytest.fail("an untrusted peer was let in")
