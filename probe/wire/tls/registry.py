"""Cipher suites, groups and signature schemes by number and by name, and the order in which to ask servers for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from probe.model.values import dataclass
from probe.tables.tls import tls_registry
from probe.wire.tls.offer import Version


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A cipher suite; in SSLv2, a cipher kind (their numbers have three bytes)."""

    number: int
    name: str
    first: Version
    last: Version
    key_exchange: str
    """`ECDHE`, `DHE`, `RSA`, `DH_anon`, ...; `any` in TLS 1.3."""
    authentication: str
    """`RSA`, `ECDSA`, `anonymous`, `PSK`, ...; `any` in TLS 1.3."""
    cipher: str
    """`AES_128_GCM`, `AES_256_CBC`, `RC4_128`, ..."""
    mac: str
    """`AEAD`, or the hash of the HMAC."""

    @property
    def is_cbc(self) -> bool:
        """Whether it runs a block cipher in CBC mode."""
        return self.cipher.endswith("_CBC")


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A named group of the key exchange."""

    number: int
    name: str
    kind: str
    """`ecdhe`, `ffdhe`, `kem` or `hybrid`."""
    first: Version
    last: Version


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature scheme."""

    number: int
    name: str
    key: str
    """`RSA`, `RSA-PSS`, `ECDSA`, `EdDSA`, ..."""
    hash: str
    tls12: bool
    """Whether a TLS 1.2 server may sign its key exchange with it."""
    tls13: bool
    """Whether a TLS 1.3 server may sign its handshake with it."""


_VERSIONS = {version.label: version for version in Version}


@cache
def suites() -> Mapping[int, CipherSuite]:
    """Every known cipher suite by its number, the cipher kinds of SSLv2 among them."""
    rows = tls_registry("suites") + tls_registry("sslv2_kinds")
    return {
        (number := int(row["id"], 16)): CipherSuite(
            number, row["name"], _VERSIONS[row["first"]], _VERSIONS[row["last"]], row["kx"], row["auth"], row["cipher"], row["mac"]
        )
        for row in rows
    }


@cache
def groups() -> Mapping[int, NamedGroup]:
    """Every known group by its number."""
    return {
        (number := int(row["id"], 16)): NamedGroup(number, row["name"], row["kind"], _VERSIONS[row["first"]], _VERSIONS[row["last"]])
        for row in tls_registry("groups")
    }


@cache
def schemes() -> Mapping[int, SignatureScheme]:
    """Every known signature scheme by its number."""
    return {
        (number := int(row["id"], 16)): SignatureScheme(
            number, row["name"], row["key"], row["hash"], row["tls12"] == "yes", row["tls13"] == "yes"
        )
        for row in tls_registry("schemes")
    }


# --- Names --------------------------------------------------------------------------------------------------


@cache
def _numbers() -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    return (
        {suite.name: suite.number for suite in suites().values()},
        {group.name: group.number for group in groups().values()},
        {scheme.name: scheme.number for scheme in schemes().values()},
    )


def suite_number(name: str) -> int:
    """Number of a cipher suite. Raises KeyError for a name that no table has."""
    return _numbers()[0][name]


def group_number(name: str) -> int:
    """Number of a group. Raises KeyError for a name that no table has."""
    return _numbers()[1][name]


def scheme_number(name: str) -> int:
    """Number of a signature scheme. Raises KeyError for a name that no table has."""
    return _numbers()[2][name]


def suite_name(number: int) -> str:
    """Name of a cipher suite; its number in hexadecimal where no table has it."""
    suite = suites().get(number)
    return suite.name if suite else _hexadecimal(number)


def group_name(number: int) -> str:
    """Name of a group; its number in hexadecimal where no table has it."""
    group = groups().get(number)
    return group.name if group else _hexadecimal(number)


def scheme_name(number: int) -> str:
    """Name of a signature scheme; its number in hexadecimal where no table has it."""
    scheme = schemes().get(number)
    return scheme.name if scheme else _hexadecimal(number)


def _hexadecimal(number: int) -> str:
    return f"0x{number:04X}"


# --- What to ask for, and in which order --------------------------------------------------------------------

_NEEDS_A_SHARED_SECRET = frozenset({"PSK", "SRP", "KRB5", "ECCPWD"})
"""A server takes these only with a key, password or ticket that both sides know; nobody can ask for them from outside."""
_NEVER_CHOSEN = frozenset({0x0000, 0x00FF, 0x5600})
"""TLS_NULL_WITH_NULL_NULL is the state before the handshake (RFC 5246 section A.5); the others are signals (RFC 5746, RFC 7507)."""
_EXPLICIT_CURVES = frozenset({0xFF01, 0xFF02})
"""Parameters spelled out instead of a name: not a group that could be named in an answer (RFC 8422 deprecates them)."""
_FIRST_PRIVATE_SUITE = 0xE000
"""What has a number from here on was never registered; neither were the drafts that the table calls OLD."""

# Ciphers from what every server has to what only one library ever had; what is not listed comes last.
_CIPHERS = (
    *("AES_256_GCM", "AES_128_GCM", "CHACHA20_POLY1305", "AES_256_CBC", "AES_128_CBC", "AES_256_CCM", "AES_128_CCM"),
    *("AES_256_CCM_8", "AES_128_CCM_8", "TRIPLE_DES_EDE_CBC", "CAMELLIA_256_CBC", "CAMELLIA_128_CBC", "RC4_128"),
    *("ARIA_256_GCM", "ARIA_128_GCM", "CAMELLIA_256_GCM", "CAMELLIA_128_GCM", "SEED_CBC", "IDEA_CBC", "DES_CBC"),
    *("RC4_40", "RC4_56", "RC2_40_CBC", "RC2_56_CBC", "DES40_CBC", "NULL", "ARIA_256_CBC", "ARIA_128_CBC"),
    *("SM4_GCM", "SM4_CCM", "SM4_CBC"),
)
_USUAL_CIPHERS = frozenset(_CIPHERS[:9])
_OLDER_CIPHERS = frozenset(_CIPHERS[9:26])
_KEY_EXCHANGES = ("any", "ECDHE", "DHE", "RSA", "DH_anon", "ECDH_anon", "ECDH", "DH")
_USUAL_AUTHENTICATIONS = frozenset({"any", "RSA", "ECDSA"})
_CIPHER_RANK = {cipher: rank for rank, cipher in enumerate(_CIPHERS)}
_KEY_EXCHANGE_RANK = {name: rank for rank, name in enumerate(_KEY_EXCHANGES)}


def _likelihood(suite: CipherSuite) -> tuple[int, int, int, bool, int]:
    """Sorts what a modern server accepts before what older ones do, and that before what hardly any ever did."""
    kept_by_all = suite.key_exchange in _KEY_EXCHANGES[:4] and suite.authentication in _USUAL_AUTHENTICATIONS
    if suite.last != Version.SSL2 and (suite.number >= _FIRST_PRIVATE_SUITE or suite.name.startswith("OLD_")):
        tier = 4
    elif kept_by_all and suite.cipher in _USUAL_CIPHERS:
        tier = 0
    elif suite.key_exchange in _KEY_EXCHANGES[:6] and suite.authentication != "DSS" and suite.cipher in _USUAL_CIPHERS | _OLDER_CIPHERS:
        tier = 1
    elif suite.key_exchange in _KEY_EXCHANGES and suite.cipher in _CIPHER_RANK:
        tier = 2
    else:
        tier = 3
    cipher = _CIPHER_RANK.get(suite.cipher, len(_CIPHERS))
    key_exchange = _KEY_EXCHANGE_RANK.get(suite.key_exchange, len(_KEY_EXCHANGES))
    if tier == 0:
        return tier, key_exchange, cipher, suite.authentication == "ECDSA", suite.number
    return tier, cipher, key_exchange, suite.authentication == "ECDSA", suite.number


@cache
def suites_of(version: Version) -> tuple[int, ...]:
    """Every suite that a client without a shared secret can ask for at a version, the likely ones first.

    Suites that need a secret shared beforehand are not in it, nor are signals. With SSLv3 those of TLS 1.0 are, since
    servers of that time made no difference.
    """
    first = {Version.SSL3: Version.TLS10}.get(version, version)
    usable = (
        suite
        for suite in suites().values()
        if suite.first <= first
        and version <= suite.last
        and suite.number not in _NEVER_CHOSEN
        and not {suite.key_exchange, suite.authentication} & _NEEDS_A_SHARED_SECRET
    )
    return tuple(suite.number for suite in sorted(usable, key=_likelihood))


_LIKELY_GROUPS = (
    *(0x001D, 0x0017, 0x0018, 0x0019, 0x11EC, 0x001E, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x11EB, 0x11ED),
    *(0x001A, 0x001B, 0x001C, 0x001F, 0x0020, 0x0021, 0x0201, 0x0202, 0x0200, 0x0016, 0x0015, 0x0013),
)
"""x25519 and the NIST curves, which nearly every server has; then what OpenSSL and GnuTLS have in their default lists."""


@cache
def groups_of(version: Version) -> tuple[int, ...]:
    """Every group that can be used at a version, the likely ones first; none before TLS 1.0, which had no extensions."""
    usable = (g.number for g in groups().values() if g.first <= version <= g.last and g.number not in _EXPLICIT_CURVES)
    return tuple(sorted(usable, key=lambda number: _place(_LIKELY_GROUPS, number)))


_LIKELY_SCHEMES = (
    *(0x0804, 0x0403, 0x0401, 0x0805, 0x0806, 0x0501, 0x0601, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B),
    *(0x0201, 0x0203, 0x0301, 0x0303, 0x0402, 0x0502, 0x0602, 0x0202, 0x0302, 0x0101, 0x081A, 0x081B, 0x081C, 0x0904, 0x0905, 0x0906),
)
"""RSA and ECDSA with SHA-2, EdDSA, RSA keys bound to PSS; then SHA-1, DSA, MD5, and what is new."""


@cache
def schemes_of(version: Version) -> tuple[int, ...]:
    """Every scheme that a server can sign with at a version, the likely ones first; none before TLS 1.2, where it was fixed."""
    usable = (s.number for s in schemes().values() if (version == Version.TLS12 and s.tls12) or (version == Version.TLS13 and s.tls13))
    return tuple(sorted(usable, key=lambda number: _place(_LIKELY_SCHEMES, number)))


def _place(likely: tuple[int, ...], number: int) -> tuple[int, int]:
    return (likely.index(number) if number in likely else len(likely)), number
