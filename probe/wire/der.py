"""Reads DER (X.690) as tolerantly as common programs do: whatever is not ambiguous is read, even if the encoding breaks a rule.

Lengths may be longer than they must be or left open (BER), defaults may be spelled out, and times may lack seconds or name an offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from probe.model.values import dataclass

MAX_DEPTH = 20
"""Of elements within each other; a certificate has seven."""
MAX_ELEMENTS = 4096
"""Within one element; the longest list of names seen in a certificate has 2,000."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_ID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F
_END_OF_CONTENTS = b"\0\0"

_ENCODINGS = {0x0C: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
"""UTF8String, BMPString, UniversalString. The other kinds of text have one byte a character."""
_TEXTS = frozenset({0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1B, 0x1C, 0x1E})

_TIME = r"(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})?"


class DerError(ValueError):
    """The bytes cannot be read, however tolerantly."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier and what it holds."""

    tag: int
    """The identifier octet, with class and form; a number above 30 within one element is not told from another."""
    content: bytes

    def children(self) -> tuple[Element, ...]:
        """The elements that it holds, one after another. Raises DerError where there is something else."""
        return tuple(_elements(self.content, 0))

    @property
    def number(self) -> int:
        """As an INTEGER without its sign: of a modulus whose leading zero was left out, the bits are meant."""
        return int.from_bytes(self.content, "big")

    @property
    def octets(self) -> bytes:
        """Of a string of octets or bits, in one piece or in several."""
        return b"".join(child.octets for child in self.children()) if self.tag & _CONSTRUCTED else self.content

    @property
    def dotted(self) -> str:
        """As an OBJECT IDENTIFIER."""
        numbers, value = [], 0
        for byte in self.content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        if self.tag != OBJECT_ID or not numbers:
            raise DerError("an object identifier is none")
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

    @property
    def text(self) -> str | None:
        """As text, whichever characters its kind would allow; None where it is of no kind of text."""
        if self.tag not in _TEXTS:
            return None
        try:
            return self.content.decode(_ENCODINGS.get(self.tag, "utf-8"))
        except UnicodeDecodeError:
            return self.content.decode("latin-1")

    @property
    def time(self) -> datetime:
        """As a UTCTime or GeneralizedTime; one without an offset is in UTC."""
        found = re.fullmatch(_TIME, self.content.decode("ascii", "replace").strip())
        if self.tag not in (UTC_TIME, GENERALIZED_TIME) or found is None:
            raise DerError("a time is none")
        year, month, day, hour, minute, second, offset = found.groups()
        full_year = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 50 else 2000)  # RFC 5280 section 4.1.2.5.1
        moment = datetime(full_year, int(month), int(day), int(hour), int(minute or 0), int(second or 0), tzinfo=UTC)
        if offset in (None, "Z"):
            return moment
        sign = 1 if offset[0] == "+" else -1
        return moment - sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))


def read_element(data: bytes) -> Element:
    """The element that begins these bytes; what follows it is left aside. Raises DerError."""
    element, _ = _element(data, 0, 0)
    return element


def _elements(data: bytes, depth: int) -> Iterator[Element]:
    at = count = 0
    while at < len(data):
        element, at = _element(data, at, depth)
        count += 1
        if count > MAX_ELEMENTS:
            raise DerError(f"more than {MAX_ELEMENTS} elements in one")
        yield element


def _element(data: bytes, at: int, depth: int) -> tuple[Element, int]:
    """The element at a place, and where the next one begins."""
    if depth > MAX_DEPTH:
        raise DerError(f"elements lie more than {MAX_DEPTH} deep")
    try:
        tag = data[at]
        at += 1
        if tag & _HIGH_TAG == _HIGH_TAG:
            while data[at] & 0x80:
                at += 1
            at += 1
        size = data[at]
        at += 1
        if size == 0x80:
            return _open_ended(data, tag, at, depth)
        if size > 0x80:
            digits = size & 0x7F
            size = int.from_bytes(data[at : at + digits], "big")
            at += digits
    except IndexError:
        raise DerError("an element is cut short") from None
    if at + size > len(data):
        raise DerError("an element is cut short")
    return Element(tag, data[at : at + size]), at + size


def _open_ended(data: bytes, tag: int, at: int, depth: int) -> tuple[Element, int]:
    """An element whose length is left open: it ends with an end of its own (X.690 section 8.1.3.6)."""
    start = at
    while data[at : at + 2] != _END_OF_CONTENTS:
        _, at = _element(data, at, depth + 1)
    return Element(tag, data[start:at]), at + 2
