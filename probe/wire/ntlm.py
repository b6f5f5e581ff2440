"""The first two messages of NTLM: the client's NEGOTIATE_MESSAGE and the server's CHALLENGE_MESSAGE ([MS-NLMP] section 2.2.1).

The challenge tells the names of the computer and its domain, and the version of Windows, to anybody who asks.
It never tells the version of Exchange.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from probe.model.values import dataclass

_SIGNATURE = b"NTLMSSP\0"

# [MS-NLMP] section 2.2.2.5.
_UNICODE = 0x00000001
_OEM = 0x00000002
_REQUEST_TARGET = 0x00000004
_NTLM = 0x00000200
_ALWAYS_SIGN = 0x00008000
_EXTENDED_SESSION_SECURITY = 0x00080000
_TARGET_INFO = 0x00800000
_VERSION = 0x02000000
_KEY_128 = 0x20000000
_KEY_56 = 0x80000000

_ASKED = _UNICODE | _OEM | _REQUEST_TARGET | _NTLM | _ALWAYS_SIGN | _EXTENDED_SESSION_SECURITY | _VERSION | _KEY_128 | _KEY_56
_OUR_VERSION = struct.pack("<BBHxxxB", 10, 0, 0, 15)  # section 2.2.2.10; a server only looks whether there is one

TYPE_1 = _SIGNATURE + struct.pack("<II", 1, _ASKED) + bytes(16) + _OUR_VERSION
"""NEGOTIATE_MESSAGE without domain, workstation or any name; it asks for the target's names and version."""

MAX_CHALLENGE_BYTES = 64 * 1024
"""Longest challenge read; its parts are addressed with 16-bit lengths, and real ones have 200 to 400 bytes."""

_WITH_NAME = 32  # signature, type, target name fields, flags, challenge
_WITH_INFO = 48  # also reserved bytes and target info fields
_WITH_VERSION = 56

# Ids of AV_PAIR, section 2.2.2.1.
_END, _COMPUTER_NETBIOS, _DOMAIN_NETBIOS, _COMPUTER_DNS, _DOMAIN_DNS, _TREE_DNS, _TIMESTAMP = 0, 1, 2, 3, 4, 5, 7

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NtlmChallenge:
    """What an NTLM challenge tells of the server; None where it does not say."""

    target_name: str | None
    """NetBIOS name of the domain, or of the computer where it is in none."""
    computer_netbios: str | None
    domain_netbios: str | None
    computer_dns: str | None
    domain_dns: str | None
    tree_dns: str | None
    timestamp: datetime | None
    """The server's clock, UTC."""
    windows_version: str | None
    """`10.0.20348`: major, minor and build of Windows."""


def read_challenge(blob: bytes) -> NtlmChallenge:
    """The contents of a CHALLENGE_MESSAGE. Raises ValueError, with a sentence, for anything that is none."""
    if len(blob) > MAX_CHALLENGE_BYTES:
        raise ValueError(f"the NTLM challenge is longer than {MAX_CHALLENGE_BYTES} bytes")
    if len(blob) < _WITH_NAME or not blob.startswith(_SIGNATURE):
        raise ValueError("what came is no NTLM message")
    (kind,) = struct.unpack_from("<I", blob, 8)
    if kind != 2:
        raise ValueError(f"what came is no NTLM challenge, but an NTLM message of type {kind}")
    (flags,) = struct.unpack_from("<I", blob, 20)
    target = _part(blob, 12, "target name")
    pairs: dict[int, bytes] = {}
    if flags & _TARGET_INFO:
        if len(blob) < _WITH_INFO:
            raise ValueError("the NTLM challenge ends before its target information")
        pairs = _pairs(_part(blob, 40, "target information"))
    return NtlmChallenge(
        target_name=_name(target, is_unicode=bool(flags & _UNICODE)),
        computer_netbios=_name(pairs.get(_COMPUTER_NETBIOS)),
        domain_netbios=_name(pairs.get(_DOMAIN_NETBIOS)),
        computer_dns=_name(pairs.get(_COMPUTER_DNS)),
        domain_dns=_name(pairs.get(_DOMAIN_DNS)),
        tree_dns=_name(pairs.get(_TREE_DNS)),
        timestamp=_time(pairs.get(_TIMESTAMP)),
        windows_version=_version(blob) if flags & _VERSION and _has_room_for_version(blob, flags) else None,
    )


_WEAKENS = "LM_COMPAT_LEVEL"


@contextmanager
def ntlm_v2_alone() -> Iterator[None]:
    """pyspnego's own NTLM answers meanwhile by NTLMv2 alone, whatever the environment says.

    Below 3, `LM_COMPAT_LEVEL` makes it answer by NTLMv1, of which whoever hears it finds the password's hash within a day.
    """
    before = os.environ.pop(_WEAKENS, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_WEAKENS] = before


def _has_room_for_version(blob: bytes, flags: int) -> bool:
    """Whether the payload begins behind the version. Some servers set the flag and leave the field out, and then names stand in its place."""
    fields = (12, 40) if flags & _TARGET_INFO else (12,)
    offsets = [offset for length, _, offset in (struct.unpack_from("<HHI", blob, at) for at in fields) if length]
    return min(offsets, default=_WITH_VERSION) >= _WITH_VERSION


def _part(blob: bytes, fields: int, what: str) -> bytes:
    """The payload that length and offset fields point at."""
    length, _, offset = struct.unpack_from("<HHI", blob, fields)
    if not length:
        return b""
    if offset < _WITH_NAME or offset + length > len(blob):
        raise ValueError(f"the {what} of the NTLM challenge lies outside it")
    return blob[offset : offset + length]


def _pairs(info: bytes) -> dict[int, bytes]:
    """Target information by id; of two with one id the first."""
    pairs: dict[int, bytes] = {}
    at = 0
    while at < len(info):
        if at + 4 > len(info):
            raise ValueError("the target information of the NTLM challenge is cut off")
        kind, length = struct.unpack_from("<HH", info, at)
        at += 4
        if kind == _END:
            break
        if at + length > len(info):
            raise ValueError("the target information of the NTLM challenge is cut off")
        pairs.setdefault(kind, info[at : at + length])
        at += length
    return pairs


def _name(raw: bytes | None, *, is_unicode: bool = True) -> str | None:
    if not raw:
        return None
    if is_unicode:
        try:
            name = raw.decode("utf-16-le")
        except UnicodeDecodeError:
            raise ValueError("a name in the NTLM challenge is not UTF-16") from None
    else:
        name = raw.decode("ascii", "backslashreplace")  # in the server's OEM code page, which it does not name
    if not name.isprintable():
        raise ValueError("a name in the NTLM challenge holds control characters")
    return name


def _time(raw: bytes | None) -> datetime | None:
    if raw is None:
        return None
    if len(raw) != 8:
        raise ValueError("the time in the NTLM challenge has not 8 bytes")
    (ticks,) = struct.unpack("<Q", raw)
    try:
        return _FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        raise ValueError("the time in the NTLM challenge lies beyond the year 9999") from None


def _version(blob: bytes) -> str | None:
    if len(blob) < _WITH_VERSION:
        raise ValueError("the NTLM challenge ends before its version")
    major, minor, build = struct.unpack_from("<BBH", blob, _WITH_INFO)
    return f"{major}.{minor}.{build}" if major else None
