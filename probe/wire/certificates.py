"""What a certificate says, in the terms of the vocabulary.

Certificates are read by `probe.wire.der`. `cryptography` would refuse a whole certificate for one broken rule, though OpenSSL and Windows accept
it. The handshake has decided whether it is trusted; what it says must be known in any case.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from probe.model.characters import visible
from probe.model.kinds import ChainEnd, Validity
from probe.model.values import dataclass
from probe.wire.der import Element, read_element

SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5-rsa",
    "1.2.840.113549.1.1.5": "sha1-rsa",
    "1.3.14.3.2.29": "sha1-rsa",
    "1.2.840.113549.1.1.14": "sha224-rsa",
    "1.2.840.113549.1.1.11": "sha256-rsa",
    "1.2.840.113549.1.1.12": "sha384-rsa",
    "1.2.840.113549.1.1.13": "sha512-rsa",
    "2.16.840.1.101.3.4.3.13": "sha3_224-rsa",
    "2.16.840.1.101.3.4.3.14": "sha3_256-rsa",
    "2.16.840.1.101.3.4.3.15": "sha3_384-rsa",
    "2.16.840.1.101.3.4.3.16": "sha3_512-rsa",
    "1.2.840.10045.4.1": "sha1-ecdsa",
    "1.2.840.10045.4.3.1": "sha224-ecdsa",
    "1.2.840.10045.4.3.2": "sha256-ecdsa",
    "1.2.840.10045.4.3.3": "sha384-ecdsa",
    "1.2.840.10045.4.3.4": "sha512-ecdsa",
    "2.16.840.1.101.3.4.3.9": "sha3_224-ecdsa",
    "2.16.840.1.101.3.4.3.10": "sha3_256-ecdsa",
    "2.16.840.1.101.3.4.3.11": "sha3_384-ecdsa",
    "2.16.840.1.101.3.4.3.12": "sha3_512-ecdsa",
    "1.2.840.10040.4.3": "sha1-dsa",
    "2.16.840.1.101.3.4.3.1": "sha224-dsa",
    "2.16.840.1.101.3.4.3.2": "sha256-dsa",
    "2.16.840.1.101.3.4.3.3": "sha384-dsa",
    "2.16.840.1.101.3.4.3.4": "sha512-dsa",
    "1.2.643.2.2.3": "3410_2001-gostr3411_94",
    "1.2.643.7.1.1.3.2": "3411_2012_256-gostr3410_2012",
    "1.2.643.7.1.1.3.3": "3411_2012_512-gostr3410_2012",
}
"""RFC 8017, RFC 5758, RFC 8702, RFC 4357 and RFC 9215. `cryptography` has them too, but takes 30 ms to load for it."""

_VERSION, _EXTENSIONS = 0xA0, 0xA3  # of a certificate (RFC 5280 section 4.1)
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87  # of an alternative name (section 4.2.1.6)

_COMMON_NAME, _ALTERNATIVE_NAMES = "2.5.4.3", "2.5.29.17"
_SHORT = {
    _COMMON_NAME: "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
"""RFC 4514 section 3."""

_RSA_PSS, _EC_KEY, _DSA_KEY = "1.2.840.113549.1.1.10", "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_RSA_KEYS = ("1.2.840.113549.1.1.1", _RSA_PSS)
_PLAIN_KEYS = {"1.3.101.112": "ed25519", "1.3.101.113": "ed448"}
"""Whose identifier says all, of the key as of the signature (RFC 8410 section 3)."""
_CURVES = {
    "1.2.840.10045.3.1.1": "p192",
    "1.3.132.0.33": "p224",
    "1.2.840.10045.3.1.7": "p256",
    "1.3.132.0.34": "p384",
    "1.3.132.0.35": "p521",
    "1.3.132.0.10": "secp256k1",
    "1.3.36.3.3.2.8.1.1.7": "brainpoolp256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpoolp384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpoolp512r1",
}
"""RFC 5480 section 2.1.1.1, SEC 2, RFC 5639."""
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.7": "sha3-224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
"""RFC 4055 section 2.1 and RFC 8702."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate, read."""

    subject: str
    issuer: str
    names: tuple[str, ...] | None
    """DNS names and addresses of the subject alternative name; empty where there is none, None where they cannot be read."""
    common_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    signature: str
    is_self_issued: bool
    """Whether subject and issuer are one, so that its own signature proves nothing."""

    def is_for(self, host: str) -> bool | None:
        """Whether it is for a host: by its alternative names (RFC 9525), or by its common name where it has no DNS name.

        The common name no longer counts for browsers, but it does for Windows, whose verdict is the one that matters here.
        None where the alternative names cannot be read: whether the common name counts hangs on them.
        """
        if self.names is None:
            return None
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names = tuple(n for n in self.names if not _is_address(n)) or self.common_names
            return any(_name_matches(name.lower().rstrip("."), host.lower().rstrip(".")) for name in names)
        return str(address) in self.names


_REMEMBERED_CERTIFICATES = 128
"""Size of the cache of certificates: each is read for several facts, and an issuer's is sent by many servers."""


@lru_cache(_REMEMBERED_CERTIFICATES)
def read_certificate(der: bytes) -> Certificate:
    """The certificate in these bytes. Raises ValueError where it cannot be read."""
    try:
        signed, outer, *_ = read_element(der).children()
        fields = signed.children()
        if fields[0].tag == _VERSION:
            fields = fields[1:]
        _, _, issuer, validity, subject, key, *rest = fields
        not_before, not_after = validity.children()[:2]
        return Certificate(
            subject=visible(_name(subject)),
            issuer=visible(_name(issuer)),
            names=_alternative_names(rest),
            common_names=tuple(visible(value) for oid, value in _attributes(subject) if oid == _COMMON_NAME),
            not_before=not_before.time,
            not_after=not_after.time,
            key=_key(key),
            signature=_signature(outer),
            is_self_issued=_name(subject) == _name(issuer),
        )
    except (ValueError, IndexError, OverflowError) as unreadable:
        raise ValueError(f"the certificate cannot be read: {unreadable}") from unreadable


def subject_of(der: bytes) -> str:
    """Subject of a certificate, or words in its place where it cannot be read."""
    try:
        return read_certificate(der).subject
    except ValueError:
        return "(unreadable)"


def chain_end(sent: Sequence[bytes], verified: Sequence[bytes] = ()) -> ChainEnd | None:
    """The earliest end among the certificates sent that are needed; None where the server's own cannot be read.

    Needed is what was sent of the chain that was verified; without one, each issuer in turn from the server's own on. Of two that were sent
    for one issuer, the one that lasts longer counts, since a client may choose it.
    """
    try:
        ends = [read_certificate(der) for der in sent[:1]]
    except ValueError:
        return None
    others = [certificate for der in sent[1:] if (certificate := _readable(der)) is not None and (not verified or der in verified)]
    if verified:
        ends += others
    while not verified and ends and not ends[-1].is_self_issued and len(ends) <= len(sent):
        issuers = [one for one in others if one.subject == ends[-1].issuer]
        if not issuers:
            break
        ends.append(max(issuers, key=lambda one: one.not_after))
    first = min(ends, key=lambda one: one.not_after, default=None)
    return None if first is None else ChainEnd(first.subject, first.not_after)


def validities(sent: Sequence[bytes]) -> tuple[Validity, ...]:
    """From when to when each of these certificates is valid; one that cannot be read is left out."""
    readable = filter(None, map(_readable, sent))
    return tuple(Validity(one.subject, one.not_before, one.not_after) for one in readable)


def _readable(der: bytes) -> Certificate | None:
    try:
        return read_certificate(der)
    except ValueError:
        return None


def _attributes(name: Element) -> Iterator[tuple[str, str]]:
    """The attributes of a name, each by its identifier, in the order in which they stand."""
    for relative in name.children():
        for attribute in relative.children():
            yield _attribute(attribute)


def _attribute(attribute: Element) -> tuple[str, str]:
    kind, value = attribute.children()[:2]
    return kind.dotted, value.text if value.text is not None else f"#{value.content.hex()}"


def _name(name: Element) -> str:
    """As RFC 4514 writes it, the last part first."""
    parts = []
    for relative in reversed(name.children()):
        attributes = map(_attribute, relative.children())
        parts.append("+".join(f"{_SHORT.get(oid, oid)}={_escaped(value)}" for oid, value in attributes))
    return ",".join(parts)


def _escaped(value: str) -> str:
    """A value within a name (RFC 4514 section 2.4)."""
    escaped = re.sub(r'([\\"+,;<>])', r"\\\1", value).replace("\0", "\\00")
    if value.startswith(("#", " ")):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if value.endswith(" ") and len(value) > 1 else escaped


def _alternative_names(rest: Sequence[Element]) -> tuple[str, ...] | None:
    """DNS names, then addresses. What is no name of a host is left out, and so is an address of no known length: it matches none."""
    dns: list[str] = []
    addresses: list[str] = []
    try:
        extensions = [one for block in rest if block.tag == _EXTENSIONS for one in block.children()[0].children()]
        for extension in extensions:
            oid, *_, value = extension.children()
            if oid.dotted != _ALTERNATIVE_NAMES:
                continue
            for name in read_element(value.octets).children():
                if name.tag == _DNS_NAME:
                    dns.append(visible(name.content.decode("ascii", "backslashreplace")))
                elif name.tag == _IP_ADDRESS and len(name.content) in (4, 16):
                    addresses.append(str(ipaddress.ip_address(name.content)))
    except (ValueError, IndexError):
        return None
    return (*dns, *addresses)


def _key(information: Element) -> str:
    """Kind and size of the public key in a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)."""
    algorithm, bits = information.children()[:2]
    kind, *parameters = algorithm.children()
    oid = kind.dotted
    try:
        if oid in _RSA_KEYS:
            return f"rsa-{read_element(bits.octets[1:]).children()[0].number.bit_length()}"
        if oid == _EC_KEY:
            return f"ecdsa-{_CURVES.get(parameters[0].dotted, f'unknown-{parameters[0].dotted}')}"
        if oid == _DSA_KEY:
            return f"dsa-{parameters[0].children()[0].number.bit_length()}"
    except (ValueError, IndexError):
        pass
    return _PLAIN_KEYS.get(oid, f"unknown-{oid}")


def _signature(algorithm: Element) -> str:
    kind, *parameters = algorithm.children()
    oid = kind.dotted
    if oid == _RSA_PSS:
        return f"{_pss_hash(parameters)}-rsa-pss"
    return _PLAIN_KEYS.get(oid) or SIGNATURES.get(oid, f"unknown-{oid}")


def _pss_hash(parameters: Sequence[Element]) -> str:
    """The hash of RSASSA-PSS; SHA-1 where none is named (RFC 4055 section 3.1)."""
    for field in parameters[0].children() if parameters else ():
        if field.tag == 0xA0:
            return _HASHES.get(field.children()[0].children()[0].dotted, "unknown")
    return "sha1"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name_matches(pattern: str, host: str) -> bool:
    """A wildcard stands for exactly the leftmost label, whole (RFC 9525 section 6.3)."""
    if not pattern.startswith("*."):
        return pattern == host
    _, dot, parent = host.partition(".")
    return bool(dot) and "." in parent and parent == pattern[2:]
