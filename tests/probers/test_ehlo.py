"""EHLO: what a server does not like of us is no property of the server, and a list is a list in whatever form it comes."""

from __future__ import annotations

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Effect, Endpoint
from tests.looking import authority, look, playing
from tests.probers.mail_logins import learnt, scripted

LITERAL, NAME = "C: EHLO [127.0.0.1]", "C: EHLO *.*"
GO = ["C: STARTTLS", "S: 220 go", "TLS"]
END = ["C: EHLO *", "S: 250-mail", "S: 250 AUTH PLAIN", "C: HELP", "S: 500", "C: QUIT", "S: 221 bye"]


@pytest.mark.parametrize(
    "refusal",
    [
        "501 HELO requires domain address",
        "504 5.5.2 need fully-qualified hostname",
        "550 Invalid HELO",
        "553 5.1.8 no such domain",
        "554 5.7.1 Access denied",
        "500 syntax",
        "502-one\r\n502 two",
    ],
)
async def test_where_our_address_is_refused_a_name_is_tried(refusal: str) -> None:
    """RFC 5321 section 4.1.4 has a name before an address; STARTTLS is found all the same."""
    steps = ["S: 220 hi", LITERAL, f"S: {refusal}", NAME, "S: 250-mail", "S: 250 STARTTLS", *GO, *END]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert server.departures == []
    assert (looked.value(v.STARTTLS_OFFERED), looked.value(v.TLS_MODE)) == (True, "starttls")


async def test_where_address_and_name_are_refused_nothing_is_known_of_tls() -> None:
    """A server that likes none of our names refuses us; whether it has STARTTLS is not told, and no mailbox is not ready for that."""
    steps = ["S: 220 hi", LITERAL, "S: 501 no", NAME, "S: 550 5.7.1 no such host"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.DENIED
    assert "550 5.7.1 no such host" in looked.attempt.detail
    assert (looked.value(v.STARTTLS_OFFERED), looked.value(v.TLS_MODE)) == (None, None)
    assert looked.value(v.PROTOCOL_SPOKEN) is True


async def test_a_server_that_hangs_up_on_our_address_refused_us() -> None:
    """There is nobody left to tell a name."""
    async with playing(["S: 220 hi", LITERAL, "S: 550 go away"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.DENIED
    assert looked.value(v.STARTTLS_OFFERED) is None


async def test_a_name_that_is_refused_for_now_is_refused_for_now() -> None:
    """The last word counts."""
    async with playing(["S: 220 hi", LITERAL, "S: 501 no", NAME, "S: 451 greylisted"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.THROTTLED


@pytest.mark.parametrize(
    ("answer", "is_offered", "mode"), [(["S: 220 go", "TLS", *END], True, "starttls"), (["S: 502 unknown", *END[3:]], False, "none")]
)
async def test_a_server_that_knows_no_ehlo_is_asked_for_tls_all_the_same(answer: list[str], is_offered: bool, mode: str) -> None:
    """As one that refuses CAPA is: its answer to STARTTLS decides."""
    steps = ["S: 220 hi", LITERAL, "S: 500 what", NAME, "S: 502 what", "C: STARTTLS", *answer]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert server.departures == []
    assert (looked.value(v.STARTTLS_OFFERED), looked.value(v.TLS_MODE)) == (is_offered, mode)


async def test_every_prober_tries_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to TLS of the question of FIPS, and the login, meet the same server."""
    steps = ["S: 220 hi", LITERAL, "S: 501 no", NAME, "S: 250-mail", "S: 250 STARTTLS", *GO]
    async with playing(steps, implicit=False) as server:
        options = app.Options(timeout=5, ca_file=authority().ca_file, allow=frozenset({Effect.PROVOKES}), tls="quick")
        run = await app.look([Endpoint.parse(f"smtp://localhost:{server.port}")], options)
    assert {a.prober: a.outcome for a in run.attempts}["tls-posture"] is Outcome.COMPLETED
    assert server.departures == []
    steps = [
        "S: 220 hi",
        LITERAL,
        "S: 501 no",
        NAME,
        "S: 250-mail",
        "S: 250 AUTH PLAIN",
        "C: AUTH PLAIN*",
        "S: 235 ok",
        "C: NOOP",
        "S: 250",
    ]
    attempt, _ = await scripted("smtps", steps, monkeypatch)
    assert learnt(attempt)["auth.accepted"] is True


@pytest.mark.parametrize(
    "listed",
    [
        ["S: 250-STARTTLS", "S: 250-SIZE 1000", "S: 250 8BITMIME"],
        ["S: 250 STARTTLS"],
        ["S: 250-8BITMIME", "S: 250 starttls"],
        ["S: 250-mail.example.test", "S: 250 SIZE 1000", "S: 250 STARTTLS"],
        ["S: 250-mail.example.test", "S: 250STARTTLS"],
        ["S: 250-", "S: 250-STARTTLS ", "S: 250 HELP"],
        ["S: 250-mail.example.test Hello", "S: 250-STARTTLS REQUIRED", "S: 250 OK"],
    ],
)
async def test_starttls_is_found_wherever_it_stands(listed: list[str]) -> None:
    """On the first line, on the last without a space, in small letters, with a word behind it, behind lines without a hyphen or an empty one."""
    async with playing(["S: 220 hi", LITERAL, *listed, *GO, *END], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert server.departures == []
    assert (looked.value(v.STARTTLS_OFFERED), looked.value(v.TLS_COMPLETED)) == (True, True)


async def test_a_list_without_the_servers_own_line_names_no_server() -> None:
    """What the server calls itself is not told, and the list is whole."""
    steps = ["S: 220 hi", LITERAL, "S: 250-SIZE 1000", "S: 250 AUTH PLAIN", "C: HELP", "S: 500", "C: QUIT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.why(v.SMTP_EHLO_NAME) == "not-disclosed"
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("SIZE 1000", "AUTH PLAIN")
    assert looked.value(v.SMTP_SIZE_LIMIT_BYTES) == 1000
