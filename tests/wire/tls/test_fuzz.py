"""Flights that were cut, changed, or made of nothing: the reader ends in a result, in waiting, or in its one error."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.wire.tls.flight import MAX_FLIGHT_BYTES, Flight, FlightError
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import suites_of
from tests.wire.tls.peers import RANDOM, recorded

NAMES = st.sampled_from(sorted(recorded()))
SSL2 = Offer(versions=(Version.SSL2,), suites=suites_of(Version.SSL2))


def outcome(offer: Offer, *pieces: bytes, whole: bool = True) -> TlsReply | TlsRefusal | str | None:
    """The result, None while there is none, or the word `error`."""
    flight = Flight(offer, random=RANDOM, whole=whole)
    for piece in pieces:
        try:
            flight.feed(piece)
        except FlightError:
            with pytest.raises(FlightError):
                flight.feed(b"\0")
            return "error"
    return flight.result


@pytest.mark.parametrize("name", sorted(recorded()))
def test_a_flight_reads_the_same_however_it_comes(name: str) -> None:
    """Whole, byte by byte and with trailing bytes a recorded flight gives the same answer."""
    entry = recorded()[name]
    whole = outcome(entry.offer, entry.flight)
    assert isinstance(whole, TlsReply | TlsRefusal)
    assert outcome(entry.offer, *(bytes((byte,)) for byte in entry.flight)) == whole
    assert outcome(entry.offer, entry.flight + b"\0trailing") == whole
    assert outcome(entry.offer, entry.flight, b"trailing", b"") == whole


@given(NAMES, st.lists(st.integers(0, 2000), max_size=12))
def test_a_flight_reads_the_same_in_any_pieces(name: str, cuts: list[int]) -> None:
    """A recorded flight gives the same answer in whatever pieces the network brings it."""
    entry = recorded()[name]
    places = sorted({0, len(entry.flight), *(cut % len(entry.flight) for cut in cuts)})
    pieces = [entry.flight[start:end] for start, end in pairwise(places)]
    assert outcome(entry.offer, *pieces) == outcome(entry.offer, entry.flight)


@pytest.mark.parametrize("name", sorted(recorded()))
def test_a_flight_cut_short_is_no_answer(name: str) -> None:
    """Every proper part of what was needed leaves the result open, and raises nothing."""
    entry = recorded()[name]
    flight = Flight(entry.offer, random=RANDOM)
    needed = 0
    while flight.result is None:
        flight.feed(entry.flight[needed : needed + 1])
        needed += 1
    assert all(outcome(entry.offer, entry.flight[:size]) is None for size in range(0, needed, 7))
    assert outcome(entry.offer, entry.flight[: needed - 1]) is None


@given(NAMES, st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=300)
def test_a_changed_flight_raises_nothing_but_the_one_error(name: str, changes: list[tuple[int, int]], whole: bool) -> None:
    """Changed bytes lead to an answer, to waiting or to FlightError, and to the same byte by byte."""
    entry = recorded()[name]
    changed = bytearray(entry.flight)
    for place, value in changes:
        changed[place % len(changed)] = value
    together = outcome(entry.offer, bytes(changed), whole=whole)
    assert outcome(entry.offer, *(bytes((byte,)) for byte in changed), whole=whole) == together


@given(NAMES, st.integers(0, 4000), st.integers(0, 64), st.binary(max_size=64))
@settings(max_examples=300)
def test_a_flight_with_other_bytes_inside_raises_nothing_but_the_one_error(name: str, place: int, gone: int, instead: bytes) -> None:
    """Bytes left out or put in lead to an answer, to waiting or to FlightError."""
    entry = recorded()[name]
    at = place % len(entry.flight)
    outcome(entry.offer, entry.flight[:at] + instead + entry.flight[at + gone :])


@given(st.sampled_from([*(entry.offer for entry in recorded().values()), SSL2]), st.binary(max_size=300), st.booleans())
@settings(max_examples=300)
def test_random_bytes_raise_nothing_but_the_one_error(offer: Offer, data: bytes, in_a_record: bool) -> None:
    """Bytes of no meaning lead to waiting or to FlightError, in a record's clothes too."""
    if in_a_record:
        data = b"\x16\x03\x03" + len(data).to_bytes(2, "big") + data
    together = outcome(offer, data)
    assert outcome(offer, *(bytes((byte,)) for byte in data)) == together


@given(st.binary(max_size=200), st.integers(0, 0x7F))
def test_random_messages_of_sslv2_raise_nothing_but_the_one_error(body: bytes, kind: int) -> None:
    """A record of SSLv2 with any content leads to an answer or to FlightError."""
    outcome(SSL2, (0x8001 + len(body)).to_bytes(2, "big") + bytes((kind % 6,)) + body)


@given(st.integers(0, 255), st.binary(max_size=120), st.sampled_from(sorted(recorded())))
@settings(max_examples=300)
def test_random_messages_after_a_hello_raise_nothing_but_the_one_error(kind: int, body: bytes, name: str) -> None:
    """Any message after a real ServerHello leads to an answer, to waiting or to FlightError."""
    entry = recorded()[name]
    hello = entry.flight[: 5 + int.from_bytes(entry.flight[3:5], "big")]
    message = bytes((kind % 32,)) + len(body).to_bytes(3, "big") + body
    outcome(entry.offer, hello + b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)


ENDLESS = {
    "a message without an end": b"\x16\x03\x03\x00\x01\x02" * 60_000,
    "warnings": b"\x15\x03\x03\x00\x02\x01\x70" * 40_000,
    "requests for a hello": b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 40_000,
    "one long message": b"\x16\x03\x03\x40\x00\x02\x01\xff\x00" + bytes(16380) + (b"\x16\x03\x03\x40\x00" + bytes(16384)) * 20,
}


def fed_until_error(flight: Flight, data: bytes) -> int:
    """How many bytes were taken, one at a time, before the error, or all of them."""
    for fed, byte in enumerate(data):
        try:
            flight.feed(bytes((byte,)))
        except FlightError:
            return fed
    return len(data)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_flight_without_end_is_bounded(name: str) -> None:
    """No server is listened to for more than 256 KiB, and reading byte by byte costs no more than its length."""
    offer = recorded()["openssl-tls12-ecdsa"].offer
    data = ENDLESS[name]
    assert len(data) > MAX_FLIGHT_BYTES
    seconds = []
    for size in (MAX_FLIGHT_BYTES // 4, MAX_FLIGHT_BYTES + 1):
        before = time.process_time()
        taken = fed_until_error(Flight(offer, random=RANDOM), data[:size])
        seconds.append(time.process_time() - before)
    assert taken <= MAX_FLIGHT_BYTES
    # 4 times the bytes: 4 times the time where it is linear, 16 times where it is quadratic.
    assert seconds[1] < 10 * seconds[0]
    assert outcome(offer, data) == "error"


def test_an_answer_counts_whatever_comes_after_it_in_the_same_piece() -> None:
    """A whole flight and much more in one piece is an answer, as it is in several."""
    entry = recorded()["openssl-tls12-ecdsa"]
    assert isinstance(outcome(entry.offer, entry.flight + bytes(MAX_FLIGHT_BYTES)), TlsReply)
