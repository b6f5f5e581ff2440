"""Tests of the rule on which characters are written as they are."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.characters import visible

NEVER_WRITTEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_the_rule_is_one_of_unicode_categories() -> None:
    """Of all characters, just the controls, format characters, unassigned ones and separators of lines are escaped; the tab is not."""
    escaped = {code for code in range(sys.maxunicode + 1) if visible(chr(code)) != chr(code)}
    assert escaped == {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in NEVER_WRITTEN} - {ord("\t")}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x9b31m\x7f\x00", r"\x1b[2J\x9b31m\x7f\x00"),
        ("a\r\nb", r"a\x0d\x0ab"),
        ("\u202egnp\u2066\u200f\u061c", r"\u202egnp\u2066\u200f\u061c"),
        ("so\u00adft \u200b\u2060\ufeff", r"so\xadft \u200b\u2060\ufeff"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("\U000e0041\ue000\U0010ffff\ud800", r"\U000e0041\ue000\U0010ffff\ud800"),
    ],
    ids=["terminal", "line-ends", "direction", "no-width", "separators", "tags-private-lone"],
)
def test_an_escape_is_written_as_in_python(text: str, shown: str) -> None:
    """Two digits of a code below 0x100, four of one below 0x10000, else eight."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["grün żółć", "почта 邮件 メール שלום مرحبا", "e\u0301", "\U0001f600", "a\u00a0b\u3000c", "a\tb", r"C:\x1b", ""]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    """Letters of every script, combining marks, emoji, spaces of any width, tabs and backslashes are no escapes."""
    assert visible(text) == text


def test_the_controls_that_stay_are_named() -> None:
    """A reader of lines keeps their ends, and one that counts columns not even the tab."""
    assert visible("a\tb\nc\x1b", keep="\t\n") == "a\tb\nc\\x1b"
    assert visible("a\tb", keep="") == r"a\x09b"


@given(st.text(max_size=60))
def test_what_is_visible_stays_so(text: str) -> None:
    """Making a text visible twice changes nothing more, and no encoding fails on it."""
    assert visible(visible(text)) == visible(text)
    visible(text).encode()
