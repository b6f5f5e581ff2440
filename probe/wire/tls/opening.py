"""Decrypts the encrypted part of a TLS 1.3 server's flight (RFC 8446 sections 5.2, 7.1 and 7.3)."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import TYPE_CHECKING, Literal

from probe.wire.tls.parsing import FlightError, vector

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

_SUITES: dict[int, tuple[str, int, Literal["gcm", "chacha20", "ccm", "ccm-8"]]] = {
    0x1301: ("sha256", 16, "gcm"),
    0x1302: ("sha384", 32, "gcm"),
    0x1303: ("sha256", 32, "chacha20"),
    0x1304: ("sha256", 16, "ccm"),
    0x1305: ("sha256", 16, "ccm-8"),
}
"""Hash, key length and AEAD of the suites that can be decrypted (RFC 8446 section B.4)."""

_NONCE_BYTES = 12
_HEADER = b"\x17\x03\x03"  # of every encrypted record; it is what the AEAD authenticates beside the content


def can_open(suite: int) -> bool:
    """Whether records under a suite can be read here."""
    return suite in _SUITES


def transcript_hash(suite: int, messages: bytes) -> bytes:
    """The hash of handshake messages under the suite's hash."""
    return hashlib.new(_SUITES[suite][0], messages).digest()


class Opening:
    """Decrypts the records of one server, from its ServerHello on."""

    def __init__(self, suite: int, shared_secret: bytes, messages: bytes) -> None:
        name, key_bytes, kind = _SUITES[suite]
        handshake_secret = hmac.digest(_salt(name), shared_secret, name)
        traffic_secret = _expand(name, handshake_secret, b"s hs traffic", transcript_hash(suite, messages), len(handshake_secret))
        self._aead = _aead(kind, _expand(name, traffic_secret, b"key", b"", key_bytes))
        self._iv = int.from_bytes(_expand(name, traffic_secret, b"iv", b"", _NONCE_BYTES), "big")
        self._opened = 0

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Kind and content of the next encrypted record. Raises FlightError where the keys do not fit."""
        from cryptography.exceptions import InvalidTag

        nonce = (self._iv ^ self._opened).to_bytes(_NONCE_BYTES, "big")
        self._opened += 1
        try:
            inner = self._aead.decrypt(nonce, record, _HEADER + len(record).to_bytes(2, "big"))
        except InvalidTag:
            raise FlightError("the server sent an encrypted record that its own key share does not open") from None
        content = inner.rstrip(b"\0")
        if len(content) < 2:
            raise FlightError("the server sent an empty encrypted record")
        return content[-1], content[:-1]


def _aead(kind: Literal["gcm", "chacha20", "ccm", "ccm-8"], key: bytes) -> AESGCM | AESCCM | ChaCha20Poly1305:
    # Loaded when needed: who asks nothing about TLS has no use for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

    match kind:
        case "gcm":
            return AESGCM(key)
        case "chacha20":
            return ChaCha20Poly1305(key)
        case "ccm":
            return AESCCM(key)
        case "ccm-8":
            return AESCCM(key, tag_length=8)


@cache
def _salt(name: str) -> bytes:
    """What the handshake secret is extracted with, where no key is shared beforehand."""
    size = hashlib.new(name).digest_size
    early_secret = hmac.digest(bytes(size), bytes(size), name)
    return _expand(name, early_secret, b"derived", hashlib.new(name).digest(), size)


def _expand(name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label; one block is enough for everything that is derived here."""
    info = size.to_bytes(2, "big") + vector(1, b"tls13 " + label) + vector(1, context)
    return hmac.digest(secret, info + b"\1", name)[:size]
