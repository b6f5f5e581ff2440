"""Later, and never: the same words of a server are the same to every prober that meets them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from probe import app
from probe.model.attempts import Outcome
from probe.model.estate import Effect, Endpoint
from tests.looking import authority, look, playing
from tests.probers.mail_logins import sign_in

GREETINGS: dict[str, dict[Outcome, tuple[str, ...]]] = {
    "pop3": {
        Outcome.THROTTLED: (
            "-ERR [IN-USE] no",
            "-ERR sorry, POP server too busy right now.  Try again later.",
            "-ERR Слишком много подключений",
        ),
        Outcome.DENIED: ("-ERR This IP is not configured for POP3 service.", "-ERR"),
    },
    "smtp": {
        Outcome.THROTTLED: ("421 no", "450 4.7.1 no", "550 Too many connections from your IP", "554 连接过多"),
        Outcome.DENIED: ("554 no SMTP service here", "550 black ip.", "521 no mail here", "571 not you", "354 no"),
    },
    "imap": {
        Outcome.THROTTLED: (
            "* BYE Too many connections",
            "* NO [UNAVAILABLE] no",
            "* BYE Server überlastet, bitte später erneut versuchen",
        ),
        Outcome.DENIED: ("* BYE go away", "* NO not you", "* BAD not you"),
    },
}


async def outcomes(greeting: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """What every prober of the service makes of a greeting: those that read, those that test for a weakness, and those that sign in."""
    said = greeting.encode().decode("latin-1")
    found: dict[str, Outcome] = {}
    async with playing([f"S: {said}"], implicit=False) as server:
        options = app.Options(timeout=5, ca_file=authority().ca_file, allow=frozenset({Effect.PROVOKES}), tls="quick")
        run = await app.look([Endpoint.parse(f"{scheme}://localhost:{server.port}")], options)
        found |= {attempt.prober: attempt.outcome for attempt in run.attempts}
        logins = await sign_in(f"{scheme}://localhost:{server.port}", monkeypatch)
        found |= {f"{attempt.prober} in clear": attempt.outcome for attempt in logins}
    async with playing([f"S: {said}"], implicit=True) as server:
        logins = await sign_in(f"{scheme}s://localhost:{server.port}", monkeypatch)
        found |= {f"{attempt.prober} under TLS": attempt.outcome for attempt in logins}
    return found


@pytest.mark.parametrize(
    ("scheme", "greeting", "outcome"),
    [(scheme, said, outcome) for scheme, kinds in GREETINGS.items() for outcome, all_said in kinds.items() for said in all_said],
)
async def test_a_greeting_that_refuses_is_the_same_to_every_prober(
    scheme: str, greeting: str, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever form it refuses, it is a refusal for now or for good, and never a foreign service."""
    found = await outcomes(greeting, scheme, monkeypatch)
    assert len(found) == 5
    assert found == dict.fromkeys(found, outcome)


@pytest.mark.parametrize(
    ("scheme", "steps", "outcome"),
    [
        ("pop3", ["S: +OK", "C: CAPA", "S: -ERR", "C: AUTH", "S: -ERR", "C: STLS", "S: -ERR server busy"], Outcome.THROTTLED),
        (
            "smtp",
            ["S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 STARTTLS", "C: STARTTLS", "S: 550 too many connections"],
            Outcome.THROTTLED,
        ),
        ("smtp", ["S: 220 hi", "C: EHLO *", "S: 450 no"], Outcome.THROTTLED),
        ("smtp", ["S: 220 hi", "C: EHLO *", "S: 550 no", "C: EHLO *", "S: 554 no"], Outcome.DENIED),
        ("imap", ["S: * OK hi", "C: a1 CAPABILITY", "S: a1 OK", "C: a2 STARTTLS", "S: a2 NO server busy"], Outcome.THROTTLED),
        ("imap", ["S: * OK hi", "C: a1 CAPABILITY", "S: * BYE Server is shutting down"], Outcome.THROTTLED),
        ("imap", ["S: * OK hi", "C: a1 CAPABILITY", "S: * BYE so long"], Outcome.CLOSED),
    ],
)
async def test_a_command_that_is_refused_for_now_is_not_refused_for_good(scheme: str, steps: Sequence[str], outcome: Outcome) -> None:
    """What is put off says nothing of what a server offers, and nobody calls it a server without TLS."""
    async with playing(list(steps), implicit=False) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert server.departures == []
    assert looked.attempt.outcome is outcome
