"""Signing in to IMAP through aioimaplib: what the library cannot bear by itself ends well all the same."""

from __future__ import annotations

import logging

import pytest

from probe.model.estate import Authentication
from tests.probers.mail_logins import PASSWORD, USER, coded, learnt, scripted

LISTED = ["S: * OK hi", "C: A1 CAPABILITY", "S: * CAPABILITY IMAP4rev1 NAMESPACE", "S: A1 OK", "C: A2 LOGIN*"]
PROVED = ["C: A3 EXAMINE INBOX", "S: * 3 EXISTS", "S: A3 OK", "C: A0 LOGOUT"]
TOKENS = [
    "S: * OK hi",
    "C: A1 CAPABILITY",
    "S: * CAPABILITY IMAP4rev2 AUTH=XOAUTH2 LOGINDISABLED",
    "S: A1 OK",
    "C: A2 AUTHENTICATE XOAUTH2",
]


@pytest.mark.parametrize(
    ("steps", "reply"),
    [
        ([*LISTED, "S: a2 ok", *PROVED], ""),
        ([*LISTED, "S: A2 OK see {5}", *PROVED], ""),
        ([*LISTED, "S: * 3 EXISTS", "S: * OK * still * here", "S: A2 OK", *PROVED], ""),
        ([*LISTED, *[f"S: * X{n} 1" for n in range(150)], "S: A2 OK", *PROVED], ""),
        ([*LISTED, "S: A2 no", "C: A0 LOGOUT"], "NO"),
        ([*LISTED, "S: A2 NO {12345678901}", "C: A0 LOGOUT"], "NO {12345678901}"),
        ([*LISTED, "S: A2 NO Basic authentication is disabled.", "S: * BYE closing"], "NO Basic authentication is disabled."),
        ([*LISTED, "S: * BYE Too many connections"], "BYE Too many connections"),
        (
            [*LISTED, "S: A2 OK", "C: A3 EXAMINE INBOX", "S: A3 BAD User is authenticated but not connected.", "C: A0 LOGOUT"],
            "BAD User is authenticated but not connected.",
        ),
        ([*LISTED, "S: A2 OK", "C: A3 EXAMINE INBOX", "S: * BYE going down"], "BYE going down"),
    ],
)
async def test_the_end_of_a_login_is_read_however_it_is_written(steps: list[str], reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters, braces at the end of a line, lines of other matters and a BYE in the place of an answer are what they are."""
    attempt, server = await scripted("imaps", steps, monkeypatch)
    found = learnt(attempt)
    assert (found["auth.reply"], found["auth.accepted"], attempt.outcome) == (reply, not reply, "completed")
    assert not [departure for departure in server.departures if "LOGIN" in departure or "EXAMINE" in departure]


@pytest.mark.parametrize(
    ("steps", "outcome", "words"),
    [
        ([*LISTED], "closed", "the server closed the connection in the middle of the sign-in"),
        ([*LISTED, "S: A2 OK", "C: A3 EXAMINE INBOX"], "closed", "the server closed the connection in the middle of the sign-in"),
        ([*LISTED, *[f"S: * X{n} 1" for n in range(2000)]], "off-protocol", "an answer of more than 200 lines"),
        ([*LISTED, "S: * X {99999999}"], "off-protocol", "a literal of 99999999 bytes"),
        ([*LISTED, f"S: * X {'y' * 9000}"], "off-protocol", "a line of more than 8192 bytes"),
        ([*LISTED, "S: A3 OK not that one"], "off-protocol", "what the peer sent is no reply"),
        ([*LISTED, "S: + go on"], "off-protocol", "what the peer sent is no reply"),
        ([*LISTED, "S: HTTP/1.1 200 OK"], "off-protocol", "what the peer sent is no reply"),
        ([*LISTED, "S: A2 OK", "S: A3 OK before it was asked", "C: A3*"], "off-protocol", "what the peer sent is no reply"),
        (
            [*TOKENS[:2], "S: * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5", "S: A1 OK", "C: A2*", "S: + !!"],
            "off-protocol",
            "not base64",
        ),
    ],
)
async def test_a_server_that_misbehaves_after_the_login_ends_it(
    steps: list[str], outcome: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Floods, endless lines, foreign words and a hang-up each end the attempt at once, with a sentence on what came, and with no fact of a login."""
    attempt, _ = await scripted("imaps", steps, monkeypatch)
    assert attempt.outcome == outcome
    assert words in attempt.detail
    assert attempt.seconds < 5
    assert learnt(attempt)["auth.accepted"] == outcome


async def test_a_refused_token_draws_its_error_and_an_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error that comes as a challenge is answered with nothing, or the server would wait for ever."""
    token = coded(f"user={USER}{chr(1)}auth=Bearer {PASSWORD}{chr(1)}{chr(1)}")
    steps = [*TOKENS, "S: +", f"C: {token}", f"S: + {coded('{}')}", "C: ", "S: A2 NO [AUTHENTICATIONFAILED] no", "C: A0 LOGOUT"]
    attempt, server = await scripted("imaps", steps, monkeypatch, authentication=Authentication.OAUTH)
    assert learnt(attempt)["auth.reply"] == "NO [AUTHENTICATIONFAILED] no"
    said = [line.text for line in attempt.transcript if line.speaker == "probe"]
    assert said == ["A1 CAPABILITY", "A2 AUTHENTICATE XOAUTH2", "***", "***", "A0 LOGOUT"]
    assert not [departure for departure in server.departures if "AUTHENTICATE" in departure]


async def test_the_library_logs_no_password(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever turns every log on finds no secret there, not even one that the server repeats."""
    caplog.set_level(logging.DEBUG)
    await scripted("imaps", [*LISTED, f"S: * OK {PASSWORD}", f"S: A2 NO {PASSWORD}", "C: A0 LOGOUT"], monkeypatch)
    assert PASSWORD not in caplog.text
    assert "aioimaplib" not in caplog.text
