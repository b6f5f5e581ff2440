"""Tests of what a flight shows before a handshake failed."""

from __future__ import annotations

import pytest

from probe.wire.tls.demand import asks_client_certificate, is_no_answer


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def record(content: bytes, kind: int = 22) -> bytes:
    return bytes((kind, 3, 3)) + len(content).to_bytes(2, "big") + content


HELLO, CERTIFICATE, REQUEST, DONE = message(2, b"h" * 70), message(11, b"c" * 900), message(13, b"r" * 20), message(14)
ALERT = record(bytes((2, 40)), 21)


@pytest.mark.parametrize(
    ("flight", "asks"),
    [
        (record(HELLO + CERTIFICATE + REQUEST + DONE) + ALERT, True),
        (record(HELLO) + record(CERTIFICATE) + record(REQUEST) + record(DONE), True),
        (record((HELLO + CERTIFICATE + REQUEST)[:500]) + record((HELLO + CERTIFICATE + REQUEST)[500:]), True),
        (record(HELLO + CERTIFICATE + DONE) + ALERT, False),
        (record(HELLO) + record(b"\r" * 50, 23), False),
        (ALERT, False),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", False),
        (b"", False),
    ],
)
def test_a_demand_for_a_certificate_is_read_off_the_clear_messages(flight: bytes, asks: bool) -> None:
    """It is found in whichever records it lies, and nothing else is taken for it; bytes that are not there yet change nothing."""
    assert asks_client_certificate(flight) is asks
    assert not any(asks_client_certificate(flight[:size]) for size in range(len(flight)) if not asks)


@pytest.mark.parametrize(
    ("heard", "is_none"),
    [
        (b"", True),
        (ALERT, True),
        (record(bytes((1, 0)), 21), True),
        (record(bytes((2, 80)), 21), True),
        (record(bytes((2, 112)), 21), False),
        (record(bytes((2, 42)), 21), False),
        (record(b"\2", 21), False),
        (record(HELLO), False),
        (record(HELLO)[:30], False),
        (b"HTTP/1.0 400", False),
    ],
)
def test_what_is_no_answer_to_a_hello_is_told_from_one(heard: bytes, is_none: bool) -> None:
    """Silence, and an alert that may mean the hello itself, are no answer; a beginning of one, a name and a certificate are."""
    assert is_no_answer(heard) is is_none
