"""Tests of the POP3 reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.lines import MAX_STRAY_LINES, WireError
from probe.wire.pop3 import MAX_REPLY_LINES, Pop3Reader, Pop3Reply, has_stamp, mechanisms, takes_utf8_names

CASES = [
    (b"+OK Dovecot ready.\r\n", False, Pop3Reply(True, "+OK Dovecot ready.")),
    (b"+OK\r\n", False, Pop3Reply(True, "+OK")),
    (b"-ERR no\n", True, Pop3Reply(False, "-ERR no")),
    (b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN\r\n.\r\n", True, Pop3Reply(True, "+OK", ("TOP", "UIDL", "SASL PLAIN"))),
    (b"+OK list\n..dot\n.\n", True, Pop3Reply(True, "+OK list", (".dot",))),
    (b"+ok lower case\r\n", False, Pop3Reply(True, "+ok lower case")),
    (b"\r\n+OK behind an empty line\r\n", False, Pop3Reply(True, "+OK behind an empty line")),
    (b"warning: something\r\n-ERR no\r\n", False, Pop3Reply(False, "-ERR no")),
    (b"+OK\ttab\r\n", False, Pop3Reply(True, "+OK\ttab")),
    (b"+OK\r\nTOP\r\r\n.\r\r\n", True, Pop3Reply(True, "+OK", ("TOP",))),
    (b"+OK\r\nTOP\r\n. \r\n", True, Pop3Reply(True, "+OK", ("TOP",))),
]


@pytest.mark.parametrize(("data", "multiline", "expected"), CASES)
@pytest.mark.parametrize("trailing", [b"", b"+OK next\r\n"])
def test_a_reply_is_the_same_whole_byte_by_byte_and_with_trailing_bytes(
    data: bytes, multiline: bool, expected: Pop3Reply, trailing: bytes
) -> None:
    """However its bytes come, a reply reads the same, and what follows is left alone."""
    whole = Pop3Reader()
    whole.feed(data + trailing)
    assert whole.next_reply(multiline=multiline) == expected
    assert whole.take_rest() == trailing

    slowly = Pop3Reader()
    replies = []
    for number in data:
        slowly.feed(bytes([number]))
        if (reply := slowly.next_reply(multiline=multiline)) is not None:
            replies.append(reply)
    assert replies == [expected]


def test_what_is_no_reply_is_refused() -> None:
    """A line that begins with neither +OK nor -ERR is not POP3."""
    reader = Pop3Reader()
    reader.feed(b"220 mail.example ESMTP\r\n")
    with pytest.raises(WireError, match="not a POP3 reply: '220 mail"):
        reader.next_reply()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"+ aGk=\r\n", b"aGk="),
        (b"+\r\n", b""),
        (b"\r\nwhat\r\n+ aGk=\r\n", b"aGk="),
        (b"+OK\r\n", Pop3Reply(True, "+OK")),
        (b"-ERR no\r\n", Pop3Reply(False, "-ERR no")),
    ],
)
@pytest.mark.parametrize("trailing", [b"", b"+ bmV4dA==\r\n"])
def test_a_challenge_is_the_same_however_it_comes(data: bytes, expected: bytes | Pop3Reply, trailing: bytes) -> None:
    """In the middle of AUTH a challenge or the reply that ends it is read, and a line that is neither is passed over."""
    whole, slowly = Pop3Reader(), Pop3Reader()
    whole.feed(data + trailing)
    assert (whole.next_challenge(), whole.take_rest()) == (expected, trailing)
    found = []
    for number in data:
        slowly.feed(bytes([number]))
        found += [challenge for challenge in [slowly.next_challenge()] if challenge is not None]
    assert found == [expected]


def test_lines_that_are_no_reply_come_to_an_end() -> None:
    """So many are passed over and no more."""
    reader = Pop3Reader()
    reader.feed(b"+OK hi\r\n" + b"\r\n" * MAX_STRAY_LINES + b"what\r\n")
    assert reader.next_reply() == Pop3Reply(True, "+OK hi")
    with pytest.raises(WireError, match="not a POP3 reply: 'what'"):
        reader.next_reply()


def test_an_endless_list_is_refused() -> None:
    """A list goes on no longer than its limit."""
    reader = Pop3Reader()
    reader.feed(b"+OK\r\n" + b"X\r\n" * (MAX_REPLY_LINES + 1))
    with pytest.raises(WireError, match="more than 200 lines"):
        reader.next_reply(multiline=True)


@given(st.binary(max_size=400), st.booleans())
def test_nothing_but_its_own_error_comes_out(data: bytes, multiline: bool) -> None:
    """Whatever comes, the reader gives replies, asks for more, or raises WireError."""
    reader = Pop3Reader()
    reader.feed(data)
    try:
        while reader.next_reply(multiline=multiline) is not None:
            pass
    except WireError:
        pass


@pytest.mark.parametrize(
    ("capabilities", "greeting", "expected"),
    [
        (["TOP", "SASL PLAIN LOGIN", "USER"], "+OK", ("PLAIN", "LOGIN", "USER")),
        (["SASL"], "+OK", ()),
        (["sasl plain", "AUTH=LOGIN"], "+OK", ("PLAIN", "LOGIN")),
        (["SASL PLAIN PLAIN"], "+OK ready <1896.697170952@dbc.mtview.ca.us>", ("PLAIN", "APOP")),
        ([], "+OK <not a stamp>", ()),
    ],
)
def test_mechanisms_are_gathered_from_capabilities_and_stamp(capabilities: list[str], greeting: str, expected: tuple[str, ...]) -> None:
    """The SASL list, USER, and APOP for a stamp, each once and in order."""
    assert mechanisms(capabilities, greeting) == expected


def test_a_stamp_is_a_message_id() -> None:
    """Only what looks like a message-id offers APOP."""
    assert has_stamp("+OK QPOP <1.2@host>")
    assert not has_stamp("+OK 3 > 2 @ < x")


@pytest.mark.parametrize(
    ("lines", "takes"),
    [
        (["USER", "UTF8 USER"], True),
        (["utf8 user"], True),
        (["UTF8"], False),
        (["USER", "SASL PLAIN"], False),
        (["LANG UTF8 USER"], False),
        ([""], False),
    ],
)
def test_utf8_names_are_taken_where_the_server_says_so(lines: list[str], takes: bool) -> None:
    """RFC 6856: the capability UTF8, with the argument USER."""
    assert takes_utf8_names(lines) is takes
