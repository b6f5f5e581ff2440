"""Channel binding: ties a sign-in to its TLS channel, so that a proof that somebody relays is worthless (RFC 5929 section 4.1).

IIS calls it Extended Protection, and refuses a sign-in without it where it is required.
"""

from __future__ import annotations

import hashlib

from probe.wire.certificates import read_certificate

_LABEL = b"tls-server-end-point:"
_TOO_WEAK = frozenset({"md5", "sha1"})
_OURS = frozenset({"sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"})


def end_point_binding(der: bytes) -> bytes | None:
    """The binding to a server's certificate; None where its signature has no hash of its own, for which the RFC leaves the binding undefined."""
    try:
        name = read_certificate(der).signature.partition("-")[0]
    except ValueError:
        return None
    if name in _TOO_WEAK:
        name = "sha256"
    return _LABEL + hashlib.new(name, der).digest() if name in _OURS else None
