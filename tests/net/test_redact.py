"""Tests of striking secrets out."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from probe.net.redact import FEW, SHORTEST, STRUCK, Redactor
from probe.wire.lines import as_text

SECRET = "Tr0ub4dor&3-marked"


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": utf8,
    "UTF-16, little end first": lambda s: s.encode("utf-16-le"),
    "UTF-16, big end first": lambda s: s.encode("utf-16-be"),
    "Latin-1": lambda s: s.encode("latin-1"),
    "base64": lambda s: base64.b64encode(utf8(s)),
    "base64 behind one letter": lambda s: base64.b64encode(b"\0" + utf8(s))[2:],
    "base64 behind two letters": lambda s: base64.b64encode(b"\0\0" + utf8(s))[3:],
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(utf8(s)),
    "base64 of UTF-16": lambda s: base64.b64encode(s.encode("utf-16-le")),
    "base64 of Latin-1": lambda s: base64.b64encode(s.encode("latin-1")),
    "hexadecimal": lambda s: utf8(s).hex().encode(),
    "percent-encoded": lambda s: quote(utf8(s), safe="").encode(),
    "a form": lambda s: quote_plus(utf8(s)).encode(),
    "percent-encoded, lower-case": lambda s: re.sub("%..", lambda found: found[0].lower(), quote(utf8(s), safe="")).encode(),
    "JSON": lambda s: json.dumps(s)[1:-1].encode(),
    "JSON beyond ASCII": lambda s: json.dumps(s, ensure_ascii=False)[1:-1].encode(),
    "HTML": lambda s: html.escape(s).encode("utf-8", "surrogateescape"),
    "a quoted string of IMAP": lambda s: utf8(s.replace("\\", "\\\\").replace('"', '\\"')),
    "white space folded": lambda s: utf8(" ".join(s.split())),
}

passwords = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=3, max_size=60)
around = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b""))


@pytest.mark.parametrize("name", ENCODINGS)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])  # most of Unicode is not in Latin-1
@given(secret=passwords, before=around, after=around)
def test_a_secret_is_struck_out_in_every_spelling(name: str, secret: str, before: bytes, after: bytes) -> None:
    """Whatever its script, and whatever stands before and after it, it is found in the bytes, and in the text that others made of them."""
    try:
        spelling = ENCODINGS[name](secret)
    except UnicodeEncodeError:
        assume(False)
    assume(len(spelling.strip()) > SHORTEST)
    redactor = Redactor([secret])
    shown = redactor.shown(before + spelling + after, said_by_us=False)
    assert STRUCK in shown
    assert as_text(spelling).strip("=") not in shown or as_text(spelling).strip("=") in STRUCK
    assert STRUCK in redactor.clean("it says: " + as_text(spelling))


@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=6, max_size=30), st.binary(max_size=20), st.binary(max_size=20)
)
def test_a_secret_is_found_inside_any_base64(secret: str, before: bytes, after: bytes) -> None:
    """Whatever stands before and after it, a secret inside base64 is struck out."""
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert STRUCK in Redactor([secret]).clean(encoded)


@pytest.mark.parametrize("others", [0, 1000])
def test_nothing_of_a_secret_is_left_and_nothing_else_is_lost(others: int) -> None:
    """The longest spelling that begins at a place goes, among few secrets and among many; the words around it stay."""
    redactor = Redactor([SECRET, SECRET[:8], *(f"other-{number:04}-secret" for number in range(others))])
    assert (len(redactor._in_bytes._spellings) > FEW) is bool(others)
    line = f"-ERR {SECRET} is not {SECRET[:8]}, {base64.b64encode(SECRET.encode()).decode()}".encode()
    assert redactor.shown(line, said_by_us=False).rstrip("=").startswith("-ERR *** is not ***, ***")
    assert redactor.shown("-ERR grüß Gott".encode(), said_by_us=False) == "-ERR grüß Gott"


@pytest.mark.parametrize("cut", ["{}", "it is no answer: '{}'", '"{}"', "{}... (500 characters)"])
def test_the_beginning_of_a_secret_goes_where_a_text_was_cut_off(cut: str) -> None:
    """A sentence that repeats the first 200 characters of a peer may end in the middle of what the peer repeated."""
    redactor = Redactor([SECRET])
    for length in range(4, len(SECRET)):
        sentence = cut.format(f"the server says {SECRET[:length]}")
        assert redactor.clean_sentence(sentence) == cut.format("the server says ***")
    assert redactor.clean_sentence("Tr0ub4d is a word in the middle") == "Tr0ub4d is a word in the middle"


def test_what_stands_where_secrets_stand_is_struck_out_unknown() -> None:
    """Even a secret that nobody told of is struck out of the commands that carry one."""
    assert Redactor().clean("PASS hunter2", said_by_us=True) == "PASS ***"
    assert Redactor().clean("AUTH XOAUTH2 dXNlcj0=", said_by_us=True) == "AUTH XOAUTH2 ***"
    assert Redactor().clean("AUTH", said_by_us=True) == "AUTH"


def test_the_words_of_a_peer_are_kept() -> None:
    """What holds no secret stays as it was said."""
    assert Redactor([SECRET]).clean("PASS is not known here") == "PASS is not known here"
    assert Redactor().shown(b"PASS is not known here", said_by_us=False) == "PASS is not known here"


def test_a_certificate_with_its_key_is_struck_out_and_costs_no_seconds() -> None:
    """A secret of thousands of letters is looked for from place to place: one pattern of all its spellings would take seconds to compile."""
    key = base64.b64encode(bytes(range(256)) * 9).decode()
    redactor = Redactor([f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n", SECRET])
    assert redactor._in_bytes._letters > 100_000
    assert redactor.shown(f"-ERR {SECRET}".encode(), said_by_us=False) == "-ERR ***"
    assert redactor._in_bytes._pattern is None
    assert redactor.clean(f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n".strip().replace("\n", " ")) == "***"
