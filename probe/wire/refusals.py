"""What a refused login may mean, by the server's words: a known sentence first, then a response code or enhanced status, then the bare status."""

from __future__ import annotations

import re

from probe.tables import refusal_words

MAX_READ = 2000
"""Characters of a reply that are read. The longest that is known has 400."""

# RFC 5530 and RFC 3206; RFC 4954 and 5248; in the order in which they are looked for.
_CODES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\[AUTHORIZATIONFAILED\]", ("protocol-disabled",)),
    (r"\[CONTACTADMIN\]", ("protocol-disabled", "account-locked")),
    (r"\[SYS/PERM\]", ("protocol-disabled", "account-locked")),
    (r"\[AUTHENTICATIONFAILED\]", ("bad-credentials",)),
    (r"\[AUTH\]", ("bad-credentials",)),
    (r"^(?:530|538)[ -]|[ -]5\.7\.11 ", ("tls-required",)),
    (r"^4\d\d[ -]4\.7\.12 ", ("password-expired",)),
    (r"^421[ -]", ("throttled",)),
    (r"^4\d\d", ("temporary-failure",)),
    (r"^5\d\d[ -]5\.7\.8 ", ("bad-credentials",)),
    (r"^534[ -]", ("app-password-required", "oauth-required", "mfa-required")),
    (r"^535", ("bad-credentials",)),
    (r"^5(?:0[0-9]|50|54)", ("protocol-disabled",)),
    (r"^(?:NO|-ERR)", ("bad-credentials", "protocol-disabled")),
    (r"^BAD", ("protocol-disabled",)),
)


# RFC 3206 and RFC 5530; RFC 4954 section 6.
_NAMES_THE_CREDENTIAL = re.compile(r"\[AUTH\]|\[AUTHENTICATIONFAILED\]|^535(?:[ -]|$)", re.IGNORECASE)
# RFC 2449, 3206 and 5530; RFC 5321 section 4.2.1; RFC 9051 section 7.1.5.
_IS_FOR_NOW = re.compile(r"\[(?:IN-?USE|LOGIN-DELAY|SYS/TEMP|UNAVAILABLE|LIMIT)\]|^4\d\d(?:[ -]|$)|^BYE\b", re.IGNORECASE)
_LATER = frozenset({"throttled", "temporary-failure"})


def names_the_credential(reply: str) -> bool:
    """Whether a refusal says by its code that user name or password is wrong."""
    return _NAMES_THE_CREDENTIAL.search(reply[:MAX_READ]) is not None


def is_for_now(reply: str) -> bool:
    """Whether a refusal says by its code that it passes."""
    return _IS_FOR_NOW.search(reply[:MAX_READ]) is not None


def says_later(reply: str) -> bool:
    """Whether a refusal says by code or words that it may pass."""
    return is_for_now(reply) or not _LATER.isdisjoint(causes_of(reply))


def causes_of(reply: str) -> tuple[str, ...]:
    """The words of `auth.refusal` that fit a reply, the likeliest first; several where its words cannot separate them.

    The reply is as said, less an IMAP tag: `NO [ALERT] ...`, `-ERR ...`, or the lines of an SMTP reply.
    """
    text = reply[:MAX_READ]
    joined = re.sub(r"\n\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3})? *", " ", text)
    for words in refusal_words():
        if words.pattern.search(joined) and not (words.unless and words.unless.search(joined)):
            return words.causes
    return next((causes for code, causes in _CODES if re.search(code, text, re.IGNORECASE)), ("bad-credentials", "protocol-disabled"))
