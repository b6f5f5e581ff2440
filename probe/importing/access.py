"""How Dynamics is signed in to for an import, and what of that stands in the estate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from probe.config import read_dynamics
from probe.importing.differing import ExistingEstate, is_same
from probe.importing.tables import EstateLine, WrittenAccess
from probe.model.estate import DynamicsAccess
from probe.model.values import dataclass

_KEYS = ("url", "authentication", "username", "password", "token_url", "client_id", "ca", "plain_http")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAccess:
    """As whom an organization is read, and where."""

    access: DynamicsAccess
    authorities: tuple[str, ...]
    written: WrittenAccess


def access_to(url: str, given: Mapping[str, Any], existing: ExistingEstate | None) -> ImportAccess:
    """ImportAccess to an address, by what was given; what was not is as an estate has it that is there, where that is of the same address.

    Raises EstateError. A token endpoint that was given may be sent the password: that is why it was given.
    """
    ours = {} if existing is None else existing.tables.get("dynamics", {})
    authorities = [] if existing is None else list(existing.one.get("authorities", []))
    table = {"authentication": "negotiate"}
    if is_same("url", ours.get("url"), url):
        # Where somebody else is named, the password is theirs too.
        stays = {key for key in _KEYS if key in ours} - ({"password"} if "username" in given else set())
        table |= {key: ours[key] for key in stays}
        table |= {"organization": ours["organization"]} if "organization" in ours else {}
    table |= {**given, "url": url}
    if "token_url" in given and (host := urlsplit(str(given["token_url"])).netloc) not in authorities:
        authorities.append(host)
    access = read_dynamics(table, authorities)
    lines = tuple(EstateLine(key, table[key]) for key in _KEYS if key in table)
    return ImportAccess(access=access, authorities=tuple(authorities), written=WrittenAccess(lines=lines, authorities=tuple(authorities)))
