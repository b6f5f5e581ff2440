"""Addresses of web pages with a sign-in form."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit

from probe.model.estate import EWS_PATH
from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class LogonPage:
    """A kind of such pages, with the form of its addresses."""

    name: str
    """Whose they are."""
    pattern: re.Pattern[str]
    """Searched for in the path and query, in lower case."""
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]


@cache
def logon_pages() -> tuple[LogonPage, ...]:
    """Every kind, in search order."""
    return tuple(
        LogonPage(
            name=entry["name"],
            pattern=re.compile(entry["pattern"]),
            examples=tuple(entry["examples"]),
            counterexamples=tuple(entry.get("counterexamples", ())),
        )
        for entry in toml("logon_pages.toml")["page"]
    )


def logon_page(url: str) -> str | None:
    """The product whose log-on page an address is, complete or without its host; None for other addresses."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return None
    if parts.path.rstrip("/").endswith(EWS_PATH.lower()):
        return None
    asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return next((page.name for page in logon_pages() if page.pattern.search(asked)), None)
