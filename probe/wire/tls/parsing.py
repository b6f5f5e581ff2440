"""Reads numbers and vectors from TLS structures. Defines the one error of all code that reads flights."""

from __future__ import annotations

from functools import lru_cache

from probe.wire.lines import WireError


class FlightError(WireError):
    """What the server sent is no TLS flight that answers the hello; the message is one sentence about what came."""


class ByteReader:
    """Reads one structure from its start to its end (RFC 8446 section 3)."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        """The next bytes."""
        end = self._at + size
        if end > len(self._data):
            raise self._too_early()
        taken = self._data[self._at : end]
        self._at = end
        return taken

    # A flight has a hundred numbers and vectors, so that they do without `take`.

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        start, end = self._at, self._at + size
        if end > len(self._data):
            raise self._too_early()
        self._at = end
        return int.from_bytes(self._data[start:end], "big")

    def vector(self, size: int) -> bytes:
        """Bytes after their length, itself of `size` bytes."""
        data, start = self._data, self._at + size
        end = start + int.from_bytes(data[self._at : start], "big")
        if start > len(data) or end > len(data):
            raise self._too_early()
        self._at = end
        return data[start:end]

    def has_more(self) -> bool:
        """Whether something is left."""
        return self._at < len(self._data)

    def end(self) -> None:
        """Nothing may be left here."""
        if self._at < len(self._data):
            raise FlightError(f"the server's {self._what} has more bytes than its parts")

    def _too_early(self) -> FlightError:
        return FlightError(f"the server's {self._what} ends too early")


def vector(size: int, content: bytes) -> bytes:
    """Bytes with their length before them, itself of `size` bytes."""
    return len(content).to_bytes(size, "big") + content


@lru_cache(maxsize=256)
def numbers(values: tuple[int, ...], size: int = 2) -> bytes:
    """Numbers of so many bytes each, one after another. The same lists are offered to server after server."""
    return b"".join(value.to_bytes(size, "big") for value in values)
