"""Hostile servers: each look ends in time, with a clear outcome, and keeps what was learnt before."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Why
from tests.hostile import Hostile, closed_port
from tests.looking import look

SCHEMES = ("pop3", "pop3s", "smtp", "smtps", "imap", "imaps", "https", "tls")
GREETINGS = {"pop3": b"+OK ready\r\n", "smtp": b"220 mail.example.test ready\r\n", "imap": b"* OK ready\r\n"}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_silent_server_ends_at_the_timeout(scheme: str) -> None:
    """Silence is a time-out, not a refusal."""
    async with Hostile().serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=0.5)
    assert looked.attempt.outcome is Outcome.TIMED_OUT
    assert looked.attempt.seconds < 3
    assert looked.why(v.TLS_NEGOTIATED) == "timed-out"
    assert looked.value(v.NET_CONNECTED) is True


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_dripping_server_ends_at_the_timeout(scheme: str) -> None:
    """A byte now and then does not move the deadline."""
    async with Hostile(again=b"2", pause=0.05).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=0.6)
    assert looked.attempt.outcome in (Outcome.TIMED_OUT, Outcome.TLS_FAILED)
    assert looked.attempt.seconds < 3


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_endless_line_ends_early(scheme: str) -> None:
    """A line without end is refused at its limit, long before the timeout."""
    async with Hostile(greeting=b"+OK ", again=b"x" * 65536).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=20)
    assert looked.attempt.outcome in (Outcome.OFF_PROTOCOL, Outcome.TLS_FAILED)
    assert looked.attempt.seconds < 10


@pytest.mark.parametrize("scheme", ["pop3", "smtp", "imap"])
async def test_endless_lines_end_early_and_the_greeting_stays(scheme: str) -> None:
    """A list without end is refused at its limit; the greeting before it is kept."""
    lines = {"pop3": b"+OK\r\n" + b"X\r\n" * 4000, "smtp": b"250-X\r\n" * 4000, "imap": b"* X\r\n" * 4000}[scheme]
    async with Hostile(greeting=GREETINGS[scheme], again=lines).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=20)
    assert looked.attempt.outcome in (Outcome.OFF_PROTOCOL, Outcome.CLOSED)
    assert looked.attempt.seconds < 10
    if scheme != "smtp":
        assert looked.value(v.PROTOCOL_GREETING) == GREETINGS[scheme].decode().strip()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_server_that_hangs_up_is_told(scheme: str, then: str) -> None:
    """Hanging up at once is an outcome of its own, with every promise answered."""
    async with Hostile(then=then, pause=0.01).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=5)
    assert looked.attempt.outcome is Outcome.CLOSED
    assert looked.attempt.detail


@pytest.mark.parametrize("scheme", ["pop3", "smtp", "imap"])
async def test_what_was_learnt_before_silence_stays(scheme: str) -> None:
    """A server that greets and falls silent leaves its greeting, and reasons for the rest."""
    async with Hostile(greeting=GREETINGS[scheme]).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=0.5)
    assert looked.attempt.outcome is Outcome.TIMED_OUT
    assert looked.value(v.PROTOCOL_GREETING) == GREETINGS[scheme].decode().strip()
    assert looked.why(v.AUTH_MECHANISMS) == "timed-out"


@pytest.mark.parametrize("scheme", ["pop3s", "smtps", "imaps", "https", "tls"])
async def test_plaintext_where_tls_belongs_is_told(scheme: str) -> None:
    """A server that speaks in clear on a TLS port did not shake hands, and its words are in the transcript."""
    async with Hostile(greeting=b"220 mail.example.test ESMTP\r\n").serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert "in clear" in looked.attempt.detail
    assert any("220 mail.example.test" in line.text for line in looked.attempt.transcript)


@pytest.mark.parametrize("scheme", ["pop3s", "https"])
async def test_a_fatal_alert_is_a_definite_answer(scheme: str) -> None:
    """An alert says that the handshake failed: a fact, not a gap."""
    async with Hostile(greeting=bytes.fromhex("15030300020228")).serving() as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: handshake failure"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_closed_port_is_refused(scheme: str) -> None:
    """A refused connection is a fact, and the attempt says where."""
    looked = await look(f"{scheme}://127.0.0.1:{closed_port()}")
    assert looked.attempt.outcome is Outcome.REFUSED
    assert looked.value(v.NET_CONNECTED) is False
    assert looked.value(v.NET_ADDRESSES) == ("127.0.0.1",)
    assert "127.0.0.1: the connection was refused" in looked.attempt.detail


async def test_a_name_that_does_not_resolve_is_told() -> None:
    """A name without an address is unresolved, whatever the resolver's reason."""
    looked = await look("pop3s://no-such-host.invalid:995")
    assert looked.attempt.outcome is Outcome.UNRESOLVED
    assert looked.value(v.NET_ADDRESSES) == () or looked.why(v.NET_ADDRESSES) == Why.UNRESOLVED
    assert looked.why(v.PROTOCOL_GREETING) == Why.UNRESOLVED


async def test_a_flood_is_bounded() -> None:
    """A peer that sends without end is cut off at the limit of a conversation."""
    blob = (b"+OK\r\n" + b"x" * 7000 + b"\r\n") * 10
    async with Hostile(greeting=b"HTTP/1.1 200 OK\r\n", again=blob).serving() as server:
        looked = await look(f"pop3://localhost:{server.port}", timeout=20)
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert len(looked.attempt.transcript) < 200
