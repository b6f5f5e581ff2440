"""Tests of the NTLM challenge at EWS; the challenges are made by an independent implementation (pyspnego)."""

from __future__ import annotations

import base64

import pytest
from spnego._ntlm_raw import messages

from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Effect
from probe.model.facts import Fact, Missing
from probe.probers.ews_ntlm import PROBER
from tests.looking import look
from tests.probers.scripted_http import answer, serving

GET = "GET /EWS/Exchange.asmx"


def challenge(*, full: bool = True) -> str:
    info = messages.TargetInfo()
    info[messages.AvId.nb_domain_name] = "CONTOSO"
    info[messages.AvId.nb_computer_name] = "MAIL01"
    if full:
        info[messages.AvId.dns_domain_name] = "contoso.test"
        info[messages.AvId.dns_computer_name] = "mail01.contoso.test"
    version = messages.Version(10, 0, 20348) if full else None
    return base64.b64encode(messages.Challenge(1, b"8 bytes.", target_name="CONTOSO", target_info=info, version=version).pack()).decode()


async def begun(*headers: str, status: str = "401 Unauthorized") -> tuple[Attempt, list[bytes]]:
    """The attempt of this prober, and its requests."""
    async with serving({GET: answer(status, *headers)}) as peer:
        looked = await look(peer.url, allow=frozenset({Effect.PROVOKES}))
    (attempt,) = [a for a in looked.run.attempts if a.prober == PROBER.id]
    return attempt, [request for request in peer.requests if request.startswith(GET.encode())]


def values(attempt: Attempt) -> dict[str, object]:
    return {r.key.name: r.value if isinstance(r, Fact) else str(r.why) for r in attempt.readings if r.key in PROBER.collects}


async def test_a_challenge_tells_windows_and_names() -> None:
    """One request draws the challenge; it is the only one, and it names no account."""
    attempt, requests = await begun(f"WWW-Authenticate: NTLM {challenge()}", "WWW-Authenticate: Negotiate")
    assert attempt.outcome is Outcome.COMPLETED
    assert values(attempt) == {
        "ntlm.windows_build": "10.0.20348",
        "ntlm.computer": "mail01.contoso.test",
        "ntlm.domain": "contoso.test",
    }
    (request,) = requests
    assert b"Authorization: NTLM TlRMTVNTUAABAAAA" in request


async def test_headers_joined_by_a_proxy_are_taken_apart() -> None:
    """The challenge ends at the comma, and NetBIOS names stand in for names that are missing."""
    attempt, _ = await begun(f"WWW-Authenticate: NTLM {challenge(full=False)}, Negotiate")
    assert values(attempt) == {"ntlm.windows_build": "not-disclosed", "ntlm.computer": "MAIL01", "ntlm.domain": "CONTOSO"}


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("WWW-Authenticate: NTLM", "not-disclosed"),
        ('WWW-Authenticate: Basic realm="x"', "not-disclosed"),
        ("WWW-Authenticate: NTLM TlRMTVNTUAA", "off-protocol"),
        ("WWW-Authenticate: NTLM TlRMTVNTUAABAAAA", "off-protocol"),
        ("WWW-Authenticate: NTLM a.b.", "off-protocol"),
    ],
)
async def test_no_challenge_and_a_broken_one_differ(header: str, why: str) -> None:
    """A server without NTLM does not disclose; one that answers nonsense is off protocol."""
    attempt, _ = await begun(header)
    assert attempt.outcome is Outcome.COMPLETED
    assert set(values(attempt).values()) == {why}
    assert all(r.detail for r in attempt.readings if isinstance(r, Missing))


async def test_a_server_that_asks_for_patience_is_left_alone() -> None:
    """Its answer ends the attempt as throttled."""
    attempt, _ = await begun("Retry-After: 5", status="503 Service Unavailable")
    assert attempt.outcome is Outcome.THROTTLED
    assert attempt.pause_seconds == 5


async def test_it_is_not_begun_unasked() -> None:
    """A logon that is begun leaves a mark, so it needs to be allowed."""
    async with serving({}) as peer:
        looked = await look(peer.url)
    assert [a.outcome for a in looked.run.attempts if a.prober == PROBER.id] == []
    assert not any(b"NTLM" in request for request in peer.requests)
