"""Tests of the IMAP reader."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.imap import (
    MAX_ANSWER_LINES,
    ImapAnswer,
    ImapReader,
    ImapResponse,
    announced_capabilities,
    capabilities,
    identity,
    mechanisms,
    plain_line,
)
from probe.wire.lines import MAX_STRAY_LINES, WireError

GREETINGS = [
    (b"* OK Dovecot ready.\r\n", ImapResponse("*", "OK", "Dovecot ready.", "* OK Dovecot ready.")),
    (b"* OK\n", ImapResponse("*", "OK", "", "* OK")),
    (b"* preauth welcome\r\n", ImapResponse("*", "PREAUTH", "welcome", "* preauth welcome")),
    (b"* BYE {5}\r\n", ImapResponse("*", "BYE", "{5}", "* BYE {5}")),
    (b"*  OK\ta\tb\r\n", ImapResponse("*", "OK", "a\tb", "*  OK\ta\tb")),
    (b"* OK Verf\xfcgung\r\n", ImapResponse("*", "OK", "Verf\\xfcgung", "* OK Verf\\xfcgung")),
]

ANSWERS = [
    (b"a1 OK !!\r\n", ImapAnswer(ImapResponse("a1", "OK", "!!", "a1 OK !!"))),
    (b"A1 no {3}\r\n", ImapAnswer(ImapResponse("A1", "NO", "{3}", "A1 no {3}"))),
    (
        b"* CAPABILITY IMAP4rev1\n* OK {2}\na1 OK done\n",
        ImapAnswer(
            ImapResponse("a1", "OK", "done", "a1 OK done"),
            (ImapResponse("*", "CAPABILITY", "IMAP4rev1", "* CAPABILITY IMAP4rev1"), ImapResponse("*", "OK", "{2}", "* OK {2}")),
        ),
    ),
    (b"* BYE enough\r\n", ImapAnswer(ImapResponse("*", "BYE", "enough", "* BYE enough"))),
]


def answer_of(data: bytes, tag: str = "a1") -> ImapAnswer:
    """The answer that some bytes make."""
    reader = ImapReader()
    reader.feed(data)
    answer = reader.next_answer(tag)
    assert answer is not None
    return answer


@pytest.mark.parametrize(("data", "expected"), GREETINGS)
@pytest.mark.parametrize("trailing", [b"", b"* OK next\r\n"])
def test_a_greeting_is_the_same_whole_byte_by_byte_and_with_trailing_bytes(data: bytes, expected: ImapResponse, trailing: bytes) -> None:
    """However its bytes come, a greeting reads the same, and what follows is left alone."""
    whole = ImapReader()
    whole.feed(data + trailing)
    assert whole.next_greeting() == expected
    assert whole.take_rest() == trailing
    slowly = ImapReader()
    greetings = []
    for number in data:
        slowly.feed(bytes([number]))
        greetings.append(slowly.next_greeting())
    assert greetings == [None] * (len(data) - 1) + [expected]


@pytest.mark.parametrize(("data", "expected"), ANSWERS)
@pytest.mark.parametrize("trailing", [b"", b"* OK next\r\n"])
def test_an_answer_is_the_same_whole_byte_by_byte_and_with_trailing_bytes(data: bytes, expected: ImapAnswer, trailing: bytes) -> None:
    """However its bytes come, an answer reads the same, and what follows is left alone."""
    whole = ImapReader()
    whole.feed(data + trailing)
    assert whole.next_answer("a1") == expected
    assert whole.take_rest() == trailing
    assert _slowly(data) == [None] * (len(data) - 1) + [expected]


def _slowly(data: bytes) -> list[ImapAnswer | None]:
    reader = ImapReader()
    answers = []
    for number in data:
        reader.feed(bytes([number]))
        answers.append(reader.next_answer("a1"))
    return answers


def test_a_literal_reads_as_a_string() -> None:
    """A literal may hold any bytes, line ends and brackets too, whole or byte by byte; what follows it belongs to the same response."""
    data = b'* ID ("name" {8}\r\na"\\)\r\n(\xff "version" {0+}\r\n)\r\na1 OK\r\n'
    answer = answer_of(data)
    assert identity(answer) == (("name", 'a"\\)\\x0d\\x0a(\\xff'), ("version", ""))
    assert _slowly(data)[-1] == answer


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"+OK ready\r\n", r"not an IMAP reply: '\+OK ready'"),
        (b"220 mail.example ESMTP\r\n", "not an IMAP reply: '220 mail"),
        (b"\r\nSSH-2.0-OpenSSH\r\n", "not an IMAP reply: 'SSH-"),
        (b"hello\r\n" * (MAX_STRAY_LINES + 1), "not an IMAP reply: 'hello'"),
        (b"x" * 9000, "a line of more than"),
    ],
)
def test_what_is_no_greeting_is_refused(data: bytes, message: str) -> None:
    """The greeting of another protocol is no greeting, and neither is talk without end."""
    reader = ImapReader()
    reader.feed(data)
    with pytest.raises(WireError, match=message):
        reader.next_greeting()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a2 OK\r\n" * (MAX_STRAY_LINES + 1), "not an IMAP reply: 'a2 OK'"),
        (b"* X\r\n" * (MAX_ANSWER_LINES + 1), "more than 200 lines"),
        (b"* X " + b"y" * 8000 + b"\r\n", None),
        ((b"* X " + b"y" * 8000 + b"\r\n") * 9, "more than 65536 bytes"),
        (b"* ID {8193}\r\n", "a literal of 8193 bytes"),
        (b"* ID {9999999999}\r\n", "a literal of 9999999999 bytes"),
        (b"* ID {8000}\r\n" + (b"z" * 8000 + b"{8000}\r\n") * 9, "more than 65536 bytes"),
    ],
)
def test_an_answer_has_limits(data: bytes, message: str | None) -> None:
    """Foreign tags without end, and answers beyond the limits in lines, bytes and literals, are refused."""
    reader = ImapReader()
    reader.feed(data)
    if message is None:
        assert reader.next_answer("a1") is None
        return
    with pytest.raises(WireError, match=message):
        reader.next_answer("a1")


@pytest.mark.parametrize(
    "stray", [b"\r\n", b"CAPABILITY completed.\r\n", b"* \r\n", b"a0 OK of another\r\n", b"+ go on\r\n", b"a1 MAYBE\r\n", b"\xff\xfe\r\n"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_that_answers_nothing_is_passed_over(stray: bytes, place: int) -> None:
    """Before the list, behind it, or behind the answer: whole and byte by byte the answers are the same as without it."""
    lines = [b"* CAPABILITY IMAP4rev1\r\n", b"a1 OK done\r\n", b"a2 OK next\r\n"]
    data = b"".join([*lines[:place], stray, *lines[place:]])

    def answers(pieces: list[bytes]) -> list[object]:
        reader, found = ImapReader(), list[object]()
        for piece in pieces:
            reader.feed(piece)
            while len(found) < 2 and (answer := reader.next_answer(f"a{len(found) + 1}")) is not None:
                found.append(answer)
        return found

    good = answers([b"".join(lines)])
    assert len(good) == 2
    assert answers([data]) == answers([data[n : n + 1] for n in range(len(data))]) == good


@pytest.mark.parametrize("kind", ["OK", "PREAUTH", "BYE", "NO", "BAD"])
def test_a_greeting_may_be_a_refusal_in_any_form(kind: str) -> None:
    """Some servers refuse by NO or BAD, and some say a line before they greet."""
    reader = ImapReader()
    reader.feed(f"\r\nhello\r\n* {kind} words\r\n".encode())
    greeting = reader.next_greeting()
    assert greeting is not None
    assert (greeting.kind, greeting.data) == (kind, "words")


def test_the_limit_is_that_of_one_answer() -> None:
    """A long conversation of short answers is no long answer."""
    reader = ImapReader()
    reader.feed(b"* OK " + b"x" * 8000 + b"\r\n")
    assert reader.next_greeting()
    for number in range(50):
        reader.feed(b"* X " + b"y" * 8000 + f"\r\na{number} OK\r\n".encode())
        assert reader.next_answer(f"a{number}")


def test_many_empty_literals_cost_little() -> None:
    """Literals without a byte in them, as many as an answer holds, are read in well under a second."""
    reader = ImapReader()
    reader.feed(b"* ID (" + b"{0}\r\n" * 20_000)
    began = time.process_time()
    with pytest.raises(WireError, match="more than 65536 bytes"):
        reader.next_answer("a1")
    assert time.process_time() - began < 1.0


@given(
    st.binary(max_size=400) | st.lists(st.sampled_from([b"* ", b"a1 ", b"OK", b"ID (", b'"', b"{3}", b"\r\n", b"\\", b")"])).map(b"".join)
)
def test_nothing_but_its_own_error_comes_out(data: bytes) -> None:
    """Whatever comes, the reader gives responses, asks for more, or raises WireError."""
    reader = ImapReader()
    reader.feed(data)
    try:
        if reader.next_greeting() is None:
            return
        while (answer := reader.next_answer("a1")) is not None:
            capabilities(answer)
            identity(answer)
    except WireError:
        pass


@given(
    st.lists(
        st.sampled_from([b"* ", b"a1 ", b"+ ", b"OK", b"7 FETCH (", b'"', b"{3}", b"{12345678901}", b"}", b"\r\n", b"\0\r\xff", b"x"])
    ).map(b"".join),
    st.integers(min_value=1, max_value=7),
)
def test_a_client_gets_lines_that_it_cannot_misread(data: bytes, size: int) -> None:
    """Response by response, each is one line that announces no literal, however the bytes arrive."""
    lines = lines_for_a_client([data])
    assert lines_for_a_client([data[at : at + size] for at in range(0, len(data), size)]) == lines
    for line in lines:
        assert line.endswith(b"\r\n")
        assert b"\n" not in line[:-2]
        assert b"\r" not in line[:-2]
        assert not line.endswith(b"}\r\n")


def lines_for_a_client(pieces: Iterable[bytes]) -> list[bytes]:
    """What a client is handed of what comes, up to what is refused."""
    reader, lines = ImapReader(), []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (response := reader.next_response("a1", may_challenge=True)) is not None:
                lines.append(plain_line(response))
    except WireError:
        pass
    return lines


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a1 ok fine", b"A1 OK fine\r\n"),
        ('* 7 FETCH (UID 7 BODY[] {3}\r\na"b)', b'* 7 FETCH (UID 7 BODY[] "a\\"b")\r\n'),
        ("* NO see {5}", b"* NO see {5} \r\n"),
        ("+ bWVobA==", b"+ bWVobA==\r\n"),
        ("+", b"+ \r\n"),
    ],
)
def test_a_response_is_written_plainly(said: str, expected: bytes) -> None:
    """Tag and kind in capitals, a literal as a quoted string, and no brace at the end."""
    reader = ImapReader()
    reader.feed(said.encode() + b"\r\n")
    response = reader.next_response("a1", may_challenge=True)
    assert response is not None
    assert plain_line(response) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done", ("IMAP4rev1", "AUTH=PLAIN")),
        ("* capability\timap4rev1  starttls \r\na1 ok done", ("imap4rev1", "starttls")),
        ("* CAPABILITY one\r\n* CAPABILITY two\r\na1 OK [CAPABILITY three] done", ("two",)),
        ("a1 OK [CAPABILITY IMAP4rev1 ID] done", ("IMAP4rev1", "ID")),
        ("* OK [capability IMAP4rev2] hm\r\na1 OK done", ("IMAP4rev2",)),
        ("* CAPABILITY\r\na1 OK done", ()),
        ("* CAPABILITY st11p00mm-iscream009 1Q49 IMAP4rev1\r\na1 OK", ("st11p00mm-iscream009", "1Q49", "IMAP4rev1")),
        ("a1 OK !!", None),
        ("a1 NO [CAPABILITY IMAP4rev1] no", None),
        ("a1 OK [CAPABILITY IMAP4rev1", None),
    ],
)
def test_capabilities_are_those_of_the_latest_list(said: str, expected: tuple[str, ...] | None) -> None:
    """An untagged list counts before one in a response code, and a later one before an earlier."""
    assert capabilities(answer_of(said.encode() + b"\r\n")) == expected


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        ("* OK [CAPABILITY IMAP4rev1 ID] ready", ("IMAP4rev1", "ID")),
        ("* PREAUTH [CAPABILITY IMAP4rev1] ready", ("IMAP4rev1",)),
        ("* OK [ALERT] ready", None),
        ("* OK ready [CAPABILITY IMAP4rev1]", None),
        ("* BYE [CAPABILITY IMAP4rev1]", None),
    ],
)
def test_a_greeting_may_carry_capabilities(greeting: str, expected: tuple[str, ...] | None) -> None:
    """A list in the response code of a greeting is a list, elsewhere in its text it is not."""
    reader = ImapReader()
    reader.feed(greeting.encode() + b"\r\n")
    response = reader.next_greeting()
    assert response is not None
    assert announced_capabilities(response) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["IMAP4rev1", "AUTH=PLAIN", "auth=xoauth2"], ("PLAIN", "XOAUTH2", "LOGIN")),
        (["IMAP4rev1", "STARTTLS", "LoginDisabled"], ()),
        (["AUTH=LOGIN", "AUTH=PLAIN", "AUTH="], ("LOGIN", "PLAIN")),
        ([], ("LOGIN",)),
    ],
)
def test_mechanisms_are_gathered_from_capabilities(listed: list[str], expected: tuple[str, ...]) -> None:
    """Each AUTH=, and LOGIN unless it is disabled, each once and in order."""
    assert mechanisms(listed) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('* ID ("name" "Cyrus IMAPD" "version" "3.6.1" "os" NIL)', (("name", "Cyrus IMAPD"), ("version", "3.6.1"), ("os", None))),
        ('* id ( "NAME" "Zimbra"  "VERSION"\t"8.6" )', (("NAME", "Zimbra"), ("VERSION", "8.6"))),
        ("* ID (name Dovecot version nil)", (("name", "Dovecot"), ("version", None))),
        ('* ID ("a\\"b" "c\\\\d)")', (('a"b', "c\\d)"),)),
        ('* ID ("name", "Acme, Inc. Mail", "version", "2.1")', (("name", "Acme, Inc. Mail"), ("version", "2.1"))),
        ('* ID ("name" "Acme","version" nil,"os","x",)', (("name", "Acme"), ("version", None), ("os", "x"))),
        ("* ID (name Acme, version 2.1)", (("name", "Acme"), ("version", "2.1"))),
        ("* ID NIL", ()),
        ("* ID nil", ()),
        ("* ID ()", ()),
        ("* ID ( )", ()),
        ("* OK nothing to say", None),
    ],
)
def test_an_identity_is_read_by_field(said: str, expected: tuple[tuple[str, str | None], ...] | None) -> None:
    """Names and values keep their case and order, also where commas part them; NIL, and an empty list, tell of nothing."""
    assert identity(answer_of(f"{said}\r\na1 OK done\r\n".encode())) == expected


@pytest.mark.parametrize("data", ['"name" "x"', '("name" "x"', '("name" "x)', '("name")', '(NIL "x")', '("a" ("b"))', "x", ""])
def test_a_list_that_is_none_is_refused(data: str) -> None:
    """What is no list of names and values is told, and nothing of it is believed."""
    with pytest.raises(WireError, match="an ID "):
        identity(answer_of(f"* ID {data}\r\na1 OK done\r\n".encode()))
