"""Tests of heads of HTTP that are not as they should be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.http_head import MAX_HEAD_BYTES, HeadBuffer, tidied
from probe.wire.lines import WireError

GOOD = b"HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/10.0\r\nWWW-Authenticate: NTLM\r\n"


def test_a_good_head_stays_as_it_is() -> None:
    """What a strict parser takes is not touched."""
    tidy = tidied(GOOD + b"\r\n")
    assert (tidy.data, tidy.passed_over, tidy.codings) == (GOOD + b"\r\n", (), ())


@pytest.mark.parametrize(
    "line",
    [
        b"get-ban-to-cache-result/forum.php: userdata not support",
        b"no colon at all",
        b": no name",
        b"two words: x",
        b"Content-Length: abc",
        b"Content-Length: -1",
        b"Transfer-Encoding: identity",
        b"\xe4\xb8\xad: x",
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_line_that_is_no_header_spoils_itself_alone(line: bytes, is_first: bool) -> None:
    """It is left out and told; every other header stays."""
    status, rest = GOOD.split(b"\r\n", 1)
    head = status + b"\r\n" + line + b"\r\n" + rest if is_first else GOOD + line + b"\r\n"
    tidy = tidied(head + b"\r\n")
    assert tidy.data == GOOD + b"\r\n"
    assert len(tidy.passed_over) == 1


@pytest.mark.parametrize(
    ("lines", "written"),
    [
        (b"X: a\0b\x0bc", b"X: a b c"),
        (b"X : spaced", b"X: spaced"),
        (b"X:tight", b"X: tight"),
        (b"X: one\r\n  two\r\n\tthree", b"X: one two three"),
        (b"bad name: one\r\n  two\r\nX: 3", b"X: 3"),
        (b"Content-Length: 5, 5", b"Content-Length: 5"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\nX: 7", b"Content-Length: 5\r\nX: 7"),
        (b"Content-Length: x\r\nContent-Length: 6\r\nX: 7", b"Content-Length: 6\r\nX: 7"),
        (b"transfer-encoding: Chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    ],
)
def test_what_other_programs_read_is_written_so_that_a_strict_parser_does(lines: bytes, written: bytes) -> None:
    """Spaces, folds, controls, lengths that contradict each other, and codings of transfer."""
    assert tidied(GOOD + lines + b"\r\n\r\n").data == GOOD + written + b"\r\n\r\n"


def test_a_line_that_goes_on_with_nothing_is_no_header() -> None:
    """A fold before the first header belongs to none."""
    tidy = tidied(b"HTTP/1.1 200 OK\r\n folded\r\nX: 1\r\n\r\n")
    assert (tidy.data, tidy.passed_over) == (b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n", (" folded",))


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"HTTP/1.1 401", b"HTTP/1.1 401 "),
        (b"HTTP/1.1  401  No\0t", b"HTTP/1.1 401 No t"),
        (b"HTTP/2 401", b"HTTP/2.0 401 "),
        (b"HTTP/1.1 abc", b"HTTP/1.1 abc"),
    ],
)
def test_a_status_line_is_read_where_it_has_a_status(line: bytes, written: bytes) -> None:
    """Whatever white space is in it; one without a status stays for the parser to refuse."""
    assert tidied(line + b"\r\n\r\n").data.split(b"\r\n")[0] == written


@pytest.mark.parametrize(
    ("lines", "codings"),
    [
        (b"Content-Encoding: gzip", ("gzip",)),
        (b"Content-Encoding: identity", ()),
        (b"content-encoding: GZIP , deflate", ("gzip", "deflate")),
        (b"Content-Encoding: deflate\r\nTransfer-Encoding: gzip, chunked", ("deflate", "gzip")),
    ],
)
def test_codings_are_told_in_their_order(lines: bytes, codings: tuple[str, ...]) -> None:
    """Of the content, and then of the transfer."""
    assert tidied(GOOD + lines + b"\r\n\r\n").codings == codings


@pytest.mark.parametrize("data", [GOOD + b"\r\n", b"\r\n\n" + GOOD + b"\r\n", GOOD.replace(b"\r\n", b"\n") + b"\n"])
@pytest.mark.parametrize("trailing", [b"", b"body\r\n\r\nmore"])
def test_a_head_is_the_same_whole_byte_by_byte_and_with_trailing_bytes(data: bytes, trailing: bytes) -> None:
    """Empty lines before it are passed over; what follows is left alone."""
    whole = HeadBuffer()
    whole.feed(data + trailing)
    head = whole.next_head()
    assert head == data.lstrip(b"\r\n")
    assert whole.take_rest() == trailing
    assert whole.is_empty

    slowly, heads = HeadBuffer(), []
    for number in data:
        slowly.feed(bytes([number]))
        if (found := slowly.next_head()) is not None:
            heads.append(found)
    assert heads == [head]


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_HEAD_BYTES, b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 20_000 + b"\r\n"]
)
def test_a_head_has_a_limit(data: bytes) -> None:
    """One long header and many short ones, with an end and without."""
    buffer = HeadBuffer()
    buffer.feed(data)
    with pytest.raises(WireError, match="too long"):
        buffer.next_head()


@given(st.binary(max_size=300))
def test_any_head_is_tidied(data: bytes) -> None:
    """Whatever stands in it, what comes of it ends as a head does."""
    assert tidied(b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n").data.endswith(b"\r\n\r\n")
