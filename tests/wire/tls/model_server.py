"""A TLS server as a function: what it is configured with, and what it makes of a question."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from probe.wire.tls.elimination import Elimination, Listing, Question
from probe.wire.tls.offer import TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import group_number, groups, scheme_number, schemes, suites

_P256 = group_number("secp256r1")


@cache
def leaf(kind: str) -> bytes:
    """A certificate, DER: `RSA`, or `ECDSA` on P-256."""
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=900)).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server takes of one version, each list in its own order."""

    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    prime: int | None = None
    """Named group of its DHE prime; None for a prime of its own."""
    heeds_wishes: bool = False
    """Whether it takes any of the groups of RFC 7919 that the client offers, for DHE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """`gives_up` after it has chosen a suite whose key has no scheme left, as OpenSSL does; else it goes on to the next."""

    versions: dict[Version, Served]
    kinds: frozenset[str] = frozenset({"RSA"})
    server_order: bool = True
    longest: int = 1000
    gives_up: bool = False
    retries: bool = True

    def answer(self, question: Question) -> TlsReply | TlsRefusal:
        offer = question.offer
        version = next((v for v in offer.versions if v in self.versions), None)
        if version is None or len(offer.suites) > self.longest:
            return TlsRefusal(70 if version is None else 40)
        served = self.versions[version]
        if version is Version.SSL2:
            return TlsReply(version=version, suite=served.suites[0], chain=(leaf("RSA"),), sslv2_kinds=served.suites)
        ranked = served.suites if self.server_order else [s for s in offer.suites if s in served.suites]
        for suite in (s for s in ranked if s in offer.suites):
            if isinstance(made := self._with(suite, version, served, question), TlsReply):
                return made
            if made is not None:
                return made
        return TlsRefusal(40)

    def _with(self, suite: int, version: Version, served: Served, question: Question) -> TlsReply | TlsRefusal | None:
        offer, known = question.offer, suites()[suite]
        in_tls13 = version is Version.TLS13
        if known.authentication in ("RSA", "ECDSA") and known.authentication not in self.kinds:
            return None
        if not in_tls13 and known.authentication == "ECDSA" and version >= Version.TLS10 and _P256 not in offer.groups:
            return None
        group = None
        if in_tls13 or known.key_exchange in ("ECDHE", "ECDH_anon"):
            usable = [g for g in served.groups if g in offer.groups and (in_tls13 or groups()[g].kind != "ffdhe")]
            if not usable or (in_tls13 and not self.retries and not set(usable) & set(offer.shares)):
                return None
            group = usable[0] if self.retries or not in_tls13 else next(g for g in usable if g in offer.shares)
        elif known.key_exchange in ("DHE", "DH_anon"):
            wished = [g for g in offer.groups if groups()[g].kind == "ffdhe"]
            group = wished[0] if served.heeds_wishes and wished else served.prime
        scheme = None
        kind = next(iter(sorted(self.kinds))) if in_tls13 else known.authentication
        if in_tls13 or (known.key_exchange in ("ECDHE", "DHE") and version is Version.TLS12):
            kinds = sorted(self.kinds) if in_tls13 else [kind]
            wanted = offer.schemes or (scheme_number("rsa_pkcs1_sha1"), scheme_number("ecdsa_sha1"))
            fitting = [s for s in served.schemes if s in wanted and any(schemes()[s].key.startswith(k) for k in kinds)]
            if not fitting:
                return TlsRefusal(40) if self.gives_up else None
            scheme = fitting[0]
            kind = "ECDSA" if schemes()[scheme].key == "ECDSA" else "RSA"
        chain = () if known.authentication == "anonymous" else (leaf(kind if kind in ("RSA", "ECDSA") else "RSA"),)
        reply = TlsReply(
            version=version,
            suite=suite,
            group=group,
            scheme=scheme,
            chain=chain,
            extended_master_secret=Version.TLS10 <= version < Version.TLS13,
            secure_renegotiation=version < Version.TLS13,
        )
        return reply if question.whole else replace(reply, scheme=None, chain=())


def listed(server: ModelServer, version: Version, *, after: Elimination | None = None) -> tuple[Listing, int, Elimination]:
    """What elimination finds, by how many questions."""
    elimination = Elimination(version, None, after=after)
    questions = elimination.questions()
    count = 0
    try:
        question = next(questions)
        while True:
            count += 1
            question = questions.send(server.answer(question))
    except StopIteration:
        return elimination.listing, count, elimination
