"""The record layer: bytes off the network to records of TLS, or of SSLv2 where that was asked for."""

from __future__ import annotations

import enum

from probe.wire.lines import as_text, in_quotes
from probe.wire.tls.parsing import FlightError


class Content(enum.IntEnum):
    """What a record holds (RFC 8446 section 5.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    SSL2 = 128
    """A record of SSLv2, whose header names no content; a number that no TLS record has."""


MAX_RECORD_BYTES = 2**14 + 2048
"""Longest content of a record (RFC 5246 section 6.2.3); TLS 1.3 allows less, and nobody gains by the difference."""

_HEADER_BYTES = 5
_SSL2_HEADER_BYTES = 2
_MAJOR_VERSION = 3  # of SSLv3 and every TLS
_SHOWN_BYTES = 80  # of what is no TLS: enough to recognize a mail server's greeting or a web server's complaint


class Records:
    """A buffer of bytes that gives record by record."""

    __slots__ = ("_bytes", "_has_given", "_may_be_ssl2")

    def __init__(self, *, may_be_ssl2: bool) -> None:
        self._bytes = bytearray()
        self._may_be_ssl2 = may_be_ssl2
        self._has_given = False

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._bytes += data

    def next(self) -> tuple[Content, bytes] | None:
        """The next record's kind and content; None while it is not complete. Raises FlightError for what is none."""
        held = self._bytes
        if self._may_be_ssl2:
            if len(held) < 2:
                return None
            self._may_be_ssl2 = not _starts_a_tls_record(held)
            if self._may_be_ssl2:
                return self._next_of_ssl2()
        if not _starts_a_tls_record(held):
            shown = as_text(bytes(held[:_SHOWN_BYTES]))
            raise FlightError(f"the server sent no TLS record{' any more' if self._has_given else ''}: {in_quotes(shown)}")
        if len(held) < _HEADER_BYTES:
            return None
        size = held[3] << 8 | held[4]
        if not 0 < size <= MAX_RECORD_BYTES:
            raise FlightError(f"the server sent a TLS record of {size} bytes")
        if len(held) < _HEADER_BYTES + size:
            return None
        return self._give(Content(held[0]), _HEADER_BYTES, size)

    def _next_of_ssl2(self) -> tuple[Content, bytes] | None:
        """Two bytes of length, the highest bit set. The other form, with padding, is for encrypted records alone."""
        held = self._bytes
        size = (held[0] & 0x7F) << 8 | held[1]
        if not held[0] & 0x80 or not 0 < size <= MAX_RECORD_BYTES:
            raise FlightError(f"the server sent no TLS or SSLv2 record: {in_quotes(as_text(bytes(held[:_SHOWN_BYTES])))}")
        if len(held) < _SSL2_HEADER_BYTES + size:
            return None
        return self._give(Content.SSL2, _SSL2_HEADER_BYTES, size)

    def _give(self, content: Content, header: int, size: int) -> tuple[Content, bytes]:
        payload = bytes(self._bytes[header : header + size])
        del self._bytes[: header + size]
        self._has_given = True
        return content, payload


def _starts_a_tls_record(held: bytearray) -> bool:
    """Whether the bytes so far are, or may become, the head of a TLS record."""
    if held and not Content.CHANGE_CIPHER_SPEC <= held[0] <= Content.APPLICATION_DATA:
        return False
    return len(held) < 2 or held[1] == _MAJOR_VERSION
