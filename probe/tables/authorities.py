"""Who gives tokens for Exchange, and what their refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from probe.tables.files import toml


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


@cache
def entra_resources() -> Mapping[str, str]:
    """Hosts of Entra ID's clouds, each with the resource that a token for Exchange Online is asked for."""
    return {host: cloud["resource"] for cloud in toml("authorities.toml")["cloud"] for host in cloud["hosts"]}
