"""The line buffer that all text protocols share, and its limits."""

from __future__ import annotations

import re
import sys

from probe.model.characters import visible


class WireError(Exception):
    """The bytes are not the protocol. The message is one sentence about what came."""


MAX_LINE_BYTES = 8192
"""Longest line taken. POP3 allows 512 octets (RFC 2449 section 4), SMTP 512 (RFC 5321 section 4.5.3.1.5); real servers exceed both a little."""


class LineBuffer:
    """A buffer of bytes that gives line by line.

    It gives the same lines however the bytes arrive. A bare LF ends a line as CRLF does, and so does an LF after several CRs, because
    some servers send them. Bytes are searched only once, so that feeding byte by byte stays linear.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._bytes = bytearray()
        self._searched = 0
        self._limit = limit

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._bytes += data

    def next_line(self) -> bytes | None:
        """The next line without its end, or None while it is not complete. Raises WireError for an endless one."""
        end = self._bytes.find(b"\n", self._searched)
        if (end if end >= 0 else len(self._bytes)) > self._limit:
            raise WireError(f"a line of more than {self._limit} bytes")
        if end < 0:
            self._searched = len(self._bytes)
            return None
        line = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        self._searched = 0
        return line.rstrip(b"\r")

    def next_bytes(self, count: int) -> bytes | None:
        """So many bytes, whatever they are, or None while there are fewer."""
        if len(self._bytes) < count:
            return None
        data = bytes(self._bytes[:count])
        del self._bytes[:count]
        self._searched = 0
        return data

    def take_rest(self) -> bytes:
        """Everything that is left, which the buffer then forgets."""
        rest = bytes(self._bytes)
        self._bytes.clear()
        self._searched = 0
        return rest


MAX_STRAY_LINES = 20
"""Lines that answer nothing and are passed over before one answer; the reports tell of one or two."""

_GREETINGS = {
    "SMTP": re.compile(rb"\d{3}[ -]"),
    "POP3": re.compile(rb"\+OK|-ERR", re.IGNORECASE),
    "IMAP": re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE),
    "HTTP": re.compile(rb"HTTP/|<"),
    "SSH": re.compile(rb"SSH-"),
}
"""How servers of other protocols begin. A client of the wrong protocol should not wait for more after that."""


class StrayLines:
    """Lines that are no answer. A reader skips them as mail programs do, within bounds.

    An empty line, the rest of a sentence, or a warning of some library within the conversation does not matter. The very first line
    does, where it is the greeting of another protocol.
    """

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._is_begun = False
        self._count = 0
        self.first = ""
        """The first that was skipped since the last answer, printable; empty where no line was. Empty lines do not count."""

    def pass_over(self, line: bytes) -> None:
        """Raises WireError where it begins another protocol, or where there are too many."""
        self._count += 1
        if line.strip() and not self.first:
            self.first = as_text(line)
        is_foreign = not self._is_begun and any(g.match(line) for name, g in _GREETINGS.items() if name != self._protocol)
        if is_foreign or self._count > MAX_STRAY_LINES:
            raise self.error()

    def answered(self) -> None:
        """An answer has come: forget what was skipped before it."""
        self._is_begun, self._count, self.first = True, 0, ""

    def error(self) -> WireError:
        """What to raise where nothing but such lines came."""
        return WireError(f"not {'an' if self._protocol[0] in 'IS' else 'a'} {self._protocol} reply: {in_quotes(self.first)}")


def in_quotes(text: str, most: int = 80) -> str:
    """The beginning of a text that `as_text` made, in quotes: each byte looks as it does wherever else it is told."""
    return f"'{text[:most]}'"


def as_text(data: bytes) -> str:
    """Bytes of a peer as visible text: UTF-8 where it is UTF-8, `\\xNN` for any other byte, escapes for what a terminal obeys.

    So a peer can neither break a document nor control the reader's terminal. The tab, which occurs in greetings, stays.
    """
    return visible(data.decode("utf-8", "backslashreplace"))


_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


def as_bytes(text: str) -> bytes:
    """The bytes that `as_text` made this text of, as far as it tells: each escape is a byte or a character again."""

    def said(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes.fromhex(found[1].decode())
        code = int(found[2] or found[3], 16)
        return chr(code).encode("utf-8", "replace") if code <= sys.maxunicode else found[0]

    return _ESCAPE.sub(said, text.encode("utf-8", "replace"))
