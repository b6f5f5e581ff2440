"""DNS names that identify their owner: hosts of providers and of Exchange Online, and domains of its tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from probe.tables.files import toml

T = TypeVar("T")


@cache
def _providers_by_host() -> Mapping[str, tuple[int, tuple[str, ...]]]:
    entries = toml("provider_hosts.toml")["host"]
    return _in_order((name, tuple(entry["providers"])) for entry in entries for name in entry["names"])


def providers_of_host(host: str) -> tuple[str, ...]:
    """The providers that a host name belongs to; several where one host serves several; empty for other names."""
    return _covering(_providers_by_host(), host) or ()


@cache
def _exchange_online_hosts() -> Mapping[str, tuple[int, str]]:
    return _in_order((name, cloud["name"]) for cloud in toml("authorities.toml")["cloud"] for name in cloud["exchange_online"])


def exchange_online_cloud(host: str) -> str | None:
    """The cloud whose Exchange Online has this host name; None for other names."""
    return _covering(_exchange_online_hosts(), host)


def is_exchange_online_host(host: str) -> bool:
    """Whether a host name is one of Exchange Online, national clouds included."""
    return exchange_online_cloud(host) is not None


def told_by_host(host: str) -> tuple[tuple[str, ...], bool]:
    """All that follows from a host name alone: its providers, and whether it is one of Exchange Online. It is equal for all unknown names."""
    return providers_of_host(host), is_exchange_online_host(host)


@cache
def _tenant_domains() -> tuple[str, ...]:
    return tuple(dict.fromkeys(domain for cloud in toml("authorities.toml")["cloud"] for domain in cloud["tenant_domains"]))


def is_tenant_domain(domain: str) -> bool:
    """Whether a mail domain, in lower case, is one that Microsoft assigned to a tenant, in any of its clouds."""
    return domain.endswith(_tenant_domains())


def _in_order(entries: Iterable[tuple[str, T]]) -> Mapping[str, tuple[int, T]]:
    """A table of host names for lookup, each entry with its position; of two entries for one name the first counts."""
    found: dict[str, tuple[int, T]] = {}
    for place, (name, value) in enumerate(entries):
        found.setdefault(name, (place, value))
    return found


def _covering(table: Mapping[str, tuple[int, T]], host: str) -> T | None:
    """The first entry that covers a host: a name that begins with a dot covers every host under it, any other covers itself."""
    host = host.lower().rstrip(".")
    names = (host, *(host[at:] for at, character in enumerate(host) if character == "."))
    return min((table[name] for name in names if name in table), key=lambda entry: entry[0], default=(0, None))[1]
