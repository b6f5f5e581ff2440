"""What ends soon, as somebody is told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from probe.alerts import Approaching, Severity
from probe.model.estate import Estate
from probe.outlook import Coming
from probe.web.places import page_of

_WARNS_OF_ANOTHER = "certificate-ends-soon"
"""A rule that itself looks ahead: what it warns of is told on its own day."""


def approaching(coming: Iterable[Coming], estate: Estate) -> list[Approaching]:
    """Each end once, whatever parts of the estate have it, with the mailboxes of all."""
    profiles = {mailbox.address: mailbox.profile for mailbox in estate.mailboxes}
    found: dict[tuple[object, ...], list[Coming]] = {}
    for one in coming:
        if one.rule != _WARNS_OF_ANOTHER:
            found.setdefault((one.rule, one.day, one.endpoints), []).append(one)
    return [_told(of_it, profiles) for of_it in found.values()]


def _told(of_it: list[Coming], profiles: dict[str, str]) -> Approaching:
    first = of_it[0]
    mailboxes = tuple(dict.fromkeys(address for one in of_it for address in one.mailboxes))
    where = first.endpoints[0] if first.endpoints else ""
    return Approaching(
        subject="|".join(filter(None, (first.rule, where))),
        day=first.day,
        title=": ".join(filter(None, (where, first.title))),
        severity=Severity.WARNING,
        words=first.words,
        remedy=first.remedy,
        path=page_of(where) if where else "/calendar",
        mailboxes=mailboxes,
        profiles=tuple(dict.fromkeys(profiles[address] for address in mailboxes if address in profiles)),
    )
