"""Writes the ClientHello of an offer (RFC 8446 section 4.1.2; SSLv2 has a message of its own)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from probe.wire.tls.offer import Offer, Version
from probe.wire.tls.parsing import numbers, vector
from probe.wire.tls.registry import groups, suites

_CLIENT_HELLO = 1
_HANDSHAKE = 22
_RECORD_BYTES = 2**14  # RFC 8446 section 5.1
_CHALLENGE_BYTES = 16  # of SSLv2; servers of its time take no other length

_PADDED_FROM, _PADDED_TO = 256, 512
"""Handshake messages of 256 to 511 bytes hang some old F5 load balancers (RFC 7685 section 1)."""

# Extensions, by their numbers in the IANA registry.
SERVER_NAME = 0
SUPPORTED_GROUPS = 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
PADDING = 21
ENCRYPT_THEN_MAC = 22
EXTENDED_MASTER_SECRET = 23
SUPPORTED_VERSIONS = 43
COOKIE = 44
PSK_KEY_EXCHANGE_MODES = 45
SIGNATURE_ALGORITHMS_CERT = 50
KEY_SHARE = 51
RENEGOTIATION_INFO = 0xFF01


def first_records(offer: Offer, message: bytes) -> bytes:
    """A first hello in its record or records, ready to be sent. That of SSLv2 is one by itself."""
    return message if offer.versions[0] == Version.SSL2 else in_records(message, min(offer.versions[0], Version.TLS10))


def hello_message(offer: Offer, *, random: bytes, session_id: bytes, shares: Mapping[int, bytes], cookie: bytes = b"") -> bytes:
    """The hello as a handshake message; `cookie` is what a HelloRetryRequest asked to have back."""
    if offer.versions[0] == Version.SSL2:
        return _sslv2_hello(offer, random)
    body = b"".join(
        (
            min(offer.versions[0], Version.TLS12).to_bytes(2, "big"),
            random,
            vector(1, session_id),
            vector(2, numbers(offer.suites)),
            vector(1, b"\0"),  # no compression
        )
    )
    extensions = _extensions(offer, shares, cookie)
    if extensions:
        unpadded = 4 + len(body) + 2 + len(extensions)
        if _PADDED_FROM <= unpadded < _PADDED_TO:
            # Never empty: some servers fail on an empty extension at the end (RFC 7685 section 4 lets any length be).
            extensions += _extension(PADDING, bytes(max(_PADDED_TO - unpadded - 4, 1)))
        body += vector(2, extensions)
    return bytes((_CLIENT_HELLO,)) + vector(3, body)


def in_records(message: bytes, version: int) -> bytes:
    """A handshake message in as many records as it needs."""
    parts = (message[at : at + _RECORD_BYTES] for at in range(0, len(message), _RECORD_BYTES))
    return b"".join(bytes((_HANDSHAKE,)) + version.to_bytes(2, "big") + vector(2, part) for part in parts)


def _extensions(offer: Offer, shares: Mapping[int, bytes], cookie: bytes) -> bytes:
    """The extensions in the order in which most clients send them. SSLv3 alone has none."""
    highest = offer.versions[0]
    if highest < Version.TLS10:
        return b""
    has_older = offer.versions[-1] < Version.TLS13
    parts = []
    if name := _host_name(offer.server_name):
        parts.append(_extension(SERVER_NAME, vector(2, b"\0" + vector(2, name))))
    if offer.extended_master_secret:
        parts.append(_extension(EXTENDED_MASTER_SECRET, b""))
    if offer.secure_renegotiation:
        parts.append(_extension(RENEGOTIATION_INFO, vector(1, b"")))
    if offer.groups:
        parts.append(_extension(SUPPORTED_GROUPS, vector(2, numbers(offer.groups))))
        if has_older and _has_curve(offer.groups):
            parts.append(_extension(EC_POINT_FORMATS, vector(1, b"\0")))  # uncompressed
    if has_older and _has_cbc(offer.suites):
        parts.append(_extension(ENCRYPT_THEN_MAC, b""))
    # Clients before TLS 1.2 must not send it (RFC 5246 section 7.4.1.4.1).
    if offer.schemes and highest >= Version.TLS12:
        parts.append(_extension(SIGNATURE_ALGORITHMS, vector(2, numbers(offer.schemes))))
    if offer.certificate_schemes and highest >= Version.TLS12:
        parts.append(_extension(SIGNATURE_ALGORITHMS_CERT, vector(2, numbers(offer.certificate_schemes))))
    if highest == Version.TLS13:
        parts.append(_extension(SUPPORTED_VERSIONS, vector(1, numbers(offer.versions))))
        if cookie:
            parts.append(_extension(COOKIE, vector(2, cookie)))
        parts.append(_extension(PSK_KEY_EXCHANGE_MODES, vector(1, b"\1")))  # psk_dhe_ke
        entries = b"".join(group.to_bytes(2, "big") + vector(2, share) for group, share in shares.items())
        parts.append(_extension(KEY_SHARE, vector(2, entries)))
    return b"".join(parts)


def _extension(number: int, content: bytes) -> bytes:
    return number.to_bytes(2, "big") + vector(2, content)


@lru_cache(maxsize=256)
def _has_curve(numbers: tuple[int, ...]) -> bool:
    known = groups()
    return any(number in known and known[number].kind == "ecdhe" for number in numbers)


@lru_cache(maxsize=256)
def _has_cbc(numbers: tuple[int, ...]) -> bool:
    known = suites()
    return any(number in known and known[number].is_cbc for number in numbers)


def _host_name(name: str | None) -> bytes:
    """A name as server_name takes it (RFC 6066 section 3): no address, no dot at the end. Empty where there is none to send."""
    if name is None:
        return b""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        return b""
    try:
        return name.removesuffix(".").encode("idna")
    except UnicodeError:
        return b""


def _sslv2_hello(offer: Offer, random: bytes) -> bytes:
    """CLIENT-HELLO of SSLv2, under its two-byte header."""
    kinds = numbers(offer.suites, 3)
    message = b"".join(
        (
            bytes((_CLIENT_HELLO,)),
            Version.SSL2.to_bytes(2, "big"),
            len(kinds).to_bytes(2, "big"),
            bytes(2),  # no session
            _CHALLENGE_BYTES.to_bytes(2, "big"),
            kinds,
            random[:_CHALLENGE_BYTES],
        )
    )
    return (0x8000 | len(message)).to_bytes(2, "big") + message
