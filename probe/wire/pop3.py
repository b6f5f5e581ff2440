"""Reads POP3 replies from bytes (RFC 1939, 2449, 5034, 6856)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from probe.model.values import dataclass
from probe.wire.lines import LineBuffer, StrayLines, WireError, as_text

MAX_REPLY_LINES = 200
"""Lines of a multi-line reply. The longest CAPA list seen has 20."""
MAX_REPLY_BYTES = 64 * 1024

_STATUS = re.compile(rb"(\+OK|-ERR)", re.IGNORECASE)
_CHALLENGE = re.compile(rb"\+(?: |\Z)")


@dataclass(frozen=True, slots=True)
class Pop3Reply:
    """One reply of the server."""

    ok: bool
    text: str
    """The first line, with its `+OK` or `-ERR`."""
    lines: tuple[str, ...] = ()
    """The further lines of a multi-line reply, dots removed, without the last."""


class Pop3Reader:
    """Feed it bytes and ask for replies.

    Any exception other than WireError is our bug. The reader does not know the command: the caller says whether a good
    reply has several lines (`multiline`), because RFC 1939 makes that depend on the command.
    """

    def __init__(self) -> None:
        self._buffer = LineBuffer()
        self._strays = StrayLines("POP3")
        self._first: str | None = None
        self._lines: list[str] = []
        self._size = 0

    @property
    def stray(self) -> str:
        """The first line since the last reply that was skipped as none; empty where no line was."""
        return self._strays.first

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._buffer.feed(data)

    def next_reply(self, *, multiline: bool = False) -> Pop3Reply | None:
        """The next reply, or None while more bytes are needed."""
        while (line := self._buffer.next_line()) is not None:
            if self._first is None:
                reply = self._status(line)
                if reply is None or (reply.ok and multiline):
                    self._first = None if reply is None else reply.text
                    continue
                return reply
            if line.rstrip() == b".":
                reply = Pop3Reply(True, self._first, tuple(self._lines))
                self._first, self._lines, self._size = None, [], 0
                return reply
            self._size += len(line)
            if len(self._lines) == MAX_REPLY_LINES or self._size > MAX_REPLY_BYTES:
                raise WireError(f"a reply of more than {MAX_REPLY_LINES} lines or {MAX_REPLY_BYTES} bytes")
            self._lines.append(as_text(line).removeprefix("."))
        return None

    def next_challenge(self) -> bytes | Pop3Reply | None:
        """In the middle of AUTH: the next challenge, in base64 as it came (RFC 5034 section 4), or the reply that ends it."""
        while (line := self._buffer.next_line()) is not None:
            if _CHALLENGE.match(line):
                self._strays.answered()
                return line[1:].strip()
            if (reply := self._status(line)) is not None:
                return reply
        return None

    def _status(self, line: bytes) -> Pop3Reply | None:
        """The reply that a line begins; None for a line that is skipped."""
        found = _STATUS.match(line)
        if found is None:
            self._strays.pass_over(line)
            return None
        self._strays.answered()
        return Pop3Reply(found[1].upper() == b"+OK", as_text(line))

    def take_rest(self) -> bytes:
        """What came after the last reply; at STLS it must be nothing (RFC 2595 section 4)."""
        return self._buffer.take_rest()


def mechanisms(capabilities: Iterable[str], greeting: str) -> tuple[str, ...]:
    """How one may sign in, by CAPA: the SASL list, `USER` (RFC 2449 section 6), and `APOP` for a stamp in the greeting."""
    found: list[str] = []
    for line in capabilities:
        name, *arguments = line.upper().split()[:50] or [""]
        if name in ("SASL", "AUTH"):
            found += arguments
        elif name.startswith(("SASL=", "AUTH=")):
            found.append(name[5:])
        elif name == "USER":
            found.append(name)
    if has_stamp(greeting):
        found.append("APOP")
    return tuple(dict.fromkeys(found))


def takes_utf8_names(capabilities: Iterable[str]) -> bool:
    """Whether USER and PASS take UTF-8, which `UTF8 USER` says (RFC 6856 section 2.2)."""
    return any(line.upper().split()[:50][:1] == ["UTF8"] and "USER" in line.upper().split()[1:50] for line in capabilities)


def login_delay(capabilities: Iterable[str]) -> int | None:
    """Seconds between logins that `LOGIN-DELAY` asks for (RFC 2449 section 6.5); None where nothing is asked."""
    for line in capabilities:
        name, *arguments = line.upper().split()[:3] or [""]
        if name == "LOGIN-DELAY" and arguments and arguments[0].isascii() and arguments[0].isdigit() and len(arguments[0]) < 8:
            return int(arguments[0])
    return None


def has_stamp(greeting: str) -> bool:
    """Whether the greeting ends in a message-id, which offers APOP (RFC 1939 section 7)."""
    start, _, rest = greeting.rpartition("<")
    inside, closes, _ = rest.partition(">")
    return bool(start and closes and "@" in inside and " " not in inside)
