"""What refusals may mean: by the examples of the table, and by codes where no sentence is known."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model import vocabulary as v
from probe.tables.refusals import RefusalWords, refusal_words
from probe.wire.lines import as_text
from probe.wire.refusals import MAX_READ, causes_of, is_for_now, names_the_credential, refused_for_now, says_later

EXAMPLES = [(words.id, example) for words in refusal_words() for example in words.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_is_read_by_its_own_entry(name: str, example: str) -> None:
    """Each sentence of the table means what its entry says."""
    (words,) = [words for words in refusal_words() if words.id == name]
    assert causes_of(example) == words.causes


_SAID_BEFORE = re.compile(r"\A(?:NO|BAD|-ERR|\d{3}[ -])(?: ?\[[A-Z/-]+\])?(?: ?\d\.\d{1,3}\.\d{1,3})? *")
_CODES_OF_A_WRONG_PASSWORD = ("NO ", "NO [AUTHENTICATIONFAILED] ", "-ERR ", "-ERR [AUTH] ", "535 ", "535 5.7.8 ")


def _sentences() -> Iterator[tuple[str, str]]:
    """The examples less what stands before their words, where those alone are known; others are known by a code, or by where they stand."""
    for words in refusal_words():
        for example in words.examples:
            sentence = " ".join(_SAID_BEFORE.sub("", line) for line in example.split("\n"))
            if words.pattern.search(sentence) is not None:
                yield words.id, sentence


@pytest.mark.parametrize(("name", "sentence"), list(_sentences()))
def test_a_sentence_means_the_same_behind_every_code_and_in_every_protocol(name: str, sentence: str) -> None:
    """A sentence that its entry knows without its code has the same causes behind the codes of a wrong password of POP3, SMTP and IMAP."""
    (words,) = [words for words in refusal_words() if words.id == name]
    assert {causes_of(code + sentence) for code in _CODES_OF_A_WRONG_PASSWORD} == {words.causes}


@pytest.mark.parametrize("words", [words for words in refusal_words() if words.provider], ids=lambda words: words.id)
def test_a_provider_means_the_same_in_all_protocols(words: RefusalWords) -> None:
    """What a provider says to a refused login is known in POP3, SMTP and IMAP, each by an example, and has the same causes in all of them."""
    protocols = {"pop3": r"-ERR\b", "smtp": r"\d{3}[ -]", "imap": r"(?:NO|BAD)\b"}
    said = {name for name, status in protocols.items() for example in words.examples if re.match(status, example)}
    assert said == set(protocols)


@pytest.mark.parametrize(
    ("reply", "causes"),
    [
        ("NO [AUTHORIZATIONFAILED] no", ("protocol-disabled",)),
        ("NO [AUTHENTICATIONFAILED]", ("bad-credentials",)),
        ("-ERR [AUTH]", ("bad-credentials",)),
        ("-ERR [SYS/PERM] no", ("protocol-disabled", "account-locked")),
        ("538 5.7.11 no", ("tls-required",)),
        ("421 bye", ("throttled",)),
        ("454 4.7.0 no", ("temporary-failure",)),
        ("432 4.7.12 A password transition is needed", ("password-expired",)),
        ("535", ("bad-credentials",)),
        ("535 5.7.8", ("bad-credentials",)),
        ("534 5.7.9 no", ("app-password-required", "oauth-required", "mfa-required")),
        ("503 no", ("protocol-disabled",)),
        ("NO", ("bad-credentials", "protocol-disabled")),
        ("-ERR", ("bad-credentials", "protocol-disabled")),
        ("BAD what", ("protocol-disabled",)),
    ],
)
def test_codes_decide_where_no_sentence_does(reply: str, causes: tuple[str, ...]) -> None:
    """RFC 5530, RFC 3206, RFC 4954 and RFC 5248, then the bare status; where that fits two causes, both are given."""
    assert causes_of(reply) == causes


SEVERAL = ("bad-credentials", "app-password-required", "protocol-disabled")


@pytest.mark.parametrize(
    "reply",
    [
        "535 no",
        "535 5.7.8 see https://mail.example.test/help",
        "535-5.7.8 one\n535 5.7.8 two",
        "-ERR [AUTH] kaput",
        "NO [AUTHENTICATIONFAILED] Ei kelpaa",
        "NO kaput",
        "535 \\xff\\xfe\\xd0",
        "535 Λανθασμένα στοιχεία",
        "535 Authentication failed: Λανθασμένα στοιχεία",
        "535 5.7.8 Error: authentication failed: \\xcb\\xe1\\xed",
    ],
)
def test_words_that_nobody_understands_leave_open_what_a_code_leaves_open(reply: str) -> None:
    """A code alone does not make a wrong password of a sentence that nobody here can read."""
    assert causes_of(reply) == SEVERAL


ABROAD = [
    (encoding, example, words.causes)
    for words in refusal_words()
    if words.id.endswith("-abroad")
    for example in words.examples
    for encoding in ("gb18030", "big5", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "koi8_r", "cp1251", "cp1250", "cp1252", "cp1254")
    if example.encode(encoding, "ignore").decode(encoding, "replace") == example and not example.isascii()
]


@pytest.mark.parametrize(("encoding", "example", "causes"), ABROAD)
def test_a_sentence_means_the_same_in_every_encoding(encoding: str, example: str, causes: tuple[str, ...]) -> None:
    """Bytes that are not UTF-8 are read in each encoding that they may be of."""
    assert causes_of(as_text(example.encode(encoding))) == causes


def test_english_beside_another_language_does_not_hide_it() -> None:
    """What a server adds in the language of its users is what it means."""
    said = b"535 Error: authentication failed, " + "请使用授权码登录".encode("gbk")
    assert causes_of(as_text(said)) == ("app-password-required",)


@pytest.mark.parametrize(
    ("reply", "is_later"),
    [
        ("-ERR sorry, POP server too busy right now.  Try again later.", True),
        ("-ERR [IN-USE] no", True),
        ("-ERR [SYS/TEMP] no", True),
        ("-ERR [SYS/PERM] no", False),
        ("-ERR This IP is not configured for POP3 service.", False),
        ("-ERR wrong password, please try again", False),
        ("* BYE Too many connections", True),
        ("* BYE Maximum number of connections from user+IP exceeded", True),
        ("* BYE Server is shutting down", True),
        ("* BYE go away", False),
        ("* NO [UNAVAILABLE] no", True),
        ("a1 NO [LIMIT] no", True),
        ("a1 NO server busy", True),
        ("* BAD no", False),
        ("421 bye", True),
        ("450 no", True),
        ("550 Too many connections from your IP", True),
        ("550 black ip.", False),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", False),
        ("421-one\n421 two", True),
        ("-ERR Слишком много подключений", True),
        ("* BYE Server überlastet, bitte später erneut versuchen", True),
        ("550 连接过多", True),
    ],
)
def test_later_is_told_from_never_by_code_and_words(reply: str, is_later: bool) -> None:
    """One answer for greetings, commands and logins, whatever the protocol and the language."""
    assert refused_for_now(reply) is is_later


@pytest.mark.parametrize(
    ("reply", "names", "now", "later"),
    [
        ("-ERR [AUTH] no", True, False, False),
        ("535 5.7.8 no", True, False, False),
        ("NO [AUTHENTICATIONFAILED] no", True, False, False),
        ("-ERR [AUTH] Authentication failed, please try again later.", True, False, True),
        ("-ERR [SYS/TEMP] no", False, True, True),
        ("454 no", False, True, True),
        ("BYE so long", False, True, True),
        ("NO no", False, False, False),
    ],
)
def test_what_the_ledger_asks_is_decided_by_codes(reply: str, names: bool, now: bool, later: bool) -> None:
    """Codes name the credential and say that a refusal passes; words only ever say that it may."""
    assert (names_the_credential(reply), is_for_now(reply), says_later(reply)) == (names, now, later)


@pytest.mark.parametrize(
    "reply",
    [
        "534-5.7.9 Application-specific password required. Invalid credentials.",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
        "NO [ALERT] Please log in via your web browser (Failure)",
        "535 5.7.8 Error: authentication failed: multi-factor authentication is needed",
    ],
)
def test_what_is_no_wrong_password_is_never_called_one(reply: str) -> None:
    """An app password, a second factor, a protocol that is off or TLS that is missing is not told as a wrong password."""
    assert "bad-credentials" not in causes_of(reply)


@given(st.text())
def test_any_text_has_some_cause_of_the_vocabulary(reply: str) -> None:
    """Whatever a server says, the answer is a few words of `auth.refusal`."""
    known = v.AUTH_REFUSAL.kind.schema["items"]
    assert isinstance(known, dict)
    assert set(causes_of(reply)) <= set(known["enum"])
    assert causes_of(reply)


@pytest.mark.parametrize(
    "unit", ["a ", "imap ", "not ", "sign in ", "password for ", "é", "用", "доступ ", "acceso no x ", "zugriff nicht "]
)
def test_a_hostile_reply_costs_no_more_than_another(unit: str) -> None:
    """All sentences together look at a reply of any length and repetition in well under a second."""
    refusal_words()
    began = time.process_time()
    causes_of("NO " + unit * MAX_READ)
    assert time.process_time() - began < 1.0


AT_LARGE = json.loads((Path(__file__).parent / "refusals.json").read_text(encoding="utf-8"))
"""Refusals of many servers, written down before the table was widened for them: general knowledge, not captures."""


@pytest.mark.parametrize("refusal", AT_LARGE, ids=lambda refusal: refusal["says"][:40])
def test_a_refusal_at_large_has_a_cause_that_it_may_mean(refusal: dict[str, Any]) -> None:
    """One of its causes is among those that we name, at most three are named, and a wrong password alone only where it may be one."""
    found = causes_of(refusal["says"])
    assert set(found) & set(refusal["may_mean"])
    assert len(found) <= 3
    assert found != ("bad-credentials",) or "bad-credentials" in refusal["may_mean"]
