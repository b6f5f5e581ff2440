"""Tests of the key shares, against the curves and the ML-KEM of `cryptography`."""

from __future__ import annotations

import hashlib
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from probe.wire.tls.parsing import FlightError
from probe.wire.tls.shares import can_share, finite_field_bits, group_of_prime, share_of, shared_secret

CURVES = {
    0x0017: ec.SECP256R1(),
    0x0018: ec.SECP384R1(),
    0x0019: ec.SECP521R1(),
    0x001F: ec.BrainpoolP256R1(),
    0x0020: ec.BrainpoolP384R1(),
    0x0021: ec.BrainpoolP512R1(),
}
KEMS: dict[int, type[mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey]] = {
    0x0201: mlkem.MLKEM768PublicKey,
    0x0202: mlkem.MLKEM1024PublicKey,
}


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def exchange(group: int) -> tuple[bytes, bytes]:
    """A server's share for ours, and the secret that it derives."""
    curve = CURVES[group]
    server = ec.generate_private_key(curve)
    ours = ec.EllipticCurvePublicKey.from_encoded_point(curve, share_of(group))
    return point(server.public_key()), server.exchange(ec.ECDH(), ours)


def encapsulate(group: int, key: bytes) -> tuple[bytes, bytes]:
    secret, ciphertext = KEMS[group].from_public_bytes(key).encapsulate()
    return ciphertext, secret


@pytest.mark.parametrize("group", CURVES)
def test_the_secret_of_a_curve_is_read_off_the_servers_point(group: int) -> None:
    """The X coordinate of the server's point is what it shares with the base point."""
    answer, secret = exchange(group)
    assert shared_secret(group, answer) == secret


def test_the_secret_of_x25519_and_x448_is_the_servers_value() -> None:
    """The server's public value is what it shares with the base of the curve."""
    server = x25519.X25519PrivateKey.generate()
    ours = x25519.X25519PublicKey.from_public_bytes(share_of(0x001D))
    assert shared_secret(0x001D, server.public_key().public_bytes_raw()) == server.exchange(ours)
    other = x448.X448PrivateKey.generate()
    theirs = x448.X448PublicKey.from_public_bytes(share_of(0x001E))
    assert shared_secret(0x001E, other.public_key().public_bytes_raw()) == other.exchange(theirs)


@pytest.mark.parametrize("group", KEMS)
def test_the_secret_of_ml_kem_is_read_off_the_ciphertext(group: int) -> None:
    """The degenerate encapsulation key is taken by a real encapsulation, whose secret is found every time."""
    for _ in range(50):
        ciphertext, secret = encapsulate(group, share_of(group))
        assert shared_secret(group, ciphertext) == secret


def test_the_secret_of_ml_kem_512_is_read_through_its_noise() -> None:
    """With 4 bits a coefficient, noise of one step to either side of 0 and of one half is read away (FIPS 203, parameter set 512)."""
    message = os.urandom(32)
    bits = [message[place // 8] >> (place % 8) & 1 for place in range(256)]
    steps = [(8 * bit + (place % 3 - 1)) % 16 for place, bit in enumerate(bits)]
    packed = bytes(low | high << 4 for low, high in zip(steps[::2], steps[1::2], strict=True))
    expected = hashlib.sha3_512(message + hashlib.sha3_256(share_of(0x0200)).digest()).digest()[:32]
    assert len(share_of(0x0200)) == 800
    assert shared_secret(0x0200, bytes(640) + packed) == expected


def test_hybrids_join_shares_and_secrets_in_the_order_of_their_draft() -> None:
    """X25519MLKEM768 has ML-KEM first, the hybrids of NIST curves have the curve first."""
    server = x25519.X25519PrivateKey.generate()
    share = share_of(0x11EC)
    ciphertext, secret = encapsulate(0x0201, share[:1184])
    answer = ciphertext + server.public_key().public_bytes_raw()
    expected = secret + server.exchange(x25519.X25519PublicKey.from_public_bytes(share[1184:]))
    assert shared_secret(0x11EC, answer) == expected
    for hybrid, curve, kem in ((0x11EB, 0x0017, 0x0201), (0x11ED, 0x0018, 0x0202)):
        value, ecdh = exchange(curve)
        size = len(value)
        assert share_of(hybrid)[:size] == share_of(curve)
        ciphertext, secret = encapsulate(kem, share_of(hybrid)[size:])
        assert shared_secret(hybrid, value + ciphertext) == ecdh + secret


def test_the_secret_of_a_finite_field_is_the_servers_value_in_full_length() -> None:
    """The share is the generator 2, as long as the prime; the server's value is the secret, leading zeros included."""
    assert share_of(0x0100) == bytes(255) + b"\2"
    assert shared_secret(0x0100, bytes(3) + b"\5" * 253) == bytes(3) + b"\5" * 253
    assert (finite_field_bits(0x0104), finite_field_bits(0x0017)) == (8192, None)


@pytest.mark.parametrize("answer", [b"", bytes(64), bytes(66), b"\2" + bytes(64)])
def test_a_share_of_another_form_is_an_error(answer: bytes) -> None:
    """A point must be as long as its curve has them, and uncompressed."""
    with pytest.raises(FlightError):
        shared_secret(0x0017, answer)


def test_not_every_group_has_a_share() -> None:
    """Groups of GOST and the drafts of Kyber can be asked for, but no share of them is made."""
    assert can_share(0x11EC)
    assert not can_share(0x0022)
    assert not can_share(0x6399)


def test_another_prime_is_no_named_group() -> None:
    """A Diffie-Hellman prime that RFC 7919 does not list has no group."""
    assert group_of_prime(b"\x17") is None
