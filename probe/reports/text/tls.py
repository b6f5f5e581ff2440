"""What a server's TLS accepts, version by version, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.document.telling.posture import TlsItem, TlsVersion, versions_of
from probe.model import vocabulary as v
from probe.model.facts import Facts, Missing, Why
from probe.reports.text.page import STRONG, Page

IN_TABLE = frozenset(key.name for key in (v.TLS_SUITES, v.TLS_GROUPS, v.TLS_SCHEMES, v.TLS_SERVER_ORDER))
"""Keys that the table shows, so that they need no lines of their own."""
_ONLY_OF_FULL = frozenset(
    {v.TLS_VERSIONS, v.TLS_SUITES, v.TLS_GROUPS, v.TLS_SCHEMES, v.TLS_SERVER_ORDER, v.TLS_EXTENDED_MASTER_SECRET}
    | {v.TLS_SECURE_RENEGOTIATION, v.TLS_WITHOUT_SCHEMES, v.TLS_CERTIFICATES}
)


def was_left_out(gap: Missing) -> bool:
    """Whether something is missing only because no full posture was asked for."""
    return gap.why is Why.NOT_ATTEMPTED and gap.key in _ONLY_OF_FULL


def write_tls_table(page: Page, facts: Facts) -> None:
    """Writes the table; nothing where there was no full posture. An incomplete list is left out; the gaps give the reason."""
    versions = [one for one in versions_of(facts) if one.is_taken and (one.suites is not None or one.groups is not None)]
    for version in versions:
        chosen = "" if version.order is None else ", in the server's order" if version.order else ", in the client's order"
        page.blank()
        page.say(f"{version.name}{chosen}{_mark(version.is_refused)}", indent=2, style=STRONG)
        for place, suite in enumerate(version.suites or ()):
            page.say(f"{suite.name}{_mark(suite.is_refused)}", indent=4, label="" if place else "suites", column=10)
        _listed(page, "groups", version.groups)
        _listed(page, "schemes", version.schemes)
    client = facts.value(v.FIPS_PROFILE)
    if client and any(one.is_refused or any(item.is_refused for item in _items(one)) for one in versions):
        page.blank()
        page.say(f"*  refused by {client} in FIPS mode", indent=2)


def _items(version: TlsVersion) -> Iterator[TlsItem]:
    for items in (version.suites, version.groups, version.schemes):
        yield from items or ()


def _listed(page: Page, label: str, items: Sequence[TlsItem] | None) -> None:
    if items is not None:
        page.say(", ".join(f"{one.name}{_mark(one.is_refused)}" for one in items) or "none", indent=4, label=label, column=10)


def _mark(is_refused: bool) -> str:
    return " *" if is_refused else ""
