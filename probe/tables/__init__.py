"""Typed readers of what lies in `probe/data`, each read once.

Every table there says in its head where it is from and of what date it is. What a table does not hold is unknown:
no reader here fills a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal, TypeVar

from probe.model.estate import Service
from probe.model.facts import Build, Refusal, UpdateRange
from probe.tables.files import rows, toml

T = TypeVar("T")

EXCHANGE_ONLINE = "Exchange Online"
"""The product's name, as the tables and the facts write it."""


# --- TLS ----------------------------------------------------------------------------------------------------


def tls_registry(table: Literal["suites", "sslv2_kinds", "groups", "schemes"]) -> list[dict[str, str]]:
    """The rows of one of the tables of TLS numbers, by column; `probe.wire.tls.registry` gives them their types."""
    return rows(f"tls_{table}.csv")


@cache
def suites() -> Mapping[int, str]:
    """IANA names of cipher suites by number."""
    return {int(row["id"], 16): row["name"] for row in tls_registry("suites")}


def suite_name(number: int) -> str | None:
    """IANA name of a cipher suite, None where the registry has none."""
    return suites().get(number)


# --- Exchange -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExchangeBuild:
    """One update of Exchange Server and its build."""

    product: str
    update: str
    """`CU23 Oct25SU`, `SP3 RU10`, `RTM`, ..."""
    released: str
    """`2025-10-14`, or `2025-10` where the day is not known."""
    build: Build
    is_disputed: bool
    """Documented once and out of order: known by sight, never taken for a neighbour."""


@dataclass(frozen=True, slots=True)
class BuildPlace:
    """Where a build stands among the known ones."""

    product: str | None = None
    update: UpdateRange | None = None
    doubt: str = ""
    """Why there is no product or no update, in words; empty where there are both."""


@cache
def exchange_builds() -> tuple[ExchangeBuild, ...]:
    """Every known build of Exchange Server, in ascending order."""
    builds = (
        ExchangeBuild(row["product"], row["update"], row["released"], Build.parse(row["build"]), row["note"] == "disputed")
        for row in rows("exchange_builds.csv")
    )
    return tuple(sorted(builds, key=lambda b: b.build))


LARGEST_FOURTH_NUMBER = 999
"""Exchange writes the fourth number with three digits (`15.02.2562.046`); grommunio, for one, sends 15.0.847.4040."""

_NEWEST_PRODUCT = "Exchange Server SE"
"""The only product whose updates go on under higher third numbers."""


def exchange_build(build: Build) -> BuildPlace:
    """Product and update of a build: exact, or between its neighbours, and never rounded to one of them.

    From 2013 on the third number is the cumulative update's own, so it alone tells the update's family. The fourth
    number on the wire may be that of a component, which no table has: lower than the first of its family, maybe.
    """
    if build.parts[:2] == (15, 20):
        return BuildPlace(EXCHANGE_ONLINE, doubt="Exchange Online has no updates of its own")
    family = [b for b in exchange_builds() if b.build.parts[:2] == build.parts[:2]]
    if not family:
        return BuildPlace(doubt=f"no Exchange Server has builds that begin with {build.parts[0]}.{build.parts[1]}")
    if len(build.parts) == 4 and build.parts[3] > LARGEST_FOURTH_NUMBER:
        return BuildPlace(doubt=f"build {build} has a fourth number that Exchange never had")
    exact = next((b for b in family if b.build == build or b.build.parts == build.parts[:3]), None)
    if exact is not None:
        return BuildPlace(exact.product, UpdateRange(exact=exact.update))
    trusted = [b for b in family if not b.is_disputed]
    of_third = [b for b in trusted if b.build.parts[2] == build.parts[2]]
    if build.parts[0] < 15:
        return _among_rollups(build, trusted, of_third)
    return _among_cumulative_updates(build, trusted, of_third)


def _among_rollups(build: Build, family: list[ExchangeBuild], of_third: list[ExchangeBuild]) -> BuildPlace:
    """Up to 2010 each update raised the third number, and components have numbers between those of two updates."""
    product = family[0].product
    if of_third and len(build.parts) == 3:
        return BuildPlace(product, _range(of_third[0], of_third[-1]))
    return BuildPlace(product, _range(*_neighbours(build, family)))


def _among_cumulative_updates(build: Build, family: list[ExchangeBuild], of_third: list[ExchangeBuild]) -> BuildPlace:
    newest = family[-1]
    if not of_third:
        if newest.product == _NEWEST_PRODUCT and build > newest.build:
            return BuildPlace(newest.product, _range(newest, None))
        return BuildPlace(doubt=f"no released Exchange Server has build {build}")
    product = of_third[0].product
    if len(build.parts) == 3:
        # An update that is still serviced may be newer than the table.
        return BuildPlace(product, _range(of_third[0], None if of_third[-1].released == _newest_release() else of_third[-1]))
    return BuildPlace(product, _range(*_neighbours(build, of_third)))


def _neighbours(build: Build, candidates: list[ExchangeBuild]) -> tuple[ExchangeBuild | None, ExchangeBuild | None]:
    below = [b for b in candidates if b.build < build]
    above = [b for b in candidates if b.build > build]
    return (below[-1] if below else None), (above[0] if above else None)


def _range(lower: ExchangeBuild | None, higher: ExchangeBuild | None) -> UpdateRange:
    """Open at an end where no build is known: below the first of a family, and above the last."""
    return UpdateRange(at_least=None if lower is None else lower.update, at_most=None if higher is None else higher.update)


@cache
def _newest_release() -> str:
    return max(b.released for b in exchange_builds())


@cache
def _lifecycle() -> Mapping[str, date | None]:
    lifecycle = rows("exchange_lifecycle.csv")
    return {row["product"]: date.fromisoformat(row["end_of_support"]) if row["end_of_support"] else None for row in lifecycle}


def exchange_servers() -> frozenset[str]:
    """Names of every Exchange Server product."""
    return frozenset(_lifecycle())


UNTOLD_EXCHANGE = ("Exchange", "Exchange Server")
"""Products where it shows that Exchange answers, but not which: online or of some year; of some year."""


def end_of_support(product: str) -> date | None:
    """The day on which support for a product ended or ends, None where no source tells."""
    return _lifecycle().get(product)


@cache
def extended_updates(product: str) -> tuple[date, tuple[str, ...]] | None:
    """The last day of extended security updates, and the cumulative updates that get them; None for a product that has none."""
    row = next((row for row in rows("exchange_lifecycle.csv") if row["product"] == product and row["extended_updates_end"]), None)
    return None if row is None else (date.fromisoformat(row["extended_updates_end"]), tuple(row["extended_updates_for"].split()))


# --- Providers ----------------------------------------------------------------------------------------------


@cache
def _providers_by_domain() -> Mapping[str, str]:
    return {domain: entry["name"] for entry in toml("mail_domains.toml")["provider"] for domain in entry["domains"]}


def provider_of_domain(domain: str) -> str | None:
    """The provider whose own mail domain this is; None for a domain of somebody else, wherever it may be hosted."""
    return _providers_by_domain().get(domain.lower())


@cache
def _providers_by_host() -> Mapping[str, tuple[int, tuple[str, ...]]]:
    entries = toml("provider_hosts.toml")["host"]
    return _in_order((name, tuple(entry["providers"])) for entry in entries for name in entry["names"])


def providers_of_host(host: str) -> tuple[str, ...]:
    """Whom a provider's own host name serves; several where one host serves several; empty for every other name."""
    return _covering(_providers_by_host(), host) or ()


@cache
def _providers_by_product() -> Mapping[str, tuple[str, ...]]:
    return {entry["name"]: tuple(entry["providers"]) for entry in toml("provider_hosts.toml")["product"]}


def providers_of_product(product: str) -> tuple[str, ...]:
    """Whom a product serves that only providers run; several where it serves several; empty for what anybody may run."""
    return _providers_by_product().get(product, ())


def candidate_providers(host: str, product: str | None, service: Service) -> tuple[str, ...] | None:
    """Whose service an endpoint may be, by its host's name and by what answers there.

    Empty where neither tells; None where they contradict each other, as when Dovecot answers under Gmail's name.
    """
    by_host, by_product = providers_of_host(host), () if product is None else providers_of_product(product)
    if by_host and by_product:
        candidates = tuple(p for p in by_host if p in by_product)
    elif by_host and product is not None and not (product in UNTOLD_EXCHANGE and is_exchange_online_host(host)):
        candidates = ()
    else:
        candidates = by_host or by_product
    if by_host and not candidates:
        return None
    # Microsoft's consumers are not served over EWS.
    return ("exchange-online",) if service is Service.EWS and "exchange-online" in candidates else candidates


def one_house(provider: str, other: str) -> bool:
    """Whether two providers are brands of one house, which serves the one's mailboxes under the other's host names."""
    return any(provider in house and other in house for house in _houses())


@cache
def _houses() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(entry["brands"]) for entry in toml("provider_hosts.toml")["house"])


EXCHANGE_ONLINE_HEADERS = frozenset({"x-nanoproxy", "x-feproxyinfo", "x-feefzinfo", "x-firsthopcafeefz", "x-rum-validated", "x-besku"})
"""Headers that Exchange Online sends and no Exchange on premises, in small letters; seen in its answers 2020 to 2025. X-FEServer is not among them."""


def is_sharepoint(headers: Iterable[str]) -> bool:
    """Whether one of these headers, by name, is SharePoint's, which takes others from Exchange Online's front ends: X-FEServer, X-NanoProxy."""
    return any(header.lower().startswith(("microsoftsharepoint", "x-sharepoint", "sprequest")) for header in headers)


def is_windows_server(name: str) -> bool:
    """Whether a Server header is that of Windows' own web server, with which Exchange answers."""
    return name.lower().startswith(("microsoft-iis", "microsoft-httpapi"))


@cache
def _exchange_online_hosts() -> Mapping[str, tuple[int, str]]:
    return _in_order((name, cloud["name"]) for cloud in toml("authorities.toml")["cloud"] for name in cloud["exchange_online"])


def exchange_online_cloud(host: str) -> str | None:
    """The cloud whose Exchange Online has this host name; None for every other name."""
    return _covering(_exchange_online_hosts(), host)


def is_exchange_online_host(host: str) -> bool:
    """Whether a host name is one of Exchange Online's, the national clouds included."""
    return exchange_online_cloud(host) is not None


def told_by_host(host: str) -> tuple[tuple[str, ...], bool]:
    """All that follows from a host's name alone: whom it serves, and whether it is one of Exchange Online's. The same for every name of nobody's."""
    return providers_of_host(host), is_exchange_online_host(host)


def _in_order(entries: Iterable[tuple[str, T]]) -> Mapping[str, tuple[int, T]]:
    """A table of host names as it is looked into, each entry with its place; of two entries for one name the first counts."""
    found: dict[str, tuple[int, T]] = {}
    for place, (name, value) in enumerate(entries):
        found.setdefault(name, (place, value))
    return found


def _covering(table: Mapping[str, tuple[int, T]], host: str) -> T | None:
    """The first entry that covers a host: a name that begins with a dot covers every host under it, any other covers itself."""
    host = host.lower().rstrip(".")
    names = (host, *(host[at:] for at, character in enumerate(host) if character == "."))
    return min((table[name] for name in names if name in table), key=lambda entry: entry[0], default=(0, None))[1]


@dataclass(frozen=True, slots=True)
class PasswordEnding:
    """When a provider ceased to take the account's password, and what is left."""

    provider: str
    services: frozenset[Service]
    ended: date
    remains: Literal["app-password", "nothing", "unsettled"]
    """`unsettled`: it depends on what the customer switched on."""
    says: str
    """One sentence for the reader."""
    source: str
    """Where that was read."""


@cache
def _password_endings() -> tuple[PasswordEnding, ...]:
    return tuple(
        PasswordEnding(
            provider, frozenset(map(Service, entry["services"])), entry["ended"], entry["remains"], entry["says"], entry["source"]
        )
        for entry in toml("password_endings.toml")["ending"]
        for provider in entry["providers"]
    )


def password_ending(provider: str, service: Service) -> PasswordEnding | None:
    """How passwords ended at a provider's service, None where they did not."""
    return next((e for e in _password_endings() if e.provider == provider and service in e.services), None)


# --- SMTP ---------------------------------------------------------------------------------------------------


@cache
def smtp_keywords() -> frozenset[str]:
    """Keywords of extensions that EHLO may list, upper-case."""
    return frozenset(row["keyword"] for row in rows("smtp_keywords.csv"))


# --- Alerts of Dynamics --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DynamicsAlert:
    """An alert of Dynamics and what it may come from."""

    words: tuple[str, ...]
    """In lower case; one of them is enough to know it by."""
    rules: tuple[str, ...]
    """Ids of the rules to look at, the likeliest first."""
    example: str


@cache
def dynamics_alerts() -> tuple[DynamicsAlert, ...]:
    """The alerts that are known."""
    return tuple(DynamicsAlert(tuple(a["words"]), tuple(a["rules"]), a["example"]) for a in toml("dynamics_alerts.toml")["alert"])


def causes_of_alert(text: str) -> tuple[str, ...]:
    """Ids of the rules that may explain an alert, the likeliest first; none where no word of it is known."""
    said = " ".join(text.lower().split())
    return tuple(dict.fromkeys(rule for alert in dynamics_alerts() if any(w in said for w in alert.words) for rule in alert.rules))


# --- FIPS profiles ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FipsOffer:
    """What a client's hello offers, by names of the IANA registries, in its order of preference."""

    versions: tuple[str, ...]
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    schemes: tuple[str, ...]
    certificate_schemes: tuple[str, ...]
    """For the signatures within the chain; empty where the client does not name them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FipsProfile:
    """What a client allows in FIPS mode, and what it sends."""

    name: str
    title: str
    """As in "what ... allows"."""
    is_windows: bool
    """Whether it is a Windows that a deployment can run on."""
    allowed: FipsOffer
    offered: FipsOffer
    """By default, with the FIPS policy on."""
    offered_without_fips: FipsOffer
    keys: frozenset[str]
    """Kinds of a certificate's key: `rsa`, `ecdsa-p256`, `ed25519`."""
    rsa_bits: int
    most_rsa_bits: int | None
    dhe_bits: int
    rsa_bits_without_fips: int
    """With the policy off, as `rsa_bits` with it on; 0 where the client takes any."""
    dhe_bits_without_fips: int
    hashes: frozenset[str]
    """Beginnings of the names of signatures within a chain: `sha256`, `ed25519`."""
    requires_extended_master_secret: bool


@cache
def fips_profiles() -> Mapping[str, FipsProfile]:
    """Every FIPS profile by its name."""
    return {entry["name"]: _fips_profile(entry) for entry in toml("fips_profiles.toml")["profile"]}


def _fips_profile(entry: dict[str, Any]) -> FipsProfile:
    allowed = _fips_offer(entry)
    return FipsProfile(
        name=entry["name"],
        title=entry["title"],
        is_windows=entry["name"].startswith("windows-"),
        allowed=allowed,
        offered=_fips_offer(entry["offered"]) if "offered" in entry else allowed,
        offered_without_fips=_fips_offer(entry["offered_without_fips"]) if "offered_without_fips" in entry else allowed,
        keys=frozenset(entry["keys"]),
        rsa_bits=entry["rsa_bits"],
        most_rsa_bits=entry.get("most_rsa_bits"),
        dhe_bits=entry["dhe_bits"],
        rsa_bits_without_fips=entry.get("rsa_bits_without_fips", 0),
        dhe_bits_without_fips=entry.get("dhe_bits_without_fips", 0),
        hashes=frozenset(entry["hashes"]),
        requires_extended_master_secret=entry["requires_extended_master_secret"],
    )


def _fips_offer(entry: dict[str, Any]) -> FipsOffer:
    of_chain = tuple(entry.get("certificate_schemes", ()))
    return FipsOffer(tuple(entry["versions"]), tuple(entry["suites"]), tuple(entry["groups"]), tuple(entry["schemes"]), of_chain)


# --- Refused logins -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """A sentence by which a server refuses a login, and what it may mean."""

    id: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    causes: tuple[Refusal, ...]
    """The likeliest first."""
    provider: str | None
    """Whose own words it is, where they are one provider's."""
    source: str
    examples: tuple[str, ...]
    is_english: bool
    """Whether it is of the table whose words are English, but for names."""


@cache
def refusal_words() -> tuple[RefusalWords, ...]:
    """Every known sentence, in the order in which they are looked for: other languages first, whose servers often say a word of English beside."""
    return tuple(
        RefusalWords(
            id=entry["id"],
            pattern=re.compile(entry["pattern"], re.IGNORECASE),
            unless=re.compile(entry["unless"], re.IGNORECASE) if "unless" in entry else None,
            causes=tuple(map(Refusal, entry["causes"])),
            provider=entry.get("provider"),
            source=entry["source"],
            examples=tuple(entry["examples"]),
            is_english=name == "auth_refusals.toml",
        )
        for name in ("auth_refusals_languages.toml", "auth_refusals.toml")
        for entry in toml(name)["refusal"]
    )
