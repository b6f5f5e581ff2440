"""Who gives tokens for Exchange, and what their refusals mean."""

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
    """What one of Entra ID's error codes means."""

    about: str
    """`account`, `application`, `tenant`, `request` or `later`."""
    refusal: tuple[str, ...]
    """In the words of `auth.refusal`; empty where those have none for it."""
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
    """Hosts of a cloud's Entra ID; the first is asked where nobody names one."""
    return _clouds()[cloud].hosts


def entra_clouds(host: str) -> frozenset[str]:
    """Every cloud whose Entra ID has this host; empty for every other host. Two of the United States share theirs."""
    return frozenset(name for name, cloud in _clouds().items() if host in cloud.hosts)


def token_resource(endpoint: Endpoint, cloud: Cloud) -> str | None:
    """What a token that goes to an endpoint is asked for, so that it opens nothing elsewhere; None where it must not be asked for.

    That is the endpoint's own origin, but for Exchange Online's hosts, which share one; those of another cloud get none.
    """
    online = exchange_online_cloud(endpoint.host)
    if online is None:
        # A name with a dot at its end is the same name, and no certificate or tenant writes it so.
        return replace(endpoint, host=endpoint.host.rstrip(".")).origin
    return _clouds()[cloud].resource if online == cloud else None
