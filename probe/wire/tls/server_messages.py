"""Parses the messages of a server's first flight."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from probe.model.values import dataclass
from probe.wire.tls.hello import COOKIE, KEY_SHARE, SUPPORTED_VERSIONS
from probe.wire.tls.offer import Version
from probe.wire.tls.parsing import ByteReader, FlightError
from probe.wire.tls.registry import CipherSuite
from probe.wire.tls.shares import group_of_prime

_RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
"""The random by which a ServerHello says that it is a HelloRetryRequest (RFC 8446 section 4.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """A ServerHello of SSLv3 or any TLS, or a HelloRetryRequest."""

    version: int
    """The version chosen, wherever it stands."""
    suite: int
    is_retry: bool
    extensions: Mapping[int, bytes]

    def share(self) -> tuple[int, bytes]:
        """Group and public value of the server. Raises FlightError where there is none."""
        reader = self._key_share()
        group, value = reader.number(2), reader.vector(2)
        reader.end()
        return group, value

    def asked_group(self) -> int | None:
        """The group that a retry asks a share of; None where it asks for none."""
        if KEY_SHARE not in self.extensions:
            return None
        reader = self._key_share()
        group = reader.number(2)
        reader.end()
        return group

    def cookie(self) -> bytes:
        """The cookie that a retry wants back; empty where there is none."""
        if COOKIE not in self.extensions:
            return b""
        reader = ByteReader(self.extensions[COOKIE], "cookie")
        cookie = reader.vector(2)
        reader.end()
        return cookie

    def _key_share(self) -> ByteReader:
        if KEY_SHARE not in self.extensions:
            raise FlightError("the server's hello has no key share")
        return ByteReader(self.extensions[KEY_SHARE], "key share")


def read_server_hello(body: bytes) -> ServerHello:
    """A ServerHello (RFC 8446 section 4.1.3; RFC 5246 section 7.4.1.3, where the extensions may be missing)."""
    reader = ByteReader(body, "hello")
    version, random = reader.number(2), reader.take(32)
    reader.vector(1)  # session id
    suite, compression = reader.number(2), reader.number(1)
    extensions = read_extensions(reader) if reader.has_more() else {}
    reader.end()
    if compression:
        raise FlightError(f"the server chose compression {compression}, which was not offered")
    if SUPPORTED_VERSIONS in extensions:
        chosen = ByteReader(extensions[SUPPORTED_VERSIONS], "supported_versions")
        version = chosen.number(2)
        chosen.end()
    is_retry = random == _RETRY and version >= Version.TLS13
    return ServerHello(version=version, suite=suite, is_retry=is_retry, extensions=extensions)


def read_extensions(reader: ByteReader) -> dict[int, bytes]:
    """Extensions by their numbers."""
    inner = ByteReader(reader.vector(2), "list of extensions")
    extensions: dict[int, bytes] = {}
    while inner.has_more():
        number = inner.number(2)
        if number in extensions:
            raise FlightError(f"the server sent extension {number} twice")
        extensions[number] = inner.vector(2)
    return extensions


def read_encrypted_extensions(body: bytes) -> None:
    """EncryptedExtensions, of which nothing is kept."""
    reader = ByteReader(body, "encrypted extensions")
    read_extensions(reader)
    reader.end()


def read_certificates(body: bytes, version: Version) -> tuple[bytes, ...]:
    """The chain of a Certificate message (RFC 8446 section 4.4.2, RFC 5246 section 7.4.2)."""
    reader = ByteReader(body, "certificate message")
    is_tls13 = version == Version.TLS13
    if is_tls13:
        reader.vector(1)  # the context, which is empty in a handshake
    entries = ByteReader(reader.vector(3), "list of certificates")
    reader.end()
    chain = []
    while entries.has_more():
        chain.append(entries.vector(3))
        if is_tls13:
            read_extensions(entries)
    if not chain or not all(chain):
        raise FlightError("the server sent an empty certificate")
    return tuple(chain)


def read_certificate_verify(body: bytes) -> int:
    """The scheme of a CertificateVerify; the signature itself is not verified."""
    reader = ByteReader(body, "certificate verification")
    scheme = reader.number(2)
    reader.vector(2)
    reader.end()
    return scheme


# --- ServerKeyExchange --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """What a ServerKeyExchange shows; None where that key exchange, or that version, has no such thing."""

    group: int | None = None
    finite_field_bits: int | None = None
    scheme: int | None = None


_UNSIGNED = frozenset({"anonymous", "PSK"})
_EXPLICIT_PRIME, _EXPLICIT_CHAR2, _NAMED_CURVE = 1, 2, 3
_TRINOMIAL, _PENTANOMIAL = 1, 2


def read_key_exchange(body: bytes, suite: CipherSuite | None, version: Version) -> KeyExchange:
    """A ServerKeyExchange of TLS 1.2 and below, as its suite has it (RFC 5246 section 7.4.3, RFC 8422 section 5.4).

    Where the key exchange has neither a group nor a Diffie-Hellman prime (RSA for export, SRP, ...) nothing in it is read.
    """
    reader = ByteReader(body, "key exchange")
    kind = suite.key_exchange if suite else ""
    signed_by = suite.authentication if suite else ""
    if signed_by == "PSK":
        reader.vector(2)  # the identity hint (RFC 4279 section 3, RFC 5489 section 2)
    group, bits = None, None
    if kind in ("ECDHE", "ECDH_anon"):
        group = _read_curve(reader)
        reader.vector(1)  # the public point
    elif kind in ("DHE", "DH_anon"):
        prime = reader.vector(2)
        reader.vector(2)  # generator
        reader.vector(2)  # public value
        bits = int.from_bytes(prime, "big").bit_length()
        if not bits:
            raise FlightError("the server's Diffie-Hellman prime is 0")
        group = group_of_prime(prime)
    else:
        return KeyExchange()
    scheme = None
    if signed_by not in _UNSIGNED:
        if version == Version.TLS12:
            scheme = reader.number(2)
        reader.vector(2)  # the signature
    reader.end()
    return KeyExchange(group, bits, scheme)


def _read_curve(reader: ByteReader) -> int | None:
    """The curve's number; None where its parameters are spelled out (RFC 4492 section 5.4)."""
    kind = reader.number(1)
    if kind == _NAMED_CURVE:
        return reader.number(2)
    if kind == _EXPLICIT_PRIME:
        reader.vector(1)
    elif kind == _EXPLICIT_CHAR2:
        reader.number(2)
        basis = reader.number(1)
        if basis not in (_TRINOMIAL, _PENTANOMIAL):
            raise FlightError(f"the server's curve has a basis of type {basis}")
        for _ in range(1 if basis == _TRINOMIAL else 3):
            reader.vector(1)
    else:
        raise FlightError(f"the server's curve is of type {kind}")
    for _ in range(5):  # a, b, base point, order, cofactor
        reader.vector(1)
    return None


# --- SSLv2 --------------------------------------------------------------------------------------------------

_SSL2_ERROR, _SSL2_SERVER_HELLO = 0, 4


@dataclass(frozen=True, slots=True)
class Sslv2Hello:
    """A SERVER-HELLO of SSLv2."""

    certificate: bytes
    """Empty where there is none."""
    kinds: tuple[int, ...]


def read_sslv2_hello(message: bytes) -> Sslv2Hello | None:
    """A SERVER-HELLO; None for an ERROR, which is a refusal. Raises FlightError for anything else."""
    reader = ByteReader(message, "SSLv2 hello")
    kind = reader.number(1)
    if kind == _SSL2_ERROR:
        reader.number(2)
        reader.end()
        return None
    if kind != _SSL2_SERVER_HELLO:
        raise FlightError(f"the server answered with SSLv2 message {kind}")
    reader.take(2)  # whether it knows the session, and the certificate's type
    if (version := reader.number(2)) != Version.SSL2:
        raise FlightError(f"the server chose version 0x{version:04X} in an SSLv2 hello")
    certificate_bytes, kinds_bytes, connection_bytes = reader.number(2), reader.number(2), reader.number(2)
    certificate, kinds = reader.take(certificate_bytes), reader.take(kinds_bytes)
    reader.take(connection_bytes)
    reader.end()
    if kinds_bytes % 3:
        raise FlightError("the server's list of SSLv2 cipher kinds has no whole number of them")
    return Sslv2Hello(certificate, tuple(int.from_bytes(kinds[at : at + 3], "big") for at in range(0, kinds_bytes, 3)))
