"""Tests of the SMTP conversation."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS

POSTFIX = (TRANSCRIPTS / "smtp-extensions" / "postfix-starttls.txt").read_text()
EHLO = ["C: EHLO *", "S: 250-mail.example.test", "S: 250 STARTTLS"]


async def test_extensions_are_asked_before_and_under_tls() -> None:
    """What EHLO lists in clear and under TLS are different facts; old and new AUTH lines are one list."""
    async with playing(POSTFIX, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_GREETING) == "220 mail.example.test ESMTP Postfix (Debian/GNU)"
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN", "CRAM-MD5")
    assert looked.value(v.SMTP_SIZE_LIMIT_BYTES) == 10240000
    assert looked.value(v.TLS_MODE) == "starttls"
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("SIZE 10240000", "AUTH PLAIN LOGIN", "AUTH=LOGIN CRAM-MD5", "CHUNKING")


async def test_a_greeting_over_several_lines_is_kept_as_said() -> None:
    """Every line of a greeting is kept, with its code."""
    text = (TRANSCRIPTS / "smtp-extensions" / "multi-line-greeting-implicit.txt").read_text()
    async with playing(text, implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    greeting = looked.value(v.PROTOCOL_GREETING)
    assert greeting is not None
    assert greeting.split("\n")[0].startswith("220-shared.example.test ESMTP Exim 4.96")
    assert greeting.split("\n")[2] == "220 and/or bulk e-mail."


@pytest.mark.parametrize(
    "after",
    [["S: 220 go", "S: 250 injected"], ["S: 220 go", "ANY", "S: 250 injected"]],
    ids=["in the same segment", "after our hello"],
)
async def test_plaintext_after_starttls_is_a_fact_and_never_parsed(after: list[str]) -> None:
    """Bytes in clear where the handshake belongs are shown, and the conversation ends there."""
    async with playing(["S: 220 hi", *EHLO, "C: STARTTLS", *after], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.value(v.STARTTLS_EXTRA_BYTES) == "250 injected\\x0d\\x0a"
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.why(v.AUTH_MECHANISMS) == "off-protocol"


@pytest.mark.parametrize(
    ("steps", "outcome", "greeting"),
    [
        (["S: 421 4.7.0 too many connections"], Outcome.THROTTLED, "421 4.7.0 too many connections"),
        (["S: 554 no SMTP service here"], Outcome.DENIED, "554 no SMTP service here"),
        (["S: 220 hi", "C: EHLO *", "S: 421 later"], Outcome.THROTTLED, "220 hi"),
    ],
)
async def test_a_refusal_to_serve_is_told_and_kept(steps: list[str], outcome: Outcome, greeting: str) -> None:
    """421 means later, 554 means no; the words stay."""
    async with playing(steps, implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.value(v.PROTOCOL_GREETING) == greeting


async def test_a_server_without_starttls_is_left_in_peace() -> None:
    """Where STARTTLS is not offered there is no TLS, and no guess at what there would be."""
    async with playing(["S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 AUTH LOGIN", "C: QUIT"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.TLS_MODE) == "none"
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("LOGIN",)
    assert looked.why(v.AUTH_MECHANISMS) == "not-applicable"


async def test_starttls_may_be_offered_and_refused() -> None:
    """A refusal of STARTTLS leaves no TLS, with the server's words."""
    async with playing(
        ["S: 220 hi", *EHLO, "C: STARTTLS", "S: 502 TLS not available", "C: HELP", "S: 500 what?", "C: QUIT"], implicit=False
    ) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert server.departures == []
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.TLS_MODE) == "none"


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (["S: 220 hi", "C: EHLO *", "S: 451 try later"], Outcome.THROTTLED),
        (["S: 220 hi", *EHLO, "C: STARTTLS", "S: 421 bye"], Outcome.THROTTLED),
        (["S: 220 hi", *EHLO, "C: STARTTLS", "S: 454 temporary"], Outcome.THROTTLED),
        (["S: 220 hi", "C: EHLO *", "S: 220 out of step"], Outcome.OFF_PROTOCOL),
    ],
)
async def test_not_now_is_not_never(steps: list[str], outcome: Outcome) -> None:
    """A temporary refusal, or an answer to something else, says nothing of what the server would offer."""
    async with playing(steps, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.value(v.TLS_MODE) is None
    assert looked.value(v.STARTTLS_OFFERED) is not False


async def test_a_size_that_is_no_number_is_passed_over() -> None:
    """A digit of another script is no number in SMTP."""
    async with playing(["S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 SIZE \u00b2", "C: QUIT"], implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.SMTP_SIZE_LIMIT_BYTES) == "not-disclosed"


@pytest.mark.parametrize("lines", [["X" * 400] * 30, ["XA"] * 101], ids=["too many characters", "too many lines"])
async def test_a_list_too_long_to_be_one_is_missing_whole(lines: list[str]) -> None:
    """An endless list is neither kept nor cut; whether STARTTLS is in it counts all the same, and the conversation goes on under TLS."""
    told = [f"S: 250-{line}" for line in lines]
    steps = ["S: 220 hi", "C: EHLO *", "S: 250-x", *told, "S: 250-AUTH PLAIN", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "TLS"]
    async with playing([*steps, "C: EHLO *", "S: 250-x", "S: 250 AUTH LOGIN", "C: QUIT"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.PROTOCOL_CAPABILITIES_PLAIN) == "off-protocol"
    assert looked.why(v.AUTH_MECHANISMS_PLAIN) == "off-protocol"
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("AUTH LOGIN",)
    assert looked.value(v.AUTH_MECHANISMS) == ("LOGIN",)


async def test_a_greeting_too_long_to_be_one_is_missing() -> None:
    """A greeting of hundreds of lines is not kept; that SMTP is spoken is."""
    steps = [*["S: 220-welcome"] * 150, "S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 AUTH LOGIN", "C: QUIT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.PROTOCOL_SPOKEN) is True
    assert looked.why(v.PROTOCOL_GREETING) == "off-protocol"


async def test_a_refused_ehlo_leaves_reasons() -> None:
    """A server without EHLO has no list, and says so."""
    async with playing(["S: 220 old", "C: EHLO *", "S: 502 not implemented", "C: QUIT"], implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.PROTOCOL_CAPABILITIES) == "not-disclosed"


async def test_an_untrusted_certificate_does_not_stop_reading() -> None:
    """After a verified handshake failed, an unverified one reads all the same."""
    async with playing(POSTFIX, implicit=False, certificate="self-signed") as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN", "CRAM-MD5")


@pytest.mark.parametrize("steps", [["S: HTTP/1.1 400 Bad Request"], ["S: " + "220 " + "x" * 9000], ["S: +OK POP3 ready"]])
async def test_another_protocol_is_told(steps: list[str]) -> None:
    """What does not greet as SMTP does not speak it."""
    async with playing(steps, implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.value(v.PROTOCOL_SPOKEN) is False
