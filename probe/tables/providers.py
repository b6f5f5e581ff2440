"""Providers of mailboxes: their domains, their products, and where they no longer accept passwords."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Literal

from probe.model.estate import Service
from probe.model.values import dataclass
from probe.tables.exchange import UNTOLD_EXCHANGE
from probe.tables.files import toml
from probe.tables.hosts import is_exchange_online_host, providers_of_host


@cache
def _providers_by_domain() -> Mapping[str, str]:
    return {domain: entry["name"] for entry in toml("mail_domains.toml")["provider"] for domain in entry["domains"]}


def provider_of_domain(domain: str) -> str | None:
    """The provider whose own mail domain this is; None for other domains, wherever they are hosted."""
    return _providers_by_domain().get(domain.lower())


@cache
def _providers_by_product() -> Mapping[str, tuple[str, ...]]:
    return {entry["name"]: tuple(entry["providers"]) for entry in toml("provider_hosts.toml")["product"]}


def providers_of_product(product: str) -> tuple[str, ...]:
    """The providers that run a product; several where it serves several; empty for a product that anybody can run."""
    return _providers_by_product().get(product, ())


def candidate_providers(host: str, product: str | None, service: Service) -> tuple[str, ...] | None:
    """The providers that an endpoint may belong to, by its host name and by the product that answers there.

    Empty where neither shows one; None where they contradict each other, as when Dovecot answers under a host name of Gmail.
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
    # Microsoft does not serve consumers over EWS.
    return ("exchange-online",) if service is Service.EWS and "exchange-online" in candidates else candidates


def same_company(provider: str, other: str) -> bool:
    """Whether two providers are brands of one company that serves both under the host names of either."""
    return any(provider in brands and other in brands for brands in _companies())


@cache
def _companies() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(entry["brands"]) for entry in toml("provider_hosts.toml")["company"])


@dataclass(frozen=True, slots=True)
class PasswordEnding:
    """When a provider stopped accepting the account's password, and what it still accepts."""

    provider: str
    services: frozenset[Service]
    ended: date
    remains: Literal["app-password", "nothing", "unsettled"]
    """`unsettled`: it depends on the customer's settings."""
    says: str
    """One sentence for the reader."""
    source: str
    """The source of the sentence."""


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
    """The end of password logins at a provider's service; None where they did not end."""
    return next((e for e in _password_endings() if e.provider == provider and service in e.services), None)
