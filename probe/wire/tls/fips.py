"""Simulates a client in FIPS mode by one hello: what session it would get, what prevents one, and what it would refuse.

The clients are data (`fips_profiles.toml`). That such a client gets a session does not show a validated module on the server's
side; nothing on the wire does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache

from probe.model.values import dataclass
from probe.tables.fips import FipsOffer, fips_profiles
from probe.wire.certificates import Certificate, read_certificate
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import (
    group_name,
    group_number,
    groups,
    groups_of,
    scheme_name,
    scheme_number,
    schemes_of,
    suite_name,
    suite_number,
    suites,
    suites_of,
)

SettledAnswer = TlsReply | TlsRefusal | None
"""What came of a question; None where that could not be settled."""

_SHARE = "secp256r1"
"""Sent along where it is offered: nearly every client in FIPS mode has it, and it saves a round trip."""
_USUAL_SHARES = ("x25519", _SHARE)
"""Sent along with what a client in FIPS mode would not send: nearly every server has one of them."""
_VERSIONS = {version.label: version for version in Version}
_PROTOCOL_VERSION = 70
_OLD_VERSIONS = (Version.TLS11, Version.TLS10, Version.SSL3)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedFipsProfile:
    """What a client allows in FIPS mode, by numbers of the registries, in its order of preference."""

    name: str
    is_windows: bool
    """Whether it is a Windows that a deployment can run on."""
    versions: tuple[Version, ...]
    """Highest first."""
    suites: tuple[int, ...]
    groups: tuple[int, ...]
    schemes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NonFipsHello:
    """A hello that asks for what a client in FIPS mode refuses, and for nothing else."""

    offer: Offer
    label: str
    """What it asks for, in words."""
    part: str
    """What the answer shows: `version`, `suite` or `group`."""


@cache
def profile_named(name: str) -> NumberedFipsProfile:
    """A profile of the table. Raises KeyError for a name that it does not have."""
    entry = fips_profiles()[name]
    allowed = _numbered(entry.allowed)
    return NumberedFipsProfile(
        name=name,
        is_windows=entry.is_windows,
        versions=allowed.versions,
        suites=allowed.suites,
        groups=allowed.groups,
        schemes=allowed.schemes,
    )


def hello_of(profile: NumberedFipsProfile, *, server_name: str | None, fips: bool = True, by_default: bool = False) -> Offer:
    """The client's hello: all that it allows in FIPS mode, or what it sends by default with the FIPS policy on or off."""
    entry = fips_profiles()[profile.name]
    return _to(_numbered((entry.offered if fips else entry.offered_without_fips) if by_default else entry.allowed), server_name)


# A service may know thousands of names.
@lru_cache(maxsize=256)
def _to(offer: Offer, server_name: str | None) -> Offer:
    return replace(offer, server_name=server_name)


def _shares(groups_offered: tuple[int, ...]) -> tuple[int, ...]:
    share = group_number(_SHARE)
    return (share,) if share in groups_offered else ()


@cache
def _numbered(offer: FipsOffer) -> Offer:
    versions = tuple(_VERSIONS[label] for label in offer.versions)
    groups_offered = tuple(map(group_number, offer.groups))
    return Offer(
        versions=versions,
        suites=tuple(map(suite_number, offer.suites)),
        groups=groups_offered,
        schemes=tuple(map(scheme_number, offer.schemes)),
        certificate_schemes=tuple(map(scheme_number, offer.certificate_schemes)),
        shares=_shares(groups_offered) if versions[0] is Version.TLS13 else (),
    )


# --- What it makes of an answer -----------------------------------------------------------------------------


def verdict(profile: NumberedFipsProfile, reply: TlsReply, *, fips: bool = True) -> tuple[str, ...]:
    """Why the client, its FIPS policy on or off, ends a handshake that the server was ready for; empty where it does not."""
    entry = fips_profiles()[profile.name]
    reasons = []
    if fips and reply.version <= Version.TLS12 and entry.requires_extended_master_secret and not reply.extended_master_secret:
        reasons.append(f"the server holds {reply.version.label} without the extended master secret, which the client requires")
    least = entry.dhe_bits if fips else entry.dhe_bits_without_fips
    if reply.finite_field_bits is not None and reply.finite_field_bits < least:
        reasons.append(f"its Diffie-Hellman prime has {reply.finite_field_bits} bits, and the client takes no less than {least}")
    return (*reasons, *(_against_chain(profile, reply.chain) if fips else _too_short(reply.chain, entry.rsa_bits_without_fips)))


def _too_short(chain: Iterable[bytes], least_bits: int) -> Iterable[str]:
    """Keys of RSA below a bar, in certificates that can be read; one that cannot is no reason."""
    for place, der in enumerate(chain):
        with suppress(ValueError):
            kind, _, size = read_certificate(der).key.partition("-")
            if kind == "rsa" and int(size) < least_bits:
                yield f"{_whose(place)} has an RSA key of {size} bits, and the client takes no less than {least_bits}"


def _against_chain(profile: NumberedFipsProfile, chain: Iterable[bytes], *, is_held_against: bool = False) -> Iterable[str]:
    """What is below the client's bar in the certificates.

    Those that are issued by themselves are trusted or not, and no client checks their signature; but a server may hold it against
    the schemes that the client names for the chain, as OpenSSL does.
    """
    for place, der in enumerate(chain):
        whose = _whose(place)
        try:
            certificate = read_certificate(der)
        except ValueError as unreadable:
            yield f"{whose}: {unreadable}"
            continue
        if place > 0 and certificate.is_self_issued:
            continue
        yield from _against_key(profile, whose, certificate)
        entry = fips_profiles()[profile.name]
        if (is_held_against or not certificate.is_self_issued) and certificate.signature.split("-")[0] not in entry.hashes:
            yield f"{whose} is signed with {certificate.signature}"


def _whose(place: int) -> str:
    return "the server's certificate" if place == 0 else f"certificate {place + 1} of its chain"


def _against_key(profile: NumberedFipsProfile, whose: str, certificate: Certificate) -> Iterable[str]:
    entry = fips_profiles()[profile.name]
    kind, _, size = certificate.key.partition("-")
    if kind != "rsa":
        if certificate.key not in entry.keys:
            yield f"{whose} has a key of a kind that the client refuses: {certificate.key}"
    elif int(size) < entry.rsa_bits:
        yield f"{whose} has an RSA key of {size} bits, and the client takes no less than {entry.rsa_bits}"
    elif entry.most_rsa_bits is not None and int(size) > entry.most_rsa_bits:
        yield f"{whose} has an RSA key of {size} bits, and the client takes no more than {entry.most_rsa_bits}"


# --- What it would refuse -----------------------------------------------------------------------------------


def non_fips_hellos(profile: NumberedFipsProfile, server_name: str | None) -> tuple[NonFipsHello, ...]:
    """Hellos for what the client refuses, at most four. Those that few servers take come first, so that the answers to the last confirm them.

    Those that ask for other suites name other groups first, so that one answer may show both.
    """
    return _non_fips_hellos_to(profile.name, server_name)


@lru_cache(maxsize=32)
def _non_fips_hellos_to(profile: str, server_name: str | None) -> tuple[NonFipsHello, ...]:
    return tuple(replace(one, offer=replace(one.offer, server_name=server_name)) for one in _non_fips_hellos(profile))


@cache
def _non_fips_hellos(profile_name: str) -> tuple[NonFipsHello, ...]:
    """Those to a server without a name."""
    profile = profile_named(profile_name)
    found = []
    older = tuple(version for version in _OLD_VERSIONS if version < profile.versions[-1])[:2]
    if older:
        offer = Offer(versions=older, suites=suites_of(older[0]), groups=_usable(older[0]))
        found.append(NonFipsHello(offer, f"{older[0].label} or lower", "version"))
    for version in (Version.TLS12, Version.TLS13):
        refused = tuple(number for number in suites_of(version) if number not in profile.suites)
        if version in profile.versions:
            offer = _asking(version, refused, tuple(sorted(_usable(version), key=lambda group: group in profile.groups)))
            found.append(NonFipsHello(offer, f"{version.label} and other suites only", "suite"))
    highest = profile.versions[0]
    in_a_group = tuple(number for number in suites_of(highest) if suites()[number].key_exchange in ("any", "ECDHE", "ECDH_anon"))
    others = tuple(number for number in _usable(highest) if number not in profile.groups)
    found.append(NonFipsHello(_asking(highest, in_a_group, others), f"{highest.label} and other groups only", "group"))
    return tuple(found)


def _asking(version: Version, asked_suites: tuple[int, ...], asked_groups: tuple[int, ...], server_name: str | None = None) -> Offer:
    usual = tuple(map(group_number, _USUAL_SHARES)) if version is Version.TLS13 else ()
    return Offer(
        versions=(version,),
        suites=asked_suites,
        groups=asked_groups,
        schemes=schemes_of(version),
        shares=tuple(group for group in asked_groups if group in usual),
        server_name=server_name,
    )


@cache
def _usable(version: Version) -> tuple[int, ...]:
    return tuple(number for number in groups_of(version) if version is Version.TLS13 or groups()[number].kind != "ffdhe")


def accepted_outside_fips(one: NonFipsHello, reply: TlsReply) -> str:
    """What the server accepted, in words."""
    label = reply.version.label
    if one.part == "version":
        return label
    if one.part == "suite" or reply.group is None:
        return f"{label} with {suite_name(reply.suite)}"
    return f"{label} with {group_name(reply.group)}"


# --- Why it was refused -------------------------------------------------------------------------------------


def diagnosis(
    profile: NumberedFipsProfile, heard: Mapping[NonFipsHello, SettledAnswer], server_name: str | None
) -> Generator[Offer, SettledAnswer, tuple[str, ...]]:
    """Why the client's hello was refused: the first obstacle, in words; empty where it was not found. `heard`: the answers to `non_fips_hellos`.

    Asks at most two hellos: the client's own suites with all groups and schemes, then with its own groups too.
    """
    open_answer = yield _relaxed(profile, server_name, any_group=True)
    if isinstance(open_answer, TlsRefusal):
        return (yield from _missing_suite(profile, heard, server_name))
    if not isinstance(open_answer, TlsReply):
        return ()
    foreign_group = open_answer.group is not None and open_answer.group not in profile.groups
    foreign_scheme = open_answer.scheme is not None and open_answer.scheme not in profile.schemes
    names_chain_schemes = bool(fips_profiles()[profile.name].allowed.certificate_schemes)
    answer: SettledAnswer = open_answer
    if foreign_group and (foreign_scheme or names_chain_schemes):
        answer = yield _relaxed(profile, server_name, any_group=False)
    if open_answer.group is not None and foreign_group and (isinstance(answer, TlsRefusal) or answer is open_answer):
        chosen = group_name(open_answer.group)
        return (f"the server exchanges keys in none of the client's groups; offered others, it chose {chosen}",)
    if not isinstance(answer, TlsReply):
        return ()
    against = tuple(_against_chain(profile, answer.chain, is_held_against=names_chain_schemes))
    if answer.scheme is not None and answer.scheme not in profile.schemes:
        chosen = scheme_name(answer.scheme)
        return (f"the server signs with none of the client's signature schemes; offered others, it chose {chosen}", *against)
    return against


def _missing_suite(
    profile: NumberedFipsProfile, heard: Mapping[NonFipsHello, SettledAnswer], server_name: str | None
) -> Generator[Offer, SettledAnswer, tuple[str, ...]]:
    taken = {one.part: reply for one, reply in heard.items() if isinstance(reply, TlsReply)}
    lowest, highest = profile.versions[-1], profile.versions[0]
    if reply := taken.get("suite"):
        if reply.version < highest and not any(_is_about_version(a) for one, a in heard.items() if one.offer.versions[0] is highest):
            answer = yield replace(_relaxed(profile, server_name, any_group=True), versions=(reply.version,), shares=())
            if isinstance(answer, TlsReply):
                return (
                    f"the server refuses {highest.label} and {reply.version.label} offered together, though it takes {reply.version.label} alone",
                )
        chosen = f"{suite_name(reply.suite)} in {reply.version.label}"
        return (f"the server takes none of the client's cipher suites; offered others, it chose {chosen}",)
    if reply := taken.get("version"):
        return (f"the server speaks no version above {reply.version.label}, and the client none below {lowest.label}",)
    if highest < Version.TLS13:
        answer = yield _asking(Version.TLS13, suites_of(Version.TLS13), groups_of(Version.TLS13), server_name)
        if isinstance(answer, TlsReply):
            return (f"the server speaks no version below {answer.version.label}, and the client none above {highest.label}",)
    return ("the server refuses it, and everything else that was offered to it",)


def _is_about_version(answer: SettledAnswer) -> bool:
    return isinstance(answer, TlsRefusal) and (answer.description == _PROTOCOL_VERSION or answer.other_version is not None)


def _relaxed(profile: NumberedFipsProfile, server_name: str | None, *, any_group: bool) -> Offer:
    """The client's versions and suites, with every scheme and, where that is asked for, every group."""
    every_group = tuple(dict.fromkeys((*groups_of(Version.TLS13), *groups_of(Version.TLS12))))
    offered = every_group if any_group else profile.groups
    return Offer(
        versions=profile.versions,
        suites=profile.suites,
        groups=offered,
        schemes=tuple(dict.fromkeys((*schemes_of(Version.TLS13), *schemes_of(Version.TLS12)))),
        shares=_shares(offered) if profile.versions[0] is Version.TLS13 else (),
        server_name=server_name,
    )


def refuses_version(profile: NumberedFipsProfile, version: Version) -> bool:
    """Whether a version is below all that the client allows. One above them it does not know."""
    return version < profile.versions[-1]
