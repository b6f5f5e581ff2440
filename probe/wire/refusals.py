"""What a refused login may mean, by the server's words: a known sentence first, then a response code or enhanced status, then the bare status."""

from __future__ import annotations

import re

from probe.model.refusals import Refusal
from probe.tables.refusals import RefusalWords, refusal_words
from probe.wire.lines import as_bytes

MAX_READ = 2000
"""Number of characters of a reply that are read. The longest known reply has 400."""

# RFC 5530 and RFC 3206; RFC 4954 and 5248; in the order in which they are looked for.
_CODES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\[AUTHORIZATIONFAILED\]", (Refusal.PROTOCOL_DISABLED,)),
    (r"\[CONTACTADMIN\]", (Refusal.PROTOCOL_DISABLED, Refusal.ACCOUNT_LOCKED)),
    (r"\[SYS/PERM\]", (Refusal.PROTOCOL_DISABLED, Refusal.ACCOUNT_LOCKED)),
    (r"\[AUTHENTICATIONFAILED\]", (Refusal.BAD_CREDENTIALS,)),
    (r"\[AUTH\]", (Refusal.BAD_CREDENTIALS,)),
    (r"^(?:530|538)[ -]|[ -]5\.7\.11 ", (Refusal.TLS_REQUIRED,)),
    (r"^4\d\d[ -]4\.7\.12 ", (Refusal.PASSWORD_EXPIRED,)),
    (r"^421[ -]", (Refusal.THROTTLED,)),
    (r"^4\d\d", (Refusal.TEMPORARY_FAILURE,)),
    (r"^5\d\d[ -]5\.7\.8 ", (Refusal.BAD_CREDENTIALS,)),
    (r"^534[ -]", (Refusal.APP_PASSWORD_REQUIRED, Refusal.OAUTH_REQUIRED, Refusal.MFA_REQUIRED)),
    (r"^535", (Refusal.BAD_CREDENTIALS,)),
    (r"^5(?:0[0-9]|50|54)", (Refusal.PROTOCOL_DISABLED,)),
    (r"^(?:NO|-ERR)", (Refusal.BAD_CREDENTIALS, Refusal.PROTOCOL_DISABLED)),
    (r"^BAD", (Refusal.PROTOCOL_DISABLED,)),
)


# RFC 3206 and RFC 5530; RFC 4954 section 6.
_NAMES_THE_CREDENTIAL = r"(?i)\[AUTH\]|\[AUTHENTICATIONFAILED\]|^535(?:[ -]|$)"
# RFC 2449, 3206 and 5530; RFC 5321 section 4.2.1.
_PASSES = r"(?i)\[(?:IN-?USE|LOGIN-DELAY|SYS/TEMP|UNAVAILABLE|LIMIT)\]|^4\d\d(?:[ -]|$)"
_IS_GOODBYE = r"(?i)^BYE\b"  # RFC 9051 section 7.1.5
_LATER = frozenset({Refusal.THROTTLED, Refusal.TEMPORARY_FAILURE})

_UNREAD = (Refusal.BAD_CREDENTIALS, Refusal.APP_PASSWORD_REQUIRED, Refusal.PROTOCOL_DISABLED)
"""What a refusal of the credential may mean whose words nobody here understands. RFC 3206 section 4 and RFC 5530 section 3 leave the cause open under the
very codes that name the credential, and 535 stands before each of these at the providers of `auth_refusals.toml`."""

_ENCODINGS = ("gb18030", "big5", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "koi8_r", "cp1251", "cp1250", "cp1252", "cp1254")
"""In which servers write what is not UTF-8: no protocol of mail names one (RFC 5321 section 4.2, RFC 1939 section 3). All are tried, since none
refuses another's bytes for certain; the sentences of the table are long enough not to be met by chance."""
_ESCAPED = r"\\x(?:[89a-f][0-9a-f]|1b)"

_NO_WORDS = r"(?i)^(?:\d{3}\b|NO\b|BAD\b|BYE\b|-ERR\b)|\[[^\]]*\]|\b\d\.\d{1,3}\.\d{1,3}\b"


def names_the_credential(reply: str) -> bool:
    """Whether a refusal says by its code that user name or password is wrong."""
    return re.search(_NAMES_THE_CREDENTIAL, reply[:MAX_READ]) is not None


def refused_for_now(reply: str) -> bool:
    """Whether a refusal (of a greeting, a command or a login) says by its code or its words that it is temporary. Any other is permanent."""
    return re.search(_PASSES, reply[:MAX_READ]) is not None or not _LATER.isdisjoint(causes_of(_untagged(reply)))


def is_for_now(reply: str) -> bool:
    """Whether a refusal of a login says by its code that it is temporary, or comes as the end of the session."""
    text = reply[:MAX_READ]
    return re.search(_PASSES, text) is not None or re.search(_IS_GOODBYE, text) is not None


def says_later(reply: str) -> bool:
    """Whether a refusal of a login says by its code or words that it may be temporary, or comes as the end of the session."""
    return is_for_now(reply) or refused_for_now(reply)


def causes_of(reply: str) -> tuple[str, ...]:
    """The words of `auth.refusal` that fit a reply, the likeliest first; several where its words cannot separate them.

    The reply is as said, less an IMAP tag: `NO [ALERT] ...`, `-ERR ...`, or the lines of an SMTP reply.
    """
    text = reply[:MAX_READ]
    if (words := _known_words(text)) is not None:
        # What stands beside English in a language that nobody here understands may say why, and that it is no wrong password.
        return _UNREAD if words.causes == (Refusal.BAD_CREDENTIALS,) and words.is_english and _is_foreign(text) else words.causes
    causes = next(
        (causes for code, causes in _CODES if re.search(code, text, re.IGNORECASE)), (Refusal.BAD_CREDENTIALS, Refusal.PROTOCOL_DISABLED)
    )
    return _UNREAD if Refusal.BAD_CREDENTIALS in causes and _has_words(text) else causes


def _known_words(text: str) -> RefusalWords | None:
    """The entry of the table whose sentence a text holds, in whatever encoding it was written."""
    spelled = "\n".join([re.sub(r"\n\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3})? *", " ", text), *_readings(text)])
    return next((w for w in refusal_words() if w.pattern.search(spelled) and not (w.unless and w.unless.search(spelled))), None)


def _readings(text: str) -> list[str]:
    """What a text may say whose bytes are not UTF-8, in each encoding that it can be read in."""
    if not re.search(_ESCAPED, text):
        return []
    raw = as_bytes(text)
    return [raw.decode(encoding, "ignore") for encoding in _ENCODINGS]


def _has_words(text: str) -> bool:
    """Whether a reply says more than its code."""
    return any(character.isalpha() for line in text.split("\n") for character in re.sub(_NO_WORDS, "", line))


def _is_foreign(text: str) -> bool:
    """Whether a text has letters beyond English."""
    return re.search(_ESCAPED, text) is not None or any(character.isalpha() and not character.isascii() for character in text)


def _untagged(reply: str) -> str:
    """A reply less the tag or the star of IMAP."""
    return re.sub(r"^(?:\*|[A-Za-z]+\d+) (?=(?:NO|BAD|BYE)\b)", "", reply)
