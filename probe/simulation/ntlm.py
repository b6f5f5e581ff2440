"""NTLM on the side of a Windows server: the challenge, built field by field ([MS-NLMP] section 2.2.1.2), and the proof in answer to it.

pyspnego does the cryptography. Its own server would name itself in the challenge, where names and Windows' version are wanted as each
simulated host has them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
import time

from spnego._ntlm_raw.crypto import hmac_md5, ntowfv1, ntowfv2, rc4init, rc4k, sealkey, signkey
from spnego._ntlm_raw.messages import NegotiateFlags
from spnego._ntlm_raw.security import sign

from probe.model.values import dataclass

SIGNATURE = b"NTLMSSP\0"

# UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_DOMAIN, EXTENDED_SESSIONSECURITY, TARGET_INFO, VERSION, 128, KEY_EXCH, 56.
_FLAGS = 0x00000001 | 0x4 | 0x200 | 0x8000 | 0x10000 | 0x80000 | 0x800000 | 0x2000000 | 0x20000000 | 0x40000000 | 0x80000000

# A server's challenge is random; a fixed one keeps answers comparable, and nobody listens on loopback to repeat them.
_CHALLENGE = bytes.fromhex("0123456789abcdef")

_NTLM_REVISION = 15
_CHANNEL_BINDINGS = 10
_SECONDS_1601_TO_1970 = 11644473600


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsHost:
    """The names and the version that a Windows server discloses."""

    computer: str
    """DNS name."""
    domain: str
    """DNS name of its Active Directory domain."""
    version: tuple[int, int, int]
    """Of Windows: major, minor, build."""

    @property
    def netbios_computer(self) -> str:
        return self.computer.partition(".")[0].upper()[:15]

    @property
    def netbios_domain(self) -> str:
        return self.domain.partition(".")[0].upper()[:15]

    def challenge(self) -> str:
        """The type 2 message, in base64."""
        target = self.netbios_domain.encode("utf-16-le")
        pairs = _pairs(
            (2, self.netbios_domain.encode("utf-16-le")),
            (1, self.netbios_computer.encode("utf-16-le")),
            (4, self.domain.encode("utf-16-le")),
            (3, self.computer.encode("utf-16-le")),
            (5, self.domain.encode("utf-16-le")),
            (7, struct.pack("<Q", int((time.time() + _SECONDS_1601_TO_1970) * 10_000_000))),
        )
        major, minor, build = self.version
        header_length = 56
        header = SIGNATURE + struct.pack("<IHHII", 2, len(target), len(target), header_length, _FLAGS)
        header += _CHALLENGE + bytes(8) + struct.pack("<HHI", len(pairs), len(pairs), header_length + len(target))
        header += struct.pack("<BBH3xB", major, minor, build, _NTLM_REVISION)
        return base64.b64encode(header + target + pairs).decode("ascii")


def message_type(token: str) -> int | None:
    """Which NTLM message a token is, None where it is none."""
    message = _decoded(token)
    if len(message) < 12 or not message.startswith(SIGNATURE):
        return None
    return int(struct.unpack_from("<I", message, 8)[0])


@dataclass(frozen=True, slots=True)
class Proof:
    """What a type 3 message says and proves."""

    user: str
    domain: str
    _response: bytes
    _encrypted_key: bytes
    _flags: int

    @classmethod
    def read(cls, token: str) -> Proof:
        """Parses a type 3 message; a missing field is empty and proves nothing."""
        message = _decoded(token)
        flags = int.from_bytes(message[60:64], "little")
        return cls(_text(message, 36), _text(message, 28), _field(message, 20), _field(message, 52), flags)

    def is_of(self, password: str) -> bool:
        """Whether its author knew the password (NTLMv2, section 3.3.2)."""
        return len(self._response) > 16 and hmac.compare_digest(
            hmac_md5(self._key(password), _CHALLENGE + self._response[16:]), self._response[:16]
        )

    def signature(self, password: str, data: bytes) -> bytes:
        """The server's first signature in the session that the proof opens (sections 3.1.5.1.2 and 3.4.4.2)."""
        flags = NegotiateFlags(self._flags)
        session = hmac_md5(self._key(password), self._response[:16])
        if flags & NegotiateFlags.key_exch and flags & (NegotiateFlags.sign | NegotiateFlags.seal):
            session = rc4k(session, self._encrypted_key)
        return sign(flags, rc4init(sealkey(flags, session, usage="accept")), signkey(flags, session, "accept") or b"", 0, data)

    @property
    def is_bound(self) -> bool:
        """Whether it is bound to the TLS channel of any certificate."""
        return any(_pair_of(self._response[16 + 28 :], _CHANNEL_BINDINGS))

    def is_bound_to(self, certificate: bytes) -> bool:
        """Whether it is bound to the TLS channel of this certificate (DER), as Extended Protection wants it (section 3.1.5.1.2)."""
        # gss_channel_bindings_struct of RFC 2744 with neither address, around the end point's hash of RFC 5929.
        end_point = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
        wanted = hashlib.md5(bytes(16) + struct.pack("<I", len(end_point)) + end_point, usedforsecurity=False).digest()
        return _pair_of(self._response[16 + 28 :], _CHANNEL_BINDINGS) == wanted

    def _key(self, password: str) -> bytes:
        return ntowfv2(self.user, ntowfv1(password), self.domain)


def _text(message: bytes, at: int) -> str:
    return _field(message, at).decode("utf-16-le", "replace")


def _field(message: bytes, at: int) -> bytes:
    """The bytes that a field of length, room and offset points to."""
    if len(message) < at + 8:
        return b""
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + length]


def _pair_of(pairs: bytes, wanted: int) -> bytes:
    """The value of an AV_PAIR, empty where there is none."""
    while len(pairs) >= 4:
        kind, length = struct.unpack_from("<HH", pairs)
        if kind in (wanted, 0):
            return pairs[4 : 4 + length]
        pairs = pairs[4 + length :]
    return b""


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token, validate=True)
    except binascii.Error:
        return b""


def _pairs(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in (*pairs, (0, b"")))
