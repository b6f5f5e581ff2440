"""Marks besides a build that identify Exchange, Exchange Online and their imitators at an EWS endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from probe.model.values import dataclass
from probe.tables.files import toml

SHAREPOINT = "SharePoint"


@dataclass(frozen=True, slots=True)
class _Generation:
    oldest_iis: tuple[int, ...] | None
    activesync: tuple[str, ...]
    takes_tokens: bool


@cache
def _marks() -> Mapping[str, Any]:
    return toml("exchange_marks.toml")


@cache
def _generations() -> Mapping[str, _Generation]:
    return {
        entry["product"]: _Generation(
            oldest_iis=tuple(map(int, entry["oldest_iis"].split("."))) if "oldest_iis" in entry else None,
            activesync=tuple(entry["activesync"]),
            takes_tokens=entry["takes_tokens"],
        )
        for entry in _marks()["generation"]
    }


def oldest_iis(product: str) -> tuple[int, ...] | None:
    """The lowest version of IIS that a product runs on, major and minor; None where that is not known."""
    generation = _generations().get(product)
    return None if generation is None else generation.oldest_iis


def product_of_activesync(version: str) -> str | None:
    """The Exchange Server of an ActiveSync version such as `14.3` or `14.3.123`; None where there is none."""
    said = ".".join(version.split(".")[:2])
    return next((product for product, generation in _generations().items() if said in generation.activesync), None)


def never_takes_tokens(product: str) -> bool:
    """Whether no update of an Exchange Server accepts tokens."""
    generation = _generations().get(product)
    return generation is not None and not generation.takes_tokens


@cache
def exchange_online_headers() -> frozenset[str]:
    """Headers that Exchange Online sends and no Exchange on premises, in lower case."""
    return frozenset(_marks()["exchange_online"]["headers"])


@cache
def exchange_online_targets() -> tuple[str, ...]:
    """The suffixes, in lower case, of the hosts that headers of Exchange Online name."""
    return tuple(_marks()["exchange_online"]["targets"])


def is_sharepoint(headers: Iterable[str]) -> bool:
    """Whether one of these headers, by name, is SharePoint's."""
    beginnings = tuple(_marks()["sharepoint"]["headers"])
    return any(header.lower().startswith(beginnings) for header in headers)


def is_windows_server(name: str) -> bool:
    """Whether a Server header is that of IIS or of HTTP.sys, with which Exchange answers."""
    return name.lower().startswith(tuple(_marks()["windows"]["servers"]))


def newest_exchange_on(server: str | None) -> str | None:
    """The newest Exchange Server that runs on the Windows of a Server header, where that Windows is too old for a later one; else None."""
    said = (server or "").lower()
    return next((entry["newest_exchange"] for entry in _marks()["old_windows"] if said.startswith(entry["server"])), None)


def groupware_in(server: str) -> str | None:
    """The groupware that a Server header names; None where it names none."""
    said = server.lower()
    return next((product for name, product in _marks()["groupware"].items() if name in said), None)


def groupware_of_realm(realm: str) -> str | None:
    """The groupware whose Basic challenge has this realm."""
    found: str | None = _marks()["groupware_realms"].get(realm)
    return found


def imitators() -> frozenset[str]:
    """Products that may answer in place of Exchange and have a name of their own."""
    return frozenset({*_marks()["groupware"].values(), *_marks()["groupware_realms"].values(), SHAREPOINT})


def never_exchange(server: str) -> str | None:
    """The program in a Server header that neither Exchange nor a proxy of it uses; None where there is none."""
    said = server.lower()
    return next((name for name in _marks()["never_exchange"]["servers"] if name in said), None)
