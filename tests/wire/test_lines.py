"""Tests of the line buffer and of text from the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.characters import visible
from probe.wire.lines import LineBuffer, WireError, as_bytes, as_text, in_quotes


def lines_of(chunks: list[bytes]) -> list[bytes]:
    buffer = LineBuffer()
    found = []
    for chunk in chunks:
        buffer.feed(chunk)
        while (line := buffer.next_line()) is not None:
            found.append(line)
    return found


@given(st.binary(max_size=300))
def test_lines_are_the_same_whole_and_byte_by_byte(data: bytes) -> None:
    """However the network cuts the bytes, the lines are the same."""
    assert lines_of([data]) == lines_of([bytes([b]) for b in data])


def test_crlf_and_bare_lf_both_end_a_line() -> None:
    """A bare LF ends a line as CRLF does."""
    assert lines_of([b"one\r\ntwo\nthree"]) == [b"one", b"two"]


@pytest.mark.parametrize("data", [b"x" * 11, b"x" * 11 + b"\n"])
def test_an_endless_line_is_refused(data: bytes) -> None:
    """A line over the limit is an error, whether or not its end has come."""
    buffer = LineBuffer(limit=10)
    buffer.feed(data)
    with pytest.raises(WireError, match="more than 10 bytes"):
        buffer.next_line()


def test_what_is_left_is_taken_once() -> None:
    """Taking the rest empties the buffer."""
    buffer = LineBuffer()
    buffer.feed(b"+OK\r\ninjected\r\n")
    assert buffer.next_line() == b"+OK"
    assert buffer.take_rest() == b"injected\r\n"
    assert buffer.take_rest() == b""


@given(st.binary(max_size=200))
def test_text_from_the_wire_is_printable_utf8(data: bytes) -> None:
    """No byte of a peer becomes a control character or breaks an encoding."""
    text = as_text(data)
    text.encode("utf-8")
    assert visible(text) == text


def test_escape_sequences_lose_their_power() -> None:
    """A terminal escape is shown, not obeyed; UTF-8 stays, another byte is named."""
    assert as_text("\x1b[2J grün".encode()) == "\\x1b[2J grün"
    assert as_text(b"Verf\xfcgung") == "Verf\\xfcgung"
    assert as_text("\u202egnp \u200f\u061c\u200b\U000e0041".encode()) == r"\u202egnp \u200f\u061c\u200b\U000e0041"


def test_bytes_may_be_taken_between_lines() -> None:
    """So many bytes are given out once all have come, line ends among them, and the next line begins after them."""
    buffer = LineBuffer()
    buffer.feed(b"first\r\na\n")
    assert buffer.next_line() == b"first"
    assert buffer.next_bytes(4) is None
    buffer.feed(b"\r\n)\r\n")
    assert buffer.next_bytes(4) == b"a\n\r\n"
    assert buffer.next_line() == b")"
    assert buffer.next_bytes(0) == b""


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "koi8-r", "cp1251", "latin-1", "shift_jis", "euc_kr", "big5", "iso2022_jp"])
def test_bytes_come_back_out_of_their_text(encoding: str) -> None:
    """What was made visible can be read again in the encoding that it was written in."""
    words = {"koi8-r": "Неверный пароль", "cp1251": "Неверный пароль", "latin-1": "Ungültiges Kennwort", "euc_kr": "비밀번호"}.get(
        encoding, "認証"
    )
    data = "密码".encode("gbk") if encoding == "gbk" else words.encode(encoding)
    assert as_bytes(as_text(data)) == data


@given(st.binary(max_size=100))
def test_text_of_bytes_is_told_in_quotes_as_it_stands(data: bytes) -> None:
    """A sentence that repeats a peer shows each byte as the transcript does: one escape, never two."""
    assert in_quotes(as_text(data), 400) == f"'{as_text(data)}'"
