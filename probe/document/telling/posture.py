"""The TLS of an endpoint: what it takes in each version, what the deployment's Windows gets of it and refuses, and its certificates with their dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.facts import Facts, Missing
from probe.model.keys import FactKey
from probe.model.kinds import Flags, Lists, TlsSession, Validity

_VERSIONS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_OLD = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""Forbidden, or deprecated by RFC 8996."""


class TlsItem(NamedTuple):
    """Something of TLS that the server takes."""

    name: str
    gets: bool
    """Whether it is of the session that the deployment's Windows gets."""
    is_refused: bool
    """Whether that Windows refuses it in FIPS mode."""


class TlsVersion(NamedTuple):
    """A version of the protocol, and what the server takes in it."""

    name: str
    is_taken: bool
    is_old: bool
    gets: bool
    is_refused: bool
    suites: Sequence[TlsItem] | None
    """None where it is not known what the server takes; so of groups and schemes."""
    groups: Sequence[TlsItem] | None
    schemes: Sequence[TlsItem] | None
    order: bool | None
    """Whether the server's own order decides; None where that is not known."""


class TlsPosture(NamedTuple):
    """What is told of an endpoint's TLS."""

    client: str | None
    """The Windows that is asked about, or another client; None where nothing was asked."""
    in_fips_mode: bool
    gets: TlsSession | None
    """The session that it gets."""
    reasons: Sequence[str]
    """Why it gets none."""
    versions: Sequence[TlsVersion]
    """Every version of the protocol, the newest first; empty where no posture was taken."""
    unknown: JsonObject | None
    """Why it is not known what the server takes, as a gap; None where it is known."""
    chain: Sequence[Validity]
    """The certificates that were sent, with their dates."""
    passed: tuple[float, float] | None
    """Of the time of the server's certificate, how much has passed, and how much passes in 30 days, in parts of one; None where it is not known."""


def posture_of(known: Known, url: str, on: date) -> TlsPosture:
    """What is told of the TLS of an endpoint on a day."""
    facts = known.of(url)
    gap, reasons, chain = facts.read(v.TLS_VERSIONS), facts.value(v.FIPS_REASONS), facts.value(v.CERTIFICATE_CHAIN_DATES)
    return TlsPosture(
        client=facts.value(v.FIPS_PROFILE),
        in_fips_mode=bool(known.deployment.get("fips")),
        gets=facts.value(v.FIPS_NEGOTIATES),
        reasons=reasons or (),
        versions=versions_of(facts),
        unknown={"why": gap.why, "detail": gap.detail} if isinstance(gap, Missing) else None,
        chain=chain or (),
        passed=_passed(facts, on),
    )


def versions_of(facts: Facts) -> list[TlsVersion]:
    """Every version of the protocol, the newest first, with what the server takes in it; empty where no posture was taken."""
    taken = facts.value(v.TLS_VERSIONS)
    if taken is None:
        return []
    suites, groups, schemes = _lists(facts, v.TLS_SUITES), _lists(facts, v.TLS_GROUPS), _lists(facts, v.TLS_SCHEMES)
    flags: Flags = facts.value(v.TLS_SERVER_ORDER) or ()
    refused: tuple[str, ...] = facts.value(v.FIPS_ALSO_ACCEPTS) or ()
    order, got = dict(flags), facts.value(v.FIPS_NEGOTIATES)

    def items(version: str, lists: Mapping[str, Sequence[str]], part: str) -> list[TlsItem] | None:
        of_session, names = None if got is None or got.version != version else getattr(got, part), lists.get(version)
        return None if names is None else [TlsItem(name, name == of_session, f"{version} with {name}" in refused) for name in names]

    return [
        TlsVersion(
            name=name,
            is_taken=name in taken,
            is_old=name in _OLD,
            gets=got is not None and got.version == name,
            is_refused=name in refused,
            suites=items(name, suites, "suite"),
            groups=items(name, groups, "group"),
            schemes=items(name, schemes, "scheme"),
            order=order.get(name),
        )
        for name in reversed(_VERSIONS)
    ]


def _lists(facts: Facts, key: FactKey[Lists]) -> dict[str, tuple[str, ...]]:
    lists: Lists = facts.value(key) or ()
    return dict(lists)


def _passed(facts: Facts, on: date) -> tuple[float, float] | None:
    begins, ends = facts.value(v.CERTIFICATE_NOT_BEFORE), facts.value(v.CERTIFICATE_NOT_AFTER)
    if begins is None or ends is None or ends <= begins:
        return None
    now, whole = datetime.combine(on, time(), UTC), (ends - begins).total_seconds()
    return min(max((now - begins).total_seconds() / whole, 0.0), 1.0), min(30 * 86400 / whole, 1.0)
