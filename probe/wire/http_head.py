"""Tidies the head of an HTTP response for a strict parser. A line that is no header is left out, and the rest is kept.

Browsers, curl and .NET read on where a name is no token, a colon is missing, a value holds a NUL, or two lengths contradict each other. One wrong
line of a server or a proxy says nothing about the others. Lines that are left out are reported.
"""

from __future__ import annotations

import re

from probe.model.values import dataclass
from probe.wire.lines import WireError, as_text

MAX_HEAD_BYTES = 64 * 1024
"""Status line and headers; IIS sends 16 KiB at most, and Kerberos tickets in headers reach 48 KiB."""

_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]|\d(?:\.\d)?)[ \t]+(\d{3})(?:[ \t]+(.*))?", re.DOTALL)
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
"""A token (RFC 9110 section 5.6.2)."""
_NO_TEXT = re.compile(rb"[\x00\r\n\x0b\x0c]")
"""What stands in no value; a recipient puts a space in its place (RFC 9110 section 5.5)."""
_CHUNKED = b"chunked"
MAX_LENGTH_DIGITS = 18
"""Of a length; the parser behind takes 20."""


@dataclass(frozen=True, slots=True)
class TidyHead:
    """A head that a strict parser reads."""

    data: bytes
    passed_over: tuple[str, ...]
    """Lines that are no headers, and unusable lengths and transfer codings; printable."""
    codings: tuple[str, ...]
    """Content and transfer codings of the body, lower-case, in the order in which they were applied (RFC 9110 section 8.4, RFC 9112 section 7)."""


class HeadBuffer:
    """Feed it bytes and ask for a head, complete with the empty line after it. It gives the same head however the bytes arrive."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._bytes += data

    @property
    def is_empty(self) -> bool:
        """Whether no bytes are left."""
        return not self._bytes

    @property
    def beginning(self) -> bytes:
        """The first bytes, less empty lines before them (RFC 9112 section 2.2)."""
        return bytes(self._bytes[:20]).lstrip(b"\r\n")

    def next_head(self) -> bytes | None:
        """The next head, None while it is not whole. Raises WireError for one without end."""
        if not self._searched:
            del self._bytes[: len(self._bytes) - len(self._bytes.lstrip(b"\r\n"))]
        found = _END.search(self._bytes, max(self._searched - 2, 0))
        self._searched = len(self._bytes)
        if (found.end() if found else len(self._bytes)) > MAX_HEAD_BYTES:
            raise WireError(f"a head that is too long: more than {MAX_HEAD_BYTES // 1024} KiB")
        if found is None:
            return None
        head = bytes(self._bytes[: found.end()])
        del self._bytes[: found.end()]
        self._searched = 0
        return head

    def take_rest(self) -> bytes:
        """Everything that is left, which the buffer then forgets."""
        rest = bytes(self._bytes)
        self._bytes.clear()
        self._searched = 0
        return rest


def tidied(head: bytes) -> TidyHead:
    """A head as a strict parser reads it. One whose first line is no status line stays as it is."""
    first, *lines = [line.rstrip(b"\r") for line in head.rstrip(b"\r\n").split(b"\n")]
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        return TidyHead(head, (), ())
    fields, passed_over = _fields(lines)
    kept, codings = _framed(fields, passed_over)
    version = status[1] if b"." in status[1] else status[1] + b".0"
    written = [b"HTTP/" + version + b" " + status[2] + b" " + _NO_TEXT.sub(b" ", status[3] or b"")]
    written += [name + b": " + value for name, value in kept]
    return TidyHead(b"\r\n".join([*written, b"", b""]), tuple(as_text(line[:200]) for line in passed_over), codings)


def _fields(lines: list[bytes]) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """The headers, lines that go on with the one before joined to it (RFC 9112 section 5.2); and the lines that are none."""
    fields: list[tuple[bytes, bytearray]] = []
    passed_over: list[bytes] = []
    is_good = False
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if is_good:
                fields[-1][1].extend(b" " + line.strip())
            else:
                passed_over.append(line)
            continue
        name, colon, value = line.partition(b":")
        is_good = bool(colon and _NAME.fullmatch(name.rstrip(b" \t")))
        if is_good:
            fields.append((name.rstrip(b" \t"), bytearray(value.strip(b" \t"))))
        else:
            passed_over.append(line)
    return [(name, _NO_TEXT.sub(b" ", bytes(value)).strip()) for name, value in fields], passed_over


def _framed(fields: list[tuple[bytes, bytes]], passed_over: list[bytes]) -> tuple[list[tuple[bytes, bytes]], tuple[str, ...]]:
    """The headers, with only those lengths and codings that say where the body ends; and the codings of the body.

    A length that is no number is none, and of several that differ the first counts: waiting for the end of a connection that is kept would
    cost more than what a wrong length leaves out.
    """
    transfer = _tokens(fields, b"transfer-encoding")
    is_chunked, has_length = _CHUNKED in transfer, False
    kept: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        if name.lower() == b"content-length":
            first = value.split(b",")[0].strip()
            is_good = first.isdigit() and len(first) <= MAX_LENGTH_DIGITS and not has_length
            if is_good:
                kept.append((name, first))
                has_length = True
            if not is_good or any(part.strip() != first for part in value.split(b",")):
                passed_over.append(name + b": " + value)
        elif name.lower() == b"transfer-encoding":
            if value.lower() != _CHUNKED:
                passed_over.append(name + b": " + value)
        else:
            kept.append((name, value))
    if is_chunked:
        kept.append((b"Transfer-Encoding", _CHUNKED))
    wrapped = [*_tokens(fields, b"content-encoding"), *(coding for coding in transfer if coding != _CHUNKED)]
    return kept, tuple(as_text(coding) for coding in wrapped if coding != b"identity")


def _tokens(fields: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [token for n, v in fields if n.lower() == name for part in v.split(b",") if (token := part.strip().lower())]
