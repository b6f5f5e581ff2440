"""Reads IMAP greetings and answers from bytes (RFC 3501, 9051, 2971)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from probe.model.values import dataclass
from probe.wire.lines import LineBuffer, StrayLines, WireError, as_text, in_quotes

MAX_ANSWER_LINES = 200
"""Untagged responses before the tagged one. CAPABILITY, ID and STARTTLS draw one or two."""
MAX_ANSWER_BYTES = 64 * 1024
MAX_LITERAL_BYTES = 8192
"""As a line. The longest that belongs here is a value of ID, 1,024 octets (RFC 2971 section 3.3)."""

_STATUSES = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
_LITERAL = re.compile(rb"~?\{(\d{1,10})\+?\}\Z")
_CODE = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class ImapResponse:
    """One response of the server, literals written as quoted strings."""

    tag: str
    """The tag of a command of ours, or `*`."""
    kind: str
    """Its first word, upper-case: `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`, or the name of the data, as `CAPABILITY`."""
    data: str
    """What follows the kind."""
    text: str
    """The whole response, its tag included."""

    @property
    def code(self) -> str:
        """The response code of a status, without its brackets; empty where there is none."""
        found = _CODE.match(self.data) if self.kind in _STATUSES else None
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class ImapAnswer:
    """The answer to one command."""

    last: ImapResponse
    """Its tagged status, or the BYE with which the server ended the conversation instead."""
    untagged: tuple[ImapResponse, ...] = ()
    """The responses before that."""

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.last.kind == "OK"


class ImapReader:
    """Feed it bytes, ask for the greeting and then for the answer to each command, which must not be pipelined.

    Anything but WireError out of it is our bug. A human text that ends in braces announces no literal, since
    status responses have none.
    """

    def __init__(self) -> None:
        self._buffer = LineBuffer()
        self._strays = StrayLines("IMAP")
        self._line = bytearray()
        self._awaited: int | None = None
        self._untagged: list[ImapResponse] = []
        self._size = 0

    @property
    def stray(self) -> str:
        """The first line since the last answer that was skipped as none; empty where no line was."""
        return self._strays.first

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._buffer.feed(data)

    def next_greeting(self) -> ImapResponse | None:
        """The greeting, or None while more bytes are needed. Beside OK, PREAUTH and BYE it may be NO or BAD, by which some servers refuse."""
        while (response := self._next_response()) is not None:
            if response.tag == "*" and response.kind in _STATUSES:
                self._answered()
                return response
            self._strays.pass_over(response.text.encode())
        return None

    def next_answer(self, tag: str) -> ImapAnswer | None:
        """The answer to the command of that tag, or None while more bytes are needed."""
        while (response := self._next_response()) is not None:
            if self._belongs(response, tag) and (answer := self._take(response)) is not None:
                return answer
        return None

    def _belongs(self, response: ImapResponse, tag: str) -> bool:
        """Whether a response is part of the answer to the command of that tag; what is not is passed over."""
        is_last = response.tag.upper() == tag.upper() and response.kind in ("OK", "NO", "BAD")
        if response.tag != "*" and not is_last:
            self._strays.pass_over(response.text.encode())
        return response.tag == "*" or is_last

    def _take(self, response: ImapResponse) -> ImapAnswer | None:
        if response.tag == "*" and response.kind != "BYE":
            if len(self._untagged) == MAX_ANSWER_LINES:
                raise WireError(f"an answer of more than {MAX_ANSWER_LINES} lines")
            self._untagged.append(response)
            return None
        answer = ImapAnswer(response, tuple(self._untagged))
        self._untagged = []
        self._answered()
        return answer

    def _answered(self) -> None:
        self._size = 0
        self._strays.answered()

    def next_response(self, tag: str, *, may_challenge: bool = False) -> ImapResponse | None:
        """The next response that belongs to the answer to the command of that tag, or None while more bytes are needed.

        For a reader that wants them one by one, within the bounds of a whole answer. `may_challenge` lets through what asks for more.
        """
        while (response := self._next_response()) is not None:
            if may_challenge and response.tag == "+":
                return response
            if self._belongs(response, tag):
                self._take(response)
                return response
        return None

    def take_rest(self) -> bytes:
        """What came after the last answer; at STARTTLS it must be nothing (RFC 9051 section 6.2.1)."""
        return self._buffer.take_rest()

    def _next_response(self) -> ImapResponse | None:
        while True:
            if self._awaited is not None:
                literal = self._buffer.next_bytes(self._awaited)
                if literal is None:
                    return None
                self._awaited = None
                self._line += quoted(as_text(literal)).encode()
                self._count(len(literal))
            line = self._buffer.next_line()
            if line is None:
                return None
            self._count(len(line) + 2)
            if line[:1] == b"+" and not self._line:
                return ImapResponse("+", "+", as_text(line[1:]).strip(), as_text(line))
            announced = _LITERAL.search(line)
            if announced is None or _is_status(bytes(self._line[:80]) or line):
                whole = bytes(self._line) + line
                self._line.clear()
                if (response := _response(as_text(whole))) is not None:
                    return response
                self._strays.pass_over(whole)
                continue
            self._awaited = int(announced[1])
            if self._awaited > MAX_LITERAL_BYTES:
                raise WireError(f"a literal of {self._awaited} bytes, where {MAX_LITERAL_BYTES} are taken")
            self._line += line[: announced.start()]

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ANSWER_BYTES:
            raise WireError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")


def _is_status(line: bytes) -> bool:
    words = line[:80].split(None, 2)
    return words[:1] != [b"*"] or words[1:2] == [] or words[1].upper().decode("ascii", "replace") in _STATUSES


def _response(text: str) -> ImapResponse | None:
    """A response, None for a line that has not even a tag and a word."""
    tag, _, rest = text.replace("\t", " ").partition(" ")
    kind = rest.split(maxsplit=1)[0] if rest.strip() else ""
    if not tag or not kind:
        return None
    # Found in the text as it was said, so that the tabs of a greeting stay.
    start = text.index(kind, len(tag) + 1) + len(kind)
    return ImapResponse(tag, kind.upper(), text[start:].strip(), text)


def quoted(text: str) -> str:
    """A quoted string (RFC 9051 section 4.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plain_line(response: ImapResponse) -> bytes:
    """A response as one line that no client reads as two: no literal, and nothing at its end that would announce one."""
    line = f"{response.tag.upper()} {response.kind} {response.data}" if response.tag != "+" else f"+ {response.data}"
    return f"{line} \r\n".encode() if line.endswith("}") else f"{line}\r\n".encode()


def capabilities(answer: ImapAnswer) -> tuple[str, ...] | None:
    """The capabilities that an answer lists, as written: the latest untagged list, else that of a response code; None without either."""
    for response in reversed(answer.untagged):
        if response.kind == "CAPABILITY":
            return tuple(response.data.split())
    for response in (answer.last, *reversed(answer.untagged)):
        if (listed := announced_capabilities(response)) is not None:
            return listed
    return None


def announced_capabilities(response: ImapResponse) -> tuple[str, ...] | None:
    """The capabilities that a greeting or another OK carries in its response code (RFC 9051 section 7.1), None where it carries none."""
    name, *listed = response.code.split() or [""]
    return tuple(listed) if response.kind in ("OK", "PREAUTH") and name.upper() == "CAPABILITY" else None


def mechanisms(capabilities: Iterable[str]) -> tuple[str, ...]:
    """How one may sign in: each `AUTH=`, and `LOGIN` for the command of that name unless it is disabled (RFC 9051 section 6.2.3)."""
    names = [name.upper() for name in capabilities]
    found = [name[5:] for name in names if name.startswith("AUTH=") and len(name) > 5]
    if "LOGINDISABLED" not in names:
        found.append("LOGIN")
    return tuple(dict.fromkeys(found))


def identity(answer: ImapAnswer) -> tuple[tuple[str, str | None], ...] | None:
    """What the server says of itself in an answer to ID, by field (RFC 2971); empty for NIL, None where it says nothing.

    Raises WireError for a list that is none.
    """
    told = [response.data for response in answer.untagged if response.kind == "ID"]
    return _fields(told[-1]) if told else None


def _fields(data: str) -> tuple[tuple[str, str | None], ...]:
    if data.upper() in ("NIL", "()"):
        return ()
    if not (data.startswith("(") and data.endswith(")")):
        raise WireError(f"an ID that is no list: {in_quotes(data)}")
    values = list(_strings(data[1:-1]))
    if len(values) % 2:
        raise WireError(f"an ID with a field that has no value: {in_quotes(data)}")
    fields: list[tuple[str, str | None]] = []
    for name, value in zip(values[::2], values[1::2], strict=True):
        if name is None:
            raise WireError(f"an ID with a field that has no name: {in_quotes(data)}")
        fields.append((name, value))
    return tuple(fields)


# A quoted string, or a bare word where an older server does not quote. No part can match what another does, so that this is linear.
# Some servers put commas between the strings, as no grammar has it.
_STRING = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^\s"(),]+))[\s,]*')


def _strings(data: str) -> Iterator[str | None]:
    """The strings of a list, None for NIL."""
    position = 0
    data = data.strip()
    while position < len(data):
        found = _STRING.match(data, position)
        if found is None:
            raise WireError(f"an ID that is no list of strings: {in_quotes(data[position:])}")
        if found[1] is not None:
            yield re.sub(r"\\(.)", r"\1", found[1])
        else:
            yield None if found[2].upper() == "NIL" else found[2]
        position = found.end()
