"""What a server's TLS accepts, version by version, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probe.model import vocabulary as v
from probe.model.facts import Facts, Missing, Why
from probe.model.keys import FactKey
from probe.model.kinds import Flags, Lists
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
    suites, groups, schemes = _lists(facts, v.TLS_SUITES), _lists(facts, v.TLS_GROUPS), _lists(facts, v.TLS_SCHEMES)
    flags: Flags = facts.value(v.TLS_SERVER_ORDER) or ()
    order = dict(flags)
    taken: tuple[str, ...] = facts.value(v.TLS_VERSIONS) or ()
    also: tuple[str, ...] = facts.value(v.FIPS_ALSO_ACCEPTS) or ()
    refused = frozenset(also)
    versions = [version for version in reversed(taken) if version in suites or version in groups]
    for version in versions:
        chosen = "" if version not in order else ", in the server's order" if order[version] else ", in the client's order"
        page.blank()
        page.say(f"{version}{chosen}{_mark(version in refused)}", indent=2, style=STRONG)
        for place, suite in enumerate(suites.get(version, ())):
            mark = _mark(f"{version} with {suite}" in refused)
            page.say(f"{suite}{mark}", indent=4, label="" if place else "suites", column=10)
        _listed(page, "groups", groups, version, refused)
        _listed(page, "schemes", schemes, version, refused)
    client = facts.value(v.FIPS_PROFILE)
    if versions and refused and client:
        page.blank()
        page.say(f"*  refused by {client} in FIPS mode", indent=2)


def _lists(facts: Facts, key: FactKey[Lists]) -> dict[str, tuple[str, ...]]:
    lists: Lists = facts.value(key) or ()
    return dict(lists)


def _listed(page: Page, label: str, lists: Mapping[str, Sequence[str]], version: str, refused: frozenset[str]) -> None:
    if version in lists:
        names = [f"{name}{_mark(f'{version} with {name}' in refused)}" for name in lists[version]]
        page.say(", ".join(names) or "none", indent=4, label=label, column=10)


def _mark(is_refused: bool) -> str:
    return " *" if is_refused else ""
