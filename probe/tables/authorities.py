"""The authorities that issue tokens for Exchange, and the meaning of their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from probe.model.estate import Cloud, Endpoint
from probe.model.values import dataclass
from probe.tables.files import toml
from probe.tables.hosts import exchange_online_cloud


@dataclass(frozen=True, slots=True)
class AuthorityError:
    """The meaning of an error code of Entra ID."""

    about: str
    """`account`, `application`, `tenant`, `request` or `later`."""
    refusal: tuple[str, ...]
    """As members of `auth.refusal`; empty where there is none for it."""
    meaning: str


@cache
def authority_errors() -> Mapping[int, AuthorityError]:
    """Meanings by code."""
    return {
        code: AuthorityError(entry["about"], tuple(entry["refusal"]), entry["meaning"])
        for entry in toml("authorities.toml")["error"]
        for code in entry["codes"]
    }


@dataclass(frozen=True, slots=True)
class _CloudEntry:
    hosts: tuple[str, ...]
    resource: str


@cache
def _clouds() -> Mapping[str, _CloudEntry]:
    return {entry["name"]: _CloudEntry(tuple(entry["hosts"]), entry["resource"]) for entry in toml("authorities.toml")["cloud"]}


def entra_hosts(cloud: Cloud) -> tuple[str, ...]:
    """Hosts of a cloud's Entra ID; the first is asked where none is named."""
    return _clouds()[cloud].hosts


def entra_clouds(host: str) -> frozenset[str]:
    """Every cloud whose Entra ID has this host; empty for other hosts. Two clouds of the United States share theirs."""
    return frozenset(name for name, cloud in _clouds().items() if host in cloud.hosts)


def token_resource(endpoint: Endpoint, cloud: Cloud) -> str | None:
    """The resource that a token for an endpoint is requested for, so that it opens nothing else; None where it must not be requested.

    This is the endpoint's own origin, except that hosts of Exchange Online share one, and those of another cloud get none.
    """
    online = exchange_online_cloud(endpoint.host)
    if online is None:
        # A name with a final dot is the same name, but no certificate or tenant writes it so.
        return replace(endpoint, host=endpoint.host.rstrip(".")).origin
    return _clouds()[cloud].resource if online == cloud else None
