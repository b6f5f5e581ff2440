"""Tests of the SMTP reader, and of what is read out of replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.lines import MAX_STRAY_LINES, WireError
from probe.wire.smtp import (
    MAX_REPLY_LINES,
    SmtpReader,
    SmtpReply,
    address_literal,
    client_name,
    extensions,
    knows_no_ehlo,
    mechanisms,
    offers,
    own_line,
    plain_reply,
)

CASES = [
    (b"220 mail.example.test ESMTP\r\n", SmtpReply(220, ("220 mail.example.test ESMTP",))),
    (b"250\r\n", SmtpReply(250, ("250",))),
    (b"250-a\n250-b\n250 c\n", SmtpReply(250, ("250-a", "250-b", "250 c"))),
    (b"250-STARTTLS\r\n250AUTH LOGIN PLAIN\r\n", SmtpReply(250, ("250-STARTTLS", "250AUTH LOGIN PLAIN"))),
    (b"250-a\r\r\n250\ttab\r\r\n", SmtpReply(250, ("250-a", "250\ttab"))),
    (b"\r\n220 behind an empty line\r\n", SmtpReply(220, ("220 behind an empty line",))),
    (b"ld.so: a warning\r\n220 hi\r\n", SmtpReply(220, ("220 hi",))),
    (b"250-a\r\n\r\nno code at all\r\n2500\r\n250 b\r\n", SmtpReply(250, ("250-a", "250 b"))),
    (b"535 \xb7\xa2 no\r\n", SmtpReply(535, ("535 \\xb7\\xa2 no",))),
    (b"250-a\r\n421 closing\r\n", SmtpReply(421, ("250-a", "421 closing"))),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
@pytest.mark.parametrize("trailing", [b"", b"250 next\r\n", b"\x16\x03\x01"])
def test_a_reply_is_the_same_whole_byte_by_byte_and_with_trailing_bytes(data: bytes, expected: SmtpReply, trailing: bytes) -> None:
    """However its bytes come, a reply reads the same, and what follows is left alone."""
    whole = SmtpReader()
    whole.feed(data + trailing)
    assert whole.next_reply() == expected
    assert whole.take_rest() == trailing

    slowly = SmtpReader()
    replies = []
    for number in data:
        slowly.feed(bytes([number]))
        if (reply := slowly.next_reply()) is not None:
            replies.append(reply)
    assert replies == [expected]
    assert slowly.stray == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"+OK POP3 ready\r\n", r"not an SMTP reply: '\+OK POP3"),
        (b"\r\n* OK IMAP4rev1\r\n", "not an SMTP reply"),
        (b"SSH-2.0-OpenSSH\r\n", "not an SMTP reply: 'SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not an SMTP reply: 'HTTP"),
        (b"220-hi\r\n" * (MAX_REPLY_LINES + 1), "more than 200 lines"),
        ((b"220-" + b"x" * 8000 + b"\r\n") * 9, "more than 200 lines or 65536 bytes"),
        (b"\r\n" * (MAX_STRAY_LINES + 1), "not an SMTP reply: ''"),
        (b"250-a\r\n" + b"b\r\n" * (MAX_STRAY_LINES + 1), "not an SMTP reply: 'b'"),
        (b"x" * 9000, "a line of more than 8192 bytes"),
    ],
)
def test_other_protocols_and_talk_without_end_are_refused(data: bytes, message: str) -> None:
    """The first line of another protocol ends it at once, and so do too many lines, bytes, or lines that are none."""
    reader = SmtpReader()
    reader.feed(data)
    with pytest.raises(WireError, match=message):
        reader.next_reply()


def test_another_protocols_words_are_no_greeting_later_on() -> None:
    """Once SMTP was spoken, a line that looks like another protocol's is a stray line as any."""
    reader = SmtpReader()
    reader.feed(b"220 hi\r\n+OK what\r\n250 ok\r\n")
    assert [reader.next_reply(), reader.next_reply()] == [SmtpReply(220, ("220 hi",)), SmtpReply(250, ("250 ok",))]


@given(st.binary(max_size=400))
def test_nothing_but_its_own_error_comes_out(data: bytes) -> None:
    """Whatever comes, the reader gives replies, asks for more, or raises WireError."""
    reader = SmtpReader()
    reader.feed(data)
    try:
        while (reply := reader.next_reply()) is not None:
            plain_reply(reply).decode()
    except WireError:
        pass


def test_what_is_there_before_a_command_answers_none_unless_it_refuses() -> None:
    """Good replies that nobody asked for are dropped; a refusal counts as the answer to what is asked next."""
    reader = SmtpReader()
    reader.feed(b"250 8BITMIME\r\n250 SIZE\r\n")
    reader.drop_unasked()
    reader.feed(b"220 go\r\n")
    assert reader.next_reply() == SmtpReply(220, ("220 go",))
    reader.feed(b"250 more\r\n421 closing\r\n250 never\r\n")
    reader.drop_unasked()
    assert reader.next_reply() == SmtpReply(421, ("421 closing",))


def test_a_list_goes_on_behind_what_looked_like_its_last_line() -> None:
    """Lines of the same code that have come already are of the list; a refusal among them waits for the next command."""
    reader = SmtpReader()
    reader.feed(b"250-mail\r\n250 SIZE 1\r\n250 STARTTLS\r\n220 what\r\n421 closing\r\n")
    reply = reader.next_reply()
    assert reply is not None
    assert extensions(reader.with_rest(reply)) == ("SIZE 1", "STARTTLS")
    assert reader.next_reply() == SmtpReply(421, ("421 closing",))


def test_a_reply_is_written_plainly_for_a_client_that_reads_no_other() -> None:
    """Its code, and the last of its words as far as one line holds them."""
    assert plain_reply(SmtpReply(250, ("250-STARTTLS", "250AUTH LOGIN"))) == b"250 AUTH LOGIN\r\n"
    assert plain_reply(SmtpReply(250, ("250",))) == b"250\r\n"
    assert len(plain_reply(SmtpReply(250, (f"250 {'x' * 60_000}",)))) < 300


@pytest.mark.parametrize(
    ("lines", "name", "listed"),
    [
        (("250-mail.example.test Hello", "250 STARTTLS"), "mail.example.test Hello", ("STARTTLS",)),
        (("250-STARTTLS", "250-SIZE 1000", "250 8BITMIME"), None, ("STARTTLS", "SIZE 1000", "8BITMIME")),
        (("250 auth=login plain",), None, ("auth=login plain",)),
        (("250 mail",), "mail", ()),
        (("250",), "", ()),
        (("250-size.example.test", "250 SIZE"), "size.example.test", ("SIZE",)),
    ],
)
def test_a_list_of_ehlo_may_begin_without_the_servers_own_line(lines: tuple[str, ...], name: str | None, listed: tuple[str, ...]) -> None:
    """A first line that begins with a keyword is an extension already."""
    reply = SmtpReply(250, lines)
    assert (own_line(reply), extensions(reply)) == (name, listed)


@pytest.mark.parametrize(
    ("listed", "is_offered"),
    [
        (("STARTTLS",), True),
        (("starttls ",), True),
        (("STARTTLS REQUIRED",), True),
        (("XSTARTTLS",), False),
        (("X STARTTLS",), False),
        ((), False),
    ],
)
def test_an_extension_is_offered_by_its_keyword(listed: tuple[str, ...], is_offered: bool) -> None:
    """In capitals or not, with parameters or without."""
    assert offers(listed, "STARTTLS") is is_offered


def test_mechanisms_are_of_both_styles() -> None:
    """`AUTH` and the old `AUTH=` are one list."""
    assert mechanisms(("AUTH=LOGIN", "AUTH LOGIN PLAIN", "SIZE 1")) == ("LOGIN", "PLAIN")


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("crm01.contoso.test", "crm01.contoso.test"),
        ("crm01", "localhost.localdomain"),
        ("", "localhost.localdomain"),
        ("a\r\nRCPT.test", "localhost.localdomain"),
        ("under_score.test", "localhost.localdomain"),
        (f"{'a.' * 200}test", "localhost.localdomain"),
    ],
)
def test_a_client_names_itself_by_a_domain(machine: str, name: str) -> None:
    """This machine's name where it is a domain, else the name of a machine that has none; never what would break the command."""
    assert client_name(machine) == name


def test_an_address_is_given_as_a_literal() -> None:
    """RFC 5321 section 4.1.3."""
    assert [address_literal(a) for a in ("192.0.2.1", "2001:db8::1")] == ["[192.0.2.1]", "[IPv6:2001:db8::1]"]


@pytest.mark.parametrize(("code", "is_unknown"), [(500, True), (502, True), (501, False), (504, False), (550, False)])
def test_an_unknown_command_is_no_refusal_of_a_name(code: int, is_unknown: bool) -> None:
    """RFC 5321 section 4.2.2: 500 and 502 are of the command; the others are of what stands behind it."""
    assert knows_no_ehlo(SmtpReply(code, (f"{code} no",))) is is_unknown
