"""The NTLM challenge that a Windows server answers a first message with, put together field by field ([MS-NLMP] section 2.2.1.2)."""

from __future__ import annotations

import base64
import binascii
import struct
import time
from dataclasses import dataclass

SIGNATURE = b"NTLMSSP\0"

# UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_DOMAIN, EXTENDED_SESSIONSECURITY, TARGET_INFO, VERSION, 128, KEY_EXCH, 56.
_FLAGS = 0x00000001 | 0x4 | 0x200 | 0x8000 | 0x10000 | 0x80000 | 0x800000 | 0x2000000 | 0x20000000 | 0x40000000 | 0x80000000

# A server's challenge is random; nothing here checks an answer to it, and a fixed one keeps answers comparable.
_CHALLENGE = bytes.fromhex("0123456789abcdef")

_NTLM_REVISION = 15
_SECONDS_1601_TO_1970 = 11644473600


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsHost:
    """The names and the version that a Windows server gives away."""

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


def user_of(token: str) -> str:
    """The user that a type 3 message names, empty where it names none."""
    message = _decoded(token)
    if len(message) < 44:
        return ""
    length, _, offset = struct.unpack_from("<HHI", message, 36)
    return message[offset : offset + length].decode("utf-16-le", "replace")


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token, validate=True)
    except binascii.Error:
        return b""


def _pairs(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in (*pairs, (0, b"")))
