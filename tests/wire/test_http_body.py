"""Tests of bodies that came compressed."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.http_body import unpacked


def zipped(data: bytes) -> bytes:
    """The same bytes whenever it is asked: by them a test is called, in each of the processes that share the tests."""
    return gzip.compress(data, mtime=0)


TEXT = b"<html>" + b"/owa/auth/15.1.2507/themes " * 300
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(TEXT) + RAW.flush()
LIMIT = 20_000


@pytest.mark.parametrize(
    ("body", "codings", "plain"),
    [
        (zipped(TEXT), ("gzip",), TEXT),
        (zipped(TEXT), ("x-gzip",), TEXT),
        (zipped(TEXT), (), TEXT),
        (zlib.compress(TEXT), ("deflate",), TEXT),
        (RAW_DEFLATE, ("deflate",), TEXT),
        (zipped(zipped(TEXT)), ("gzip", "gzip"), TEXT),
        (zipped(TEXT) + b"padding", ("gzip",), TEXT),
        (TEXT, ("gzip",), TEXT),
        (TEXT, ("br",), TEXT),
        (TEXT, (), TEXT),
        (zipped(b""), ("gzip",), b""),
        (b"", ("gzip",), b""),
    ],
)
def test_a_body_is_unpacked_where_it_is_packed(body: bytes, codings: tuple[str, ...], plain: bytes) -> None:
    """By its codings, or by gzip's first bytes; what is packed otherwise, or not at all, stays as it is."""
    assert unpacked(body, codings, LIMIT) == (plain, False)


def test_a_body_that_breaks_off_is_unpacked_as_far_as_it_goes() -> None:
    """What came before the break is told, and that there was more."""
    packed = zipped(bytes(range(256)) * 20)
    plain, is_cut = unpacked(packed[:-20], ("gzip",), LIMIT)
    assert is_cut
    assert plain
    assert (bytes(range(256)) * 20).startswith(plain)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_bomb_is_cut_off(depth: int) -> None:
    """However much is packed into a few bytes, no more than the limit is unpacked."""
    body = b"\0" * 50_000_000
    for _ in range(depth):
        body = zipped(body)
    plain, is_cut = unpacked(body, ("gzip",) * depth, LIMIT)
    assert len(plain) <= LIMIT
    assert is_cut or depth > 2


@given(st.binary(max_size=300), st.sampled_from([("gzip",), ("deflate",), ("gzip", "deflate"), ()]))
def test_any_bytes_end_in_a_body(body: bytes, codings: tuple[str, ...]) -> None:
    """Whatever a peer calls compressed, what comes of it is bytes within the limit."""
    plain, _ = unpacked(body, codings, LIMIT)
    assert len(plain) <= LIMIT
