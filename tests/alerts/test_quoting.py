"""Tests of how texts are quoted."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.alerts.conditions import Severity
from probe.alerts.quoting import MOST_WORDS, Style, as_styled, inert, own
from probe.alerts.schemes import SCHEMES
from probe.alerts.wording import Message, MessageLine, Part, body_of, title_of

_LINKED = re.compile(r"\w://|www\.\w|\w@\w|\w\.[^\W\d_]|\\\\\w|mailto:\w")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("220 mail.contoso.test ESMTP", "220 mail[.]contoso[.]test ESMTP"),
        ("see https://evil.example/x?y", "see https[:]//evil[.]example/x?y"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("write to bob@evil.example", "write to bob[@]evil[.]example"),
        ("mailto:bob@evil.example", "mailto[:]bob[@]evil[.]example"),
        ("\\\\evil\\share", "[\\\\]evil\\share"),
        ("evil。example", "evil[。]example"),
        ("Version: 15.1.2507.57 (192.0.2.1)", "Version: 15.1.2507.57 (192.0.2.1)"),
        ("one\r\ntwo\x1b[31m\u202eevil\u200b", "one\\x0d\\x0atwo\\x1b[31m\\u202eevil\\u200b"),
        ("a\tb", "a\\x09b"),
        ("@everyone <!channel>", "[@]everyone <!channel>"),
        ("«quoted»", "‹quoted›"),
    ],
)
def test_words_of_a_server_are_text_and_nothing_else(words: str, shown: str) -> None:
    """Addresses in the words of a server are broken so that nothing links them; controls and marks of direction are shown; versions stay readable."""
    assert inert(words) == shown


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
def test_any_words_are_visible_and_short_and_link_nowhere(words: str) -> None:
    """Whatever a server says, at most 300 printable characters of it are quoted on one line, without an address in it, and again quoted safely."""
    shown = inert(words)
    assert len(shown) <= MOST_WORDS
    assert all(not unicodedata.category(character).startswith("C") and character not in "\n\r\u2028\u2029" for character in shown)
    assert not _LINKED.search(shown)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_chat_gets_no_character_of_markup(text: str) -> None:
    """Nothing that is written to a chat holds a character of markup or of a mention."""
    assert not set(as_styled(own(text), Style.CHAT)) & set(r"*_~`<>[]#|\&@{}$^")


@given(st.text(st.characters(codec="utf-8"), max_size=400), st.sampled_from(sorted(SCHEMES)), st.booleans())
def test_a_body_keeps_to_the_bound_of_its_target(words: str, name: str, is_repetition: bool) -> None:
    """Of whatever it is made, a body is no longer than its target takes, and its id stands in it."""
    scheme = SCHEMES[name]
    lines = (*[MessageLine(Part.OURS, words * 3, "Cause")] * 30, MessageLine(Part.WORDS, words, "In the server's words"))
    told = Message(title=words, severity=Severity.WARNING, is_over=False, lines=lines)
    body = body_of(told, scheme.style, event="0123456789ab", is_repetition=is_repetition, most=scheme.most, line_end=scheme.line_end)
    assert len(body) <= scheme.most
    assert body.endswith("Event: 0123456789ab")
    assert len(title_of(told, scheme.style)) <= 200
