"""Tests of commands that come in clear behind STLS and STARTTLS: servers that obey them, throw them away, and break off."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Effect
from probe.model.facts import Fact
from probe.probers.starttls_injection import PROBER
from tests.looking import look, playing
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix

ALLOWED = frozenset({Effect.PROVOKES})
POP3 = ["S: +OK hi", "C: STLS"]
SMTP = ["S: 220 hi", "C: EHLO *", "S: 250-hi", "S: 250 STARTTLS", "C: STARTTLS"]
IMAP = ["S: * OK hi", "C: a1 STARTTLS"]


async def examined(url: str, **options: object) -> tuple[Attempt, object]:
    """The attempt of this prober, and what it says of the key: a value, or why there is none."""
    looked = await look(url, allow=ALLOWED, **options)  # type: ignore[arg-type]
    (attempt,) = [a for a in looked.run.attempts if a.prober == PROBER.id]
    (reading,) = [r for r in attempt.readings if r.key == v.STARTTLS_TAKES_INJECTED]
    return attempt, reading.value if isinstance(reading, Fact) else str(reading.why)


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3", [*POP3, "S: +OK go", "TLS", "C: CAPA", "S: +OK", "S: USER", "S: .", "C: QUIT", "S: +OK bye"]),
        ("smtp", [*SMTP, "S: 220 go", "TLS", "C: NOOP", "S: 250 done", "C: QUIT", "S: 221 bye"]),
        ("imap", [*IMAP, "S: a1 OK go", "TLS", "C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK", "C: a3 LOGOUT", "S: * BYE", "S: a3 OK"]),
    ],
)  # fmt: skip
async def test_a_command_obeyed_under_tls_is_a_weakness(scheme: str, steps: list[str]) -> None:
    """A server that keeps what came behind the upgrade, and answers it under TLS, takes injected commands."""
    async with playing(steps, implicit=False) as server:
        attempt, taken = await examined(f"{scheme}://localhost:{server.port}")
    assert attempt.outcome is Outcome.COMPLETED
    assert taken is True


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3", [*POP3, "ANY", "S: +OK go", "TLS", "C: QUIT", "S: +OK bye"]),
        ("smtp", [*SMTP, "ANY", "S: 220 go", "TLS", "C: QUIT", "S: 221 bye"]),
        ("imap", [*IMAP, "ANY", "S: a1 OK go", "TLS", "C: a3 LOGOUT", "S: * BYE", "S: a3 OK"]),
    ],
)
async def test_a_command_thrown_away_is_none(scheme: str, steps: list[str]) -> None:
    """A server that answers under TLS what it was asked there, and nothing else, is in order."""
    async with playing(steps, implicit=False) as server:
        attempt, taken = await examined(f"{scheme}://localhost:{server.port}")
    assert attempt.outcome is Outcome.COMPLETED
    assert taken is False


@pytest.mark.parametrize(
    ("scheme", "steps", "outcome", "why"),
    [
        ("pop3", [*POP3, "S: -ERR no TLS here"], Outcome.COMPLETED, "not-applicable"),
        ("pop3", [*POP3, "S: +OK go", "S: +OK", "S: USER", "S: ."], Outcome.OFF_PROTOCOL, "off-protocol"),
        ("pop3", [*POP3], Outcome.CLOSED, "closed"),
        ("pop3", ["S: -ERR not you"], Outcome.DENIED, "denied"),
        ("smtp", ["S: 220 hi", "C: EHLO *", *["S: 250-x"] * 300], Outcome.OFF_PROTOCOL, "off-protocol"),
        ("imap", ["S: garbage"], Outcome.OFF_PROTOCOL, "off-protocol"),
    ],
)
async def test_what_was_not_settled_is_unknown(scheme: str, steps: list[str], outcome: Outcome, why: str) -> None:
    """No upgrade, an answer in clear, or a server that breaks off with and without the command: none of it is a verdict."""
    async with playing(steps, implicit=False) as server:
        attempt, known = await examined(f"{scheme}://localhost:{server.port}")
    assert (attempt.outcome, known) == (outcome, why)


async def test_it_is_asked_only_where_it_is_allowed_and_never_with_tls_from_the_first_byte() -> None:
    """It is a test for a weakness: not held unasked, and moot where nothing is upgraded."""
    async with playing(["S: +OK hi", "C: CAPA", "S: +OK", "S: ."], implicit=True) as server:
        attempt, known = await examined(f"pop3s://localhost:{server.port}")
        looked = await look(f"pop3s://localhost:{server.port}")
    assert (attempt.connections, known) == (0, "not-applicable")
    assert [a.prober for a in looked.run.attempts] == ["pop3-capabilities"]


@pytest.mark.parametrize("scheme", ["pop3", "imap"])
async def test_dovecot_throws_it_away(dovecot: Dovecot, scheme: str) -> None:
    """Dovecot of today does not obey what came before TLS."""
    port = dovecot.pop3_port if scheme == "pop3" else dovecot.imap_port
    attempt, taken = await examined(f"{scheme}://localhost:{port}", ca_file=dovecot.ca_file)
    assert attempt.outcome is Outcome.COMPLETED
    assert taken is False


async def test_postfix_throws_it_away(postfix: Postfix) -> None:
    """Postfix of today does not obey what came before TLS."""
    attempt, taken = await examined(f"smtp://localhost:{postfix.smtp_port}", ca_file=postfix.ca_file)
    assert attempt.outcome is Outcome.COMPLETED
    assert taken is False
