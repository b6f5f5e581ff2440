"""Lines that answer nothing, and replies in unexpected forms: what mail programs read on behind, each prober reads on behind."""

from __future__ import annotations

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Effect, Endpoint
from tests.looking import authority, look, playing
from tests.probers.mail_logins import PASSWORD, USER, coded, learnt, scripted

STRAYS = ["", "CAPABILITY completed.", "ld.so: object 'libx.so' cannot be preloaded: ignored.", "\xff\xfe\xfd", "  ", "2500 ok"]
NAMES = ["empty", "the rest of a sentence", "a library's warning", "bytes", "white space", "no code of three digits"]

POP3 = ["S: +OK hi", "C: CAPA", "S: +OK", "S: STLS", "S: USER", "S: .", "C: STLS", "S: +OK go", "TLS"]
SMTP = ["S: 220 hi", "C: EHLO *", "S: 250-mail", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "TLS"]
IMAP = ["S: * OK hi", "C: a1 CAPABILITY", "S: * CAPABILITY IMAP4rev1 STARTTLS", "S: a1 OK", "C: a2 STARTTLS", "S: a2 OK go", "TLS"]
UNDER_TLS = {
    "pop3": ["C: CAPA", "S: +OK", "S: USER", "S: .", "C: QUIT", "S: +OK bye"],
    "smtp": ["C: EHLO *", "S: 250-mail", "S: 250 AUTH PLAIN", "C: HELP", "S: 500", "C: QUIT", "S: 221 bye"],
    "imap": [
        "C: a3 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN",
        "S: a3 OK",
        "C: a4 ID NIL",
        "S: a4 BAD",
        "C: a5 LOGOUT",
        "S: * BYE",
        "S: a5 OK",
    ],
}


def with_stray(steps: list[str], stray: str, *, before: str) -> list[str]:
    """The steps with a line of the server's before the first that begins so."""
    place = next(number for number, step in enumerate(steps) if step.startswith(before))
    return [*steps[:place], f"S: {stray}", *steps[place:]]


@pytest.mark.parametrize("stray", STRAYS, ids=NAMES)
@pytest.mark.parametrize(
    ("scheme", "steps", "before"),
    [
        ("pop3", POP3, "S: +OK hi"),
        ("pop3", POP3, "S: +OK go"),
        ("smtp", SMTP, "S: 220 hi"),
        ("smtp", SMTP, "S: 250 STARTTLS"),
        ("smtp", SMTP, "S: 220 go"),
        ("imap", IMAP, "S: * OK hi"),
        ("imap", IMAP, "S: a1 OK"),
        ("imap", IMAP, "C: a2 STARTTLS"),
        ("imap", IMAP, "S: a2 OK"),
    ],
)
async def test_a_line_that_answers_nothing_ends_no_conversation(scheme: str, steps: list[str], before: str, stray: str) -> None:
    """Before the greeting, within a list, behind an answer or before one: TLS comes about, and the mechanisms are heard."""
    async with playing([*with_stray(steps, stray, before=before), *UNDER_TLS[scheme]], implicit=False) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert server.departures == []
    assert looked.attempt.outcome is Outcome.COMPLETED, looked.attempt.detail
    assert looked.value(v.TLS_COMPLETED) is True
    assert looked.value(v.AUTH_MECHANISMS) is not None
    assert looked.value(v.PROTOCOL_FAREWELL)


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3", ["S: warning", "S: +OK", "C: STLS", "S:", "S: +OK go", "TLS"]),
        (
            "smtp",
            ["S:", "S: 220 hi", "C: EHLO *", "S: 250-STARTTLS", "S: what", "S: 250AUTH LOGIN PLAIN", "C: STARTTLS", "S: 220go", "TLS"],
        ),
        ("imap", ["S: warning", "S: * OK", "C: a1 STARTTLS", "S: CAPABILITY completed.", "S: a1 OK", "TLS"]),
    ],
)
async def test_the_way_to_tls_reads_what_the_conversation_reads(scheme: str, steps: list[str]) -> None:
    """The question of FIPS and the test of injection come through the same lines as the conversation does."""
    async with playing(steps, implicit=False) as server:
        options = app.Options(timeout=5, ca_file=authority().ca_file, allow=frozenset({Effect.PROVOKES}), tls="quick")
        run = await app.look([Endpoint.parse(f"{scheme}://localhost:{server.port}")], options)
    outcomes = {attempt.prober: (attempt.outcome, attempt.detail) for attempt in run.attempts}
    assert outcomes["tls-posture"] == (Outcome.COMPLETED, "")


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("pop3", "hello"), ("smtp", "hello"), ("imap", "hello"), ("smtp", "+OK POP3"), ("pop3", "220 SMTP"), ("imap", "SSH-2.0-x")],
)
async def test_what_says_nothing_else_is_no_service_of_that_kind(scheme: str, said: str) -> None:
    """A line that is no greeting, with nothing behind it, is another service's; which does not speak the protocol, and is quoted."""
    async with playing([f"S: {said}", "C: nothing more"], implicit=False) as server:
        looked = await look(f"{scheme}://localhost:{server.port}", timeout=20)
    assert looked.attempt.outcome is Outcome.OFF_PROTOCOL
    assert f"'{said}'" in looked.attempt.detail
    assert looked.value(v.PROTOCOL_SPOKEN) is False
    assert looked.attempt.seconds < 10


async def test_bytes_look_the_same_wherever_they_are_told() -> None:
    """In the attempt's sentence, in the fact and in the transcript a byte that is no UTF-8 is `\\xNN`."""
    words = "550 black ip. (\xb7\xa2\xd0\xc5IP)"
    shown = "550 black ip. (\\xb7\\xa2\\xd0\\xc5IP)"
    async with playing([f"S: {words}"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}")
    assert shown in looked.attempt.detail
    assert looked.value(v.PROTOCOL_GREETING) == shown
    assert [line.text for line in looked.attempt.transcript if line.speaker == "peer"] == [shown]


@pytest.mark.parametrize("scheme", ["pop3", "smtp", "imap"])
async def test_bytes_of_no_greeting_look_the_same_too(scheme: str) -> None:
    """A sentence that quotes what is no greeting escapes each byte once."""
    async with playing(["S: hello \xb7\xa2"], implicit=False) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert "'hello \\xb7\\xa2'" in looked.attempt.detail


LISTED = ["C: EHLO *", "S: 250-mail", "S: 250 AUTH PLAIN LOGIN"]


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("smtps", ["S: 220 hi", *LISTED, "C: AUTH PLAIN*", "S:", "S: 235 ok", "C: NOOP", "S: what", "S: 250 ok", "C: QUIT"]),
        ("smtps", ["S: 220 hi", "C: EHLO *", "S: 250-AUTH PLAIN", "S: 250 SIZE", "C: AUTH PLAIN*", "S: 235 ok", "C: NOOP", "S: 250", "C: QUIT"]),
        ("smtps", ["S: 250 hi", *LISTED, "S: 250 8BITMIME", "C: AUTH PLAIN*", "S: 235 ok", "C: NOOP", "S: 250", "C: QUIT"]),
        ("pop3s", ["S:", "S: +OK", "C: CAPA", "S: -ERR", f"C: USER {USER}", "S:", "S: +OK", "C: PASS*", "S: what", "S: +OK", "C: STAT", "S: +OK", "C: QUIT"]),
        (
            "pop3s",
            [
                "S: +OK",
                "C: CAPA",
                "S: +OK",
                "S: SASL PLAIN",
                "S: .",
                "C: AUTH PLAIN",
                "S: what",
                "S: + ",
                f"C: {coded(chr(0) + USER + chr(0) + PASSWORD)}",
                "S:",
                "S: +OK",
                "C: STAT",
                "S: +OK",
                "C: QUIT",
            ],
        ),
        (
            "imaps",
            [
                "S: * OK",
                "C: A1 CAPABILITY",
                "S: * CAPABILITY IMAP4rev1",
                "S: A1 OK",
                "S: CAPABILITY completed.",
                "C: A2 LOGIN*",
                "S:",
                "S: A2 OK",
                "C: A3 EXAMINE INBOX",
                "S: A9 OK",
                "S: A3 OK",
                "C: A0 LOGOUT",
            ],
        ),
    ],
)  # fmt: skip
async def test_a_login_is_read_behind_such_lines(scheme: str, steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer that ends a login is found among lines that are none, and replies that nobody asked for are not taken for it."""
    attempt, _ = await scripted(scheme, steps, monkeypatch)
    assert attempt.outcome is Outcome.COMPLETED, attempt.detail
    assert learnt(attempt)["auth.accepted"] is True
