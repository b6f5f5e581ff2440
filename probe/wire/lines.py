"""The line buffer that all text protocols share, and its limits."""

from __future__ import annotations

from probe.model.characters import visible


class WireError(Exception):
    """What came is not the protocol; the message is one sentence about what came."""


MAX_LINE_BYTES = 8192
"""Longest line taken. POP3 allows 512 octets (RFC 2449 section 4), SMTP 512 (RFC 5321 section 4.5.3.1.5); real servers exceed both a little."""


class LineBuffer:
    """Bytes not yet understood, given out line by line.

    Fed any way the network likes, it gives the same lines. A bare LF ends a line as CRLF does, since servers
    that send it exist; what is searched once is not searched again, so that byte-wise feeding stays linear.
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
        return line.removesuffix(b"\r")

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


def as_text(data: bytes) -> str:
    """Bytes of a peer as visible text: UTF-8 where it is UTF-8, `\\xNN` for any other byte, escapes for what a terminal obeys.

    So a peer can neither break a document nor drive the reader's terminal; the tab, which occurs in greetings, stays.
    """
    return visible(data.decode("utf-8", "backslashreplace"))
