"""Tests of the IMAP conversation."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.keys import FactKey
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS


def _played(name: str) -> str:
    return (TRANSCRIPTS / "imap-capabilities" / f"{name}.txt").read_text()


DOVECOT = _played("dovecot-starttls")
GREETED = ["S: * OK ready", "C: a1 CAPABILITY", "S: * CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN", "S: a1 OK done", "C: a2 STARTTLS"]
UNDER_TLS = [
    "TLS",
    "C: a3 CAPABILITY",
    "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN",
    "S: a3 OK",
    "C: a4 ID NIL",
    "S: a4 BAD what",
    "C: a5 LOGOUT",
]


async def test_capabilities_are_asked_before_and_under_tls() -> None:
    """What is offered in clear and what is offered under TLS are different facts; the server is asked for its name under TLS."""
    async with playing(DOVECOT, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert server.departures == []
    assert "LOGINDISABLED" in (looked.value(v.PROTOCOL_CAPABILITIES_PLAIN) or ())
    assert "LOGINDISABLED" not in (looked.value(v.PROTOCOL_CAPABILITIES) or ())
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN")
    assert looked.value(v.TLS_MODE) == "starttls"
    assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert looked.value(v.IMAP_ID) == ("name=Dovecot",)
    assert looked.value(v.IMAP_PREAUTH) is False
    assert looked.value(v.SERVER_PRODUCT) == "Dovecot"
    assert looked.attempt.connections == 1


async def test_a_fact_names_the_words_that_support_it() -> None:
    """Greeting, capabilities and ID each have their own line of the transcript as evidence."""
    async with playing(DOVECOT, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    lines: tuple[tuple[FactKey[Any], str], ...] = (
        (v.PROTOCOL_GREETING, "* OK [CAPABILITY"),
        (v.PROTOCOL_CAPABILITIES_PLAIN, "* CAPABILITY IMAP4rev1"),
        (v.PROTOCOL_CAPABILITIES, "* CAPABILITY IMAP4rev1"),
        (v.IMAP_ID, '* ID ("name"'),
    )
    for key, begins in lines:
        (evidence,) = looked.facts.read(key).provenance.evidence  # type: ignore[union-attr]
        assert evidence.excerpt.startswith(begins)
        assert looked.attempt.transcript[evidence.line - 1].text == evidence.excerpt


@pytest.mark.parametrize(
    ("name", "product", "mechanisms"),
    [
        ("exchange-online-implicit", "Exchange Online", ("PLAIN", "XOAUTH2", "LOGIN")),
        ("icloud-implicit", "iCloud Mail", ("ATOKEN", "PLAIN", "LOGIN")),
    ],
)
async def test_hosted_services_are_read(name: str, product: str, mechanisms: tuple[str, ...]) -> None:
    """What a hosted service says over TLS is read, also where only its greeting carries the list."""
    async with playing(_played(name), implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.value(v.SERVER_PRODUCT) == product
    assert looked.value(v.AUTH_MECHANISMS) == mechanisms
    assert looked.why(v.STARTTLS_OFFERED) == "not-applicable"
    if name.startswith("icloud"):
        assert looked.value(v.IMAP_ID) == ()


async def test_a_server_without_starttls_is_left_in_clear() -> None:
    """Where STARTTLS is not offered there is no TLS, no guess at what there would be, and the server is asked for its name in clear."""
    async with playing(_played("courier-without-starttls"), implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.STARTTLS_OFFERED) is False
    assert looked.value(v.TLS_MODE) == "none"
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("CRAM-MD5", "LOGIN")
    assert looked.why(v.AUTH_MECHANISMS) == "not-applicable"
    assert looked.why(v.CERTIFICATE_TRUSTED) == "not-applicable"
    assert looked.why(v.IMAP_ID) == "not-disclosed"
    assert looked.value(v.SERVER_PRODUCT) == "Courier"


@pytest.mark.parametrize(
    "steps",
    [
        [*GREETED, "S: a2 OK go", "S: * CAPABILITY INJECTED"],
        [*GREETED, "S: a2 OK go", "ANY", "S: * CAPABILITY INJECTED"],
    ],
    ids=["in the same segment", "after our hello"],
)
async def test_plaintext_after_starttls_is_a_fact_and_never_parsed(steps: list[str]) -> None:
    """Bytes in clear where the handshake belongs are shown, and the conversation ends there."""
    async with playing(steps, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.value(v.STARTTLS_EXTRA_BYTES) == "* CAPABILITY INJECTED\\x0d\\x0a"
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.why(v.PROTOCOL_CAPABILITIES) == "off-protocol"
    assert looked.value(v.PROTOCOL_GREETING) == "* OK ready"


@pytest.mark.parametrize("answer", ["S: a3 OK !!", "S: a3 BAD what"])
async def test_what_was_listed_before_tls_is_forgotten(answer: str) -> None:
    """After STARTTLS neither the greeting's list nor the one in clear stands in for a list that is not given (RFC 9051 section 6.2.1)."""
    steps = ["S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready", "C: a1 CAPABILITY", "S: a1 OK !!", "C: a2 STARTTLS"]
    steps += [
        "S: a2 OK [CAPABILITY IMAP4rev1 AUTH=FALSE] go",
        "TLS",
        "C: a3 CAPABILITY",
        answer,
        "C: a4 ID NIL",
        "S: a4 OK",
        "C: a5 LOGOUT",
    ]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("PLAIN", "LOGIN")
    assert looked.why(v.PROTOCOL_CAPABILITIES) == "not-disclosed"
    assert looked.why(v.AUTH_MECHANISMS) == "not-disclosed"
    assert looked.why(v.IMAP_ID) == "not-disclosed"


@pytest.mark.parametrize("capability", ["S: a1 OK !!", "S: a1 BAD what"])
@pytest.mark.parametrize("answer", ["OK go", "NO never"])
async def test_starttls_is_asked_outright_where_nothing_is_listed(capability: str, answer: str) -> None:
    """A server that lists no capabilities may still upgrade."""
    rest = UNDER_TLS if answer.startswith("OK") else ["C: a3 ID NIL", "S: a3 BAD what", "C: a4 LOGOUT"]
    async with playing(["S: * OK", "C: a1 CAPABILITY", capability, "C: a2 STARTTLS", f"S: a2 {answer}", *rest], implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert server.departures == []
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.STARTTLS_OFFERED) is answer.startswith("OK")
    assert looked.value(v.TLS_MODE) == ("starttls" if answer.startswith("OK") else "none")
    assert looked.why(v.PROTOCOL_CAPABILITIES_PLAIN) == "not-disclosed"


@pytest.mark.parametrize(
    ("told", "offered"),
    [
        (["S: * CAPABILITY IMAP4rev1 STARTTLS", "S: a1 OK"], True),
        (["S: * CAPABILITY IMAP4rev1", "S: a1 OK"], False),
        (["S: a1 OK"], None),
    ],
)
async def test_a_server_that_takes_us_for_signed_in_is_not_upgraded(told: list[str], offered: bool | None) -> None:
    """PREAUTH before TLS is a fact, and leaves no way to TLS."""
    steps = ["S: * PREAUTH welcome back", "C: a1 CAPABILITY", *told, "C: a2 ID NIL", "S: a2 BAD no", "C: a3 LOGOUT"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert server.departures == []
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.IMAP_PREAUTH) is True
    assert looked.value(v.TLS_MODE) == "none"
    assert looked.value(v.STARTTLS_OFFERED) is offered


async def test_being_taken_for_signed_in_under_tls_is_a_fact() -> None:
    """PREAUTH under TLS ends nothing."""
    steps = ["S: * PREAUTH [CAPABILITY IMAP4rev1] hi", "C: a1 CAPABILITY", "S: a1 OK", "C: a2 ID NIL", "S: a2 OK", "C: a3 LOGOUT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.value(v.IMAP_PREAUTH) is True
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("IMAP4rev1",)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('* ID ("NAME" "Zimbra" "VERSION" "8.6.0_GA_1153" "x" NIL)', ("NAME=Zimbra", "VERSION=8.6.0_GA_1153", "x")),
        ('* id ("name" {9}\r\nCyrus "I" "version" "3.6.1")', ('name=Cyrus "I"', "version=3.6.1")),
    ],
)
async def test_what_the_server_calls_itself_is_a_list_of_fields(told: str, expected: tuple[str, ...]) -> None:
    """Every field of an ID is kept as said, a literal as a string is."""
    steps = ["S: * OK", "C: a1 CAPABILITY", "S: a1 OK", "C: a2 ID NIL", *(f"S: {line}" for line in told.split("\r\n")), "S: a2 OK", "C: *"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.value(v.IMAP_ID) == expected


@pytest.mark.parametrize("told", ['* ID ("name" "x"', "* ID (" + ' "a" "b"' * 101 + ")"], ids=["malformed", "too long"])
async def test_an_id_that_is_none_is_missing(told: str) -> None:
    """A malformed or endless ID is told, and costs nothing else."""
    steps = [
        "S: * OK",
        "C: a1 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1",
        "S: a1 OK",
        "C: a2 ID NIL",
        f"S: {told}",
        "S: a2 OK",
        "C: a3 LOGOUT",
    ]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.IMAP_ID) == "off-protocol"
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("IMAP4rev1",)


async def test_a_list_too_long_to_be_one_is_missing_whole() -> None:
    """An endless list is neither kept nor cut; whether STARTTLS is in it counts all the same."""
    told = "S: * CAPABILITY" + " X" * 101 + " STARTTLS"
    steps = ["S: * OK ready", "C: a1 CAPABILITY", told, "S: a1 OK", "C: a2 STARTTLS", "S: a2 OK", *UNDER_TLS]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.PROTOCOL_CAPABILITIES_PLAIN) == "off-protocol"
    assert looked.why(v.AUTH_MECHANISMS_PLAIN) == "off-protocol"
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN")


async def test_capabilities_are_read_in_any_case() -> None:
    """A list in lower case, with tabs, and a greeting with bytes that are no UTF-8, are read like others."""
    steps = ["S: * ok Verf\xfcgung\tbereit", "C: a1 CAPABILITY", "S: * capability imap4rev1\tstarttls  login auth=plain", "S: a1 ok"]
    async with playing([*steps, "C: a2 STARTTLS", "S: a2 ok", *UNDER_TLS], implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.PROTOCOL_GREETING) == "* ok Verf\\xfcgung\tbereit"
    assert looked.value(v.PROTOCOL_CAPABILITIES_PLAIN) == ("imap4rev1", "starttls", "login", "auth=plain")
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("PLAIN", "LOGIN")
    assert looked.value(v.STARTTLS_OFFERED) is True


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        ("* BYE Too many connections from 192.0.2.1", Outcome.THROTTLED),
        ("* BYE [UNAVAILABLE] Internal failure", Outcome.THROTTLED),
        ("* BYE go away", Outcome.DENIED),
    ],
)
async def test_a_refusing_greeting_is_kept(greeting: str, outcome: Outcome) -> None:
    """A greeting that refuses is an outcome of its own, and its words stay."""
    async with playing([f"S: {greeting}"], implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.value(v.PROTOCOL_GREETING) == greeting
    assert looked.why(v.IMAP_PREAUTH) == str(outcome)
    assert looked.value(v.CERTIFICATE_TRUSTED) is True


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("* BYE Too many commands, try again later", Outcome.THROTTLED),
        ("* BYE Internal error", Outcome.THROTTLED),
        ("* BYE so long", Outcome.CLOSED),
        ("a2 NO [UNAVAILABLE] later", Outcome.THROTTLED),
    ],
)
async def test_not_now_is_not_never(answer: str, outcome: Outcome) -> None:
    """A temporary refusal of STARTTLS, or a goodbye instead of an answer, says nothing of what the server would do."""
    async with playing([*GREETED, f"S: {answer}"], implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.why(v.TLS_MODE) == str(outcome)
    assert looked.value(v.STARTTLS_OFFERED) is True


async def test_another_protocol_is_told() -> None:
    """What greets as POP3 does not speak IMAP."""
    async with playing(["S: +OK Dovecot ready."], implicit=False) as server:
        looked = await look(f"imap://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.value(v.PROTOCOL_SPOKEN) is False
    assert looked.why(v.PROTOCOL_GREETING) == "off-protocol"


async def test_a_greeting_too_long_to_be_one_is_missing() -> None:
    """Words without end are no greeting, yet they are IMAP, and the conversation goes on."""
    words = "\N{LATIN SMALL LETTER E WITH ACUTE}" * 3000
    steps = [f"S: * OK {words}", "C: a1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a1 OK", "C: a2 ID NIL", "S: a2 OK", "C: a3 LOGOUT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.PROTOCOL_SPOKEN) is True
    assert looked.why(v.PROTOCOL_GREETING) == "off-protocol"
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("IMAP4rev1",)
