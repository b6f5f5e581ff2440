"""What a client offers in its hello, and what a server answers."""

from __future__ import annotations

import enum

from probe.model.values import dataclass


class Version(enum.IntEnum):
    """Protocol versions by their numbers on the wire."""

    SSL2 = 0x0002
    SSL3 = 0x0300
    TLS10 = 0x0301
    TLS11 = 0x0302
    TLS12 = 0x0303
    TLS13 = 0x0304

    @property
    def label(self) -> str:
        """Its name in facts: `TLSv1.2`."""
        return _LABELS[self]


_LABELS = {
    Version.SSL2: "SSLv2",
    Version.SSL3: "SSLv3",
    Version.TLS10: "TLSv1",
    Version.TLS11: "TLSv1.1",
    Version.TLS12: "TLSv1.2",
    Version.TLS13: "TLSv1.3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The contents of one ClientHello, by numbers of the IANA registries, in the client's order of preference."""

    versions: tuple[Version, ...]
    """Highest first. With TLS 1.3 among them they stand in supported_versions; else the first is the hello's own."""
    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    """Empty: no supported_groups extension."""
    schemes: tuple[int, ...] = ()
    """Signature schemes. Empty: no signature_algorithms extension."""
    certificate_schemes: tuple[int, ...] = ()
    """Schemes accepted inside the chain (signature_algorithms_cert). Empty: no such extension, so `schemes` holds for the chain too."""
    shares: tuple[int, ...] = ()
    """Groups of which a key share is sent at once, out of `groups`; only for TLS 1.3. Empty: an empty key_share, which asks for a retry."""
    server_name: str | None = None
    extended_master_secret: bool = True
    """RFC 7627. Servers in FIPS mode refuse TLS 1.2 without it, so it is left out on purpose only."""
    secure_renegotiation: bool = True
    """RFC 5746, as an extension."""

    def __hash__(self) -> int:
        # Hundreds of numbers are no more telling than these; what is alike in them is compared.
        return hash((self.suites[:2], len(self.suites), len(self.groups), self.server_name))

    def has_choice_of(self, reply: TlsReply) -> bool:
        """Whether all that a server chose, from this offer or another one, is offered here."""
        has_group = reply.group is None or reply.group in self.groups
        has_scheme = reply.scheme is None or reply.scheme in self.schemes
        return reply.version in self.versions and reply.suite in self.suites and has_group and has_scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsReply:
    """What a server chose and showed in its first flight. It is given only for a flight that came as far as `reads_through` asked."""

    version: Version
    suite: int
    group: int | None = None
    """Named group of the key exchange; in TLS 1.2 and below also for DHE, where its prime is one of RFC 7919. None where there is none."""
    finite_field_bits: int | None = None
    """Length of the DHE prime, where the key exchange was DHE."""
    scheme: int | None = None
    """Scheme of the server's signature; None where it signed nothing, or in a fixed way (TLS 1.1 and below), or was not read so far."""
    chain: tuple[bytes, ...] = ()
    """Certificates, DER, as sent."""
    extended_master_secret: bool = False
    secure_renegotiation: bool = False
    encrypt_then_mac: bool = False
    asks_client_certificate: bool = False
    retried: bool = False
    """Whether a HelloRetryRequest came first."""
    sslv2_kinds: tuple[int, ...] = ()
    """Every cipher kind that an SSLv2 server listed, in its order; `suite` is the first of them that was offered."""


@dataclass(frozen=True, slots=True)
class TlsRefusal:
    """The server ended it with an alert (RFC 8446 section 6.2)."""

    description: int
    """Number of the alert: 40 handshake_failure, 70 protocol_version, ..."""
    after_hello: bool = False
    """Whether a ServerHello came before the alert: a suite was found, and something else was not."""
    other_version: Version | None = None
    """The version that the server answered in, where none of the offered ones was its own: it sent no alert then, and `description` is
    the one that a client ends such a handshake with (70, protocol_version)."""
