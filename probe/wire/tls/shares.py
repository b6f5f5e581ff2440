"""Key shares of TLS 1.3 whose shared secret can be read from the server's answer, without any private key.

Nothing that is secret ever goes through a handshake of this program; it only wants to read the server's certificate and
signature. So its private key is always 1: our share is the group's base point (or generator), and the shared secret is the
server's own public value. For ML-KEM the encapsulation key is the degenerate one with t = 0, which hides nothing:
the server's message stands in the ciphertext, but for its small noise (FIPS 203, algorithms 13 to 17).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from probe.model.values import dataclass
from probe.wire.tls.parsing import FlightError


@dataclass(frozen=True, slots=True)
class _Curve:
    """A curve whose points travel uncompressed (RFC 8446 section 4.2.8.2)."""

    base_point: bytes

    def share(self) -> bytes:
        return self.base_point

    def size(self) -> int:
        return len(self.base_point)

    def secret(self, answer: bytes) -> bytes:
        if answer[0] != 4:
            raise FlightError("the server's key share is no uncompressed point")
        return answer[1 : 1 + len(answer) // 2]


@dataclass(frozen=True, slots=True)
class _Montgomery:
    """X25519 and X448 (RFC 7748): the u coordinate alone, little-endian."""

    base: int
    length: int

    def share(self) -> bytes:
        return self.base.to_bytes(self.length, "little")

    def size(self) -> int:
        return self.length

    def secret(self, answer: bytes) -> bytes:
        return answer


@dataclass(frozen=True, slots=True)
class _FiniteField:
    """The groups of RFC 7919, generator 2: values as long as the prime (RFC 8446 section 7.4.1)."""

    bits: int

    def share(self) -> bytes:
        return (2).to_bytes(self.bits // 8, "big")

    def size(self) -> int:
        return self.bits // 8

    def secret(self, answer: bytes) -> bytes:
        return answer


_SEED = hashlib.sha256(b"probe").digest()
"""Where the matrix of the encapsulation key grows from. Any 32 bytes do."""


@dataclass(frozen=True, slots=True)
class _Kem:
    """ML-KEM with its parameters k, du, dv (FIPS 203 section 8)."""

    rank: int
    u_bits: int
    v_bits: int

    def share(self) -> bytes:
        return bytes(384 * self.rank) + _SEED

    def size(self) -> int:
        return 32 * (self.u_bits * self.rank + self.v_bits)

    def secret(self, answer: bytes) -> bytes:
        """With t = 0 the second part of the ciphertext is the message plus noise: a coefficient near to half of q is a 1."""
        coefficients = int.from_bytes(answer[-32 * self.v_bits :], "little")
        mask, quarter = (1 << self.v_bits) - 1, 1 << (self.v_bits - 2)
        message = 0
        for place in range(256):
            coefficient = coefficients >> (place * self.v_bits) & mask
            message |= ((coefficient + quarter) >> (self.v_bits - 1) & 1) << place
        return hashlib.sha3_512(message.to_bytes(32, "little") + _digest(self.share())).digest()[:32]


@cache
def _digest(key: bytes) -> bytes:
    return hashlib.sha3_256(key).digest()


@dataclass(frozen=True, slots=True)
class _Hybrid:
    """Two exchanges side by side, shares and secrets joined in this order (draft-ietf-tls-ecdhe-mlkem)."""

    first: _Curve | _Montgomery | _Kem
    second: _Curve | _Montgomery | _Kem

    def share(self) -> bytes:
        return self.first.share() + self.second.share()

    def size(self) -> int:
        return self.first.size() + self.second.size()

    def secret(self, answer: bytes) -> bytes:
        cut = self.first.size()
        return self.first.secret(answer[:cut]) + self.second.secret(answer[cut:])


def _point(x: str, y: str) -> _Curve:
    return _Curve(bytes.fromhex("04" + x + y))


# Base points: NIST SP 800-186 section 3.2.1, RFC 5639 section 3, and for curveSM2 GB/T 32918.5.
_P256 = _point(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
)
_P384 = _point(
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
)
_P521 = _point(
    "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
    "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
)
_BRAINPOOL_P256 = _point(
    "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
    "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
)
_BRAINPOOL_P384 = _point(
    "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e",
    "8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
)
_BRAINPOOL_P512 = _point(
    "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822",
    "7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
)
_SM2 = _point(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
)
_X25519 = _Montgomery(9, 32)
_X448 = _Montgomery(5, 56)
_MLKEM512, _MLKEM768, _MLKEM1024 = _Kem(2, 10, 4), _Kem(3, 10, 4), _Kem(4, 11, 5)

_GROUPS: Mapping[int, _Curve | _Montgomery | _FiniteField | _Kem | _Hybrid] = {
    0x0017: _P256,
    0x0018: _P384,
    0x0019: _P521,
    0x001D: _X25519,
    0x001E: _X448,
    0x001F: _BRAINPOOL_P256,
    0x0020: _BRAINPOOL_P384,
    0x0021: _BRAINPOOL_P512,
    0x0029: _SM2,
    0x0100: _FiniteField(2048),
    0x0101: _FiniteField(3072),
    0x0102: _FiniteField(4096),
    0x0103: _FiniteField(6144),
    0x0104: _FiniteField(8192),
    0x0200: _MLKEM512,
    0x0201: _MLKEM768,
    0x0202: _MLKEM1024,
    0x11EB: _Hybrid(_P256, _MLKEM768),
    0x11EC: _Hybrid(_MLKEM768, _X25519),
    0x11ED: _Hybrid(_P384, _MLKEM1024),
}


def can_share(group: int) -> bool:
    """Whether a share of the group can be made here."""
    return group in _GROUPS


@cache
def share_of(group: int) -> bytes:
    """Our share of a group. Raises KeyError for one that `can_share` says no to."""
    return _GROUPS[group].share()


def shared_secret(group: int, answer: bytes) -> bytes:
    """What the server derives its keys from, out of its share. Raises FlightError for a share of another form."""
    form = _GROUPS[group]
    if len(answer) != form.size():
        raise FlightError(f"the server's key share has {len(answer)} bytes instead of {form.size()}")
    return form.secret(answer)


def finite_field_bits(group: int) -> int | None:
    """Length of the prime of a finite-field group, None for every other."""
    form = _GROUPS.get(group)
    return form.bits if isinstance(form, _FiniteField) else None


_PRIMES = {
    "9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966": 0x0100,
    "0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17": 0x0101,
    "4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e": 0x0102,
    "227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7": 0x0103,
    "770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833": 0x0104,
}
"""SHA-256 of the primes of RFC 7919 appendix A, big-endian without leading zeros."""


def group_of_prime(prime: bytes) -> int | None:
    """The group of RFC 7919 that has this prime, if one has."""
    return _PRIMES.get(hashlib.sha256(prime.lstrip(b"\0")).hexdigest())
