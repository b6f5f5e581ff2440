"""Tests of the POP3 conversation."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS

DOVECOT = (TRANSCRIPTS / "pop3-capabilities" / "dovecot-stls.txt").read_text()


async def test_capabilities_are_asked_before_and_under_tls() -> None:
    """What is offered in clear and what is offered under TLS are different facts."""
    async with playing(DOVECOT, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_GREETING) == "+OK Dovecot (Debian) ready."
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
    assert looked.value(v.AUTH_MECHANISMS) == ("USER", "PLAIN", "LOGIN")
    assert looked.value(v.TLS_MODE) == "starttls"
    assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert looked.value(v.CERTIFICATE_MATCHES_NAME) is True
    session = looked.value(v.TLS_NEGOTIATED)
    assert session is not None
    assert (session.version, session.suite) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert looked.attempt.connections == 1


async def test_a_fact_names_the_words_that_support_it() -> None:
    """The greeting's evidence is its line in the transcript."""
    async with playing(DOVECOT, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    (evidence,) = looked.facts.read(v.PROTOCOL_GREETING).provenance.evidence  # type: ignore[union-attr]
    assert evidence.excerpt == "+OK Dovecot (Debian) ready."
    assert looked.attempt.transcript[evidence.line - 1].text == evidence.excerpt


@pytest.mark.parametrize(
    "steps",
    [
        ["S: +OK ready", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: STLS", "S: +OK go", "S: +OK injected"],
        ["S: +OK ready", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: STLS", "S: +OK go", "ANY", "S: +OK injected"],
    ],
    ids=["in the same segment", "after our hello"],
)
async def test_plaintext_after_stls_is_a_fact_and_never_parsed(steps: list[str]) -> None:
    """Bytes in clear where the handshake belongs are shown, and the conversation ends there."""
    async with playing(steps, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.value(v.STARTTLS_EXTRA_BYTES) == "+OK injected\\x0d\\x0a"
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.why(v.PROTOCOL_CAPABILITIES) == "off-protocol"
    assert looked.value(v.PROTOCOL_GREETING) == "+OK ready"


async def test_an_untrusted_certificate_does_not_stop_reading() -> None:
    """After a verified handshake failed, an unverified one reads all the same, and says why trust was refused."""
    async with playing(DOVECOT, implicit=False, certificate="self-signed") as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.CERTIFICATE_DISTRUSTED_BECAUSE) == "self-signed certificate"
    assert looked.value(v.AUTH_MECHANISMS) == ("USER", "PLAIN", "LOGIN")
    assert looked.attempt.connections == 2
    assert looked.attempt.outcome is Outcome.COMPLETED


async def test_distrust_is_kept_when_the_second_connection_fails() -> None:
    """What the verified handshake decided stays, though the server takes no second connection."""
    async with playing(DOVECOT, implicit=False, certificate="self-signed") as server:
        server.once = True
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.CLOSED
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.CERTIFICATE_DISTRUSTED_BECAUSE) == "self-signed certificate"
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.why(v.TLS_NEGOTIATED) == "closed"


@pytest.mark.parametrize(("certificate", "trusted", "matches"), [("expired", False, True), ("wrong-name", True, False)])
async def test_trust_and_name_are_told_apart(certificate: str, trusted: bool, matches: bool) -> None:
    """An expired certificate is not trusted, one for another name does not match: two facts."""
    async with playing(DOVECOT, implicit=False, certificate=certificate) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.value(v.CERTIFICATE_TRUSTED) is trusted
    assert looked.value(v.CERTIFICATE_MATCHES_NAME) is matches


async def test_a_server_without_stls_is_left_in_peace() -> None:
    """Where STLS is not offered there is no TLS, and no guess at what there would be."""
    steps = ["S: +OK ready", "C: CAPA", "S: +OK", "S: SASL PLAIN", "S: .", "C: QUIT"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.STARTTLS_OFFERED) is False
    assert looked.value(v.TLS_MODE) == "none"
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("PLAIN",)
    assert looked.why(v.AUTH_MECHANISMS) == "not-applicable"
    assert looked.why(v.CERTIFICATE_TRUSTED) == "not-applicable"


async def test_stls_is_asked_outright_where_capa_is_refused() -> None:
    """A server without CAPA may still upgrade."""
    steps = ["S: +OK ready", "C: CAPA", "S: -ERR", "C: AUTH", "S: +OK", "S: PLAIN", "S: .", "C: STLS", "S: -ERR no", "C: QUIT"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert server.departures == []
    assert looked.value(v.STARTTLS_OFFERED) is False
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("PLAIN",)
    assert looked.why(v.PROTOCOL_CAPABILITIES_PLAIN) == "not-disclosed"


@pytest.mark.parametrize("lines", [["X" * 400] * 30, ["XA"] * 101], ids=["too many characters", "too many lines"])
async def test_a_list_too_long_to_be_one_is_missing_whole(lines: list[str]) -> None:
    """An endless list is neither kept nor cut; whether STLS is in it counts all the same, and the conversation goes on under TLS."""
    told = [f"S: {line}" for line in lines]
    steps = ["S: +OK ready", "C: CAPA", "S: +OK", *told, "S: SASL PLAIN", "S: STLS", "S: .", "C: STLS", "S: +OK go", "TLS"]
    async with playing([*steps, "C: CAPA", "S: +OK", "S: SASL LOGIN", "S: .", "C: QUIT"], implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.PROTOCOL_CAPABILITIES_PLAIN) == "off-protocol"
    assert looked.why(v.AUTH_MECHANISMS_PLAIN) == "off-protocol"
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("SASL LOGIN",)
    assert looked.value(v.AUTH_MECHANISMS) == ("LOGIN",)


async def test_a_list_of_auth_too_long_to_be_one_is_missing() -> None:
    """The same holds of what AUTH lists where CAPA is refused."""
    steps = ["S: +OK ready", "C: CAPA", "S: -ERR", "C: AUTH", "S: +OK", *["S: M"] * 101, "S: .", "C: QUIT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.AUTH_MECHANISMS) == "off-protocol"


async def test_a_greeting_too_long_to_be_one_is_missing() -> None:
    """Words without end are no greeting, yet they are POP3, and their beginning is in the transcript."""
    steps = ["S: +OK " + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 3000, "C: CAPA", "S: +OK", "S: UIDL", "S: .", "C: QUIT"]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.PROTOCOL_SPOKEN) is True
    assert looked.why(v.PROTOCOL_GREETING) == "off-protocol"
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("UIDL",)
    (evidence,) = looked.facts.read(v.PROTOCOL_SPOKEN).provenance.evidence  # type: ignore[union-attr]
    assert evidence.excerpt.startswith("+OK \\xe9")


async def test_not_now_is_not_never() -> None:
    """A temporary refusal of STLS says nothing of what the server would offer."""
    steps = ["S: +OK ready", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: STLS", "S: -ERR [SYS/TEMP] later"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.THROTTLED
    assert looked.why(v.TLS_MODE) == "throttled"


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [("-ERR [IN-USE] too many connections", Outcome.THROTTLED), ("-ERR go away", Outcome.DENIED)],
)
async def test_a_refusing_greeting_is_kept(greeting: str, outcome: Outcome) -> None:
    """A greeting that refuses is an outcome of its own, and its words stay."""
    async with playing([f"S: {greeting}"], implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.value(v.PROTOCOL_GREETING) == greeting
    assert looked.value(v.CERTIFICATE_TRUSTED) is True


async def test_another_protocol_is_told() -> None:
    """What greets as SMTP does not speak POP3."""
    async with playing(["S: 220 mail.example.test ESMTP"], implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert looked.value(v.PROTOCOL_SPOKEN) is False
    assert looked.why(v.PROTOCOL_GREETING) == "off-protocol"
