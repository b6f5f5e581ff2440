"""What refusals may mean: by the examples of the table, and by codes where no sentence is known."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model import vocabulary as v
from probe.tables import RefusalWords, refusal_words
from probe.wire.refusals import MAX_READ, causes_of

EXAMPLES = [(words.id, example) for words in refusal_words() for example in words.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_is_read_by_its_own_entry(name: str, example: str) -> None:
    """Each sentence of the table means what its entry says."""
    (words,) = [words for words in refusal_words() if words.id == name]
    assert causes_of(example) == words.causes


_SAID_BEFORE = re.compile(r"\A(?:NO|BAD|-ERR|\d{3}[ -])(?: ?\[[A-Z/-]+\])?(?: ?\d\.\d{1,3}\.\d{1,3})? *")
_CODES_OF_A_WRONG_PASSWORD = ("NO ", "NO [AUTHENTICATIONFAILED] ", "-ERR ", "-ERR [AUTH] ", "535 ", "535 5.7.8 ")


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_a_sentence_means_the_same_behind_every_code_and_in_every_protocol(name: str, example: str) -> None:
    """A sentence that its entry knows without its code has the same causes behind the codes of a wrong password of POP3, SMTP and IMAP."""
    (words,) = [words for words in refusal_words() if words.id == name]
    sentence = " ".join(_SAID_BEFORE.sub("", line) for line in example.split("\n"))
    if words.pattern.search(sentence) is None:
        pytest.skip("known by its code, or by where it stands")
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
        ("NO [AUTHENTICATIONFAILED] no", ("bad-credentials",)),
        ("-ERR [AUTH] no", ("bad-credentials",)),
        ("-ERR [SYS/PERM] no", ("protocol-disabled", "account-locked")),
        ("538 5.7.11 no", ("tls-required",)),
        ("421 bye", ("throttled",)),
        ("454 4.7.0 no", ("temporary-failure",)),
        ("432 4.7.12 A password transition is needed", ("password-expired",)),
        ("535 no", ("bad-credentials",)),
        ("535 5.7.8 no", ("bad-credentials",)),
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
