"""Decompresses a body within bounds, for servers that compress though nobody asked for it (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

MAX_CODINGS = 2
"""Codings within one another: more than one is a mistake already, and each could be a decompression bomb."""

_GZIP = b"\x1f\x8b"
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""For zlib: with gzip's head, with zlib's, and without any, as some servers send what they call deflate."""


def unpacked(body: bytes, codings: Sequence[str], most: int) -> tuple[bytes, bool]:
    """The decompressed body, at most so many bytes, and whether there was more.

    What cannot be decompressed stays as it is. A body that is cut off or broken further on is returned as far as it goes. Gzip is also
    recognized by its first bytes, where no header names it.
    """
    wrapped = [coding for coding in codings if coding in _WINDOWS] or (["gzip"] if body.startswith(_GZIP) else [])
    is_cut = False
    for coding in reversed(wrapped[:MAX_CODINGS]):
        found = next((plain for window in _WINDOWS[coding] if (plain := _inflated(body, window, most)) is not None), None)
        if found is None:
            break
        body, is_cut = found
    return body, is_cut


_PIECE = 4096
"""Bytes that are unpacked at a time, so that what stands before a spoiled place is not lost with it."""


def _inflated(body: bytes, window: int, most: int) -> tuple[bytes, bool] | None:
    """The data as zlib decompresses it; None where it is not of this format."""
    inflater = zlib.decompressobj(window)
    plain = bytearray()
    for start in range(0, len(body), _PIECE):
        try:
            plain += inflater.decompress(body[start : start + _PIECE], most + 1 - len(plain))
        except zlib.error:
            break
        if len(plain) > most:
            return bytes(plain[:most]), True
        if inflater.eof:
            break
    return (bytes(plain), not inflater.eof) if plain or inflater.eof else None
