"""What ends soon, as somebody is told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from probe.alerts import Approaching, Severity
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, profile_subject
from probe.outlook import Coming
from probe.web.places import page_of

_WARN_OF_OTHERS = ("certificate-ends-soon", "password-ends-soon")
"""Rules that themselves look ahead: what they warn of is told on its own day."""


def approaching(coming: Iterable[Coming], estate: Estate) -> list[Approaching]:
    """Each end of each endpoint, profile or deployment once, whatever parts of the estate have it, with the mailboxes of all."""
    found: dict[tuple[str, date, str], list[Coming]] = {}
    for one in coming:
        for subject in one.subjects if one.rule not in _WARN_OF_OTHERS else ():
            found.setdefault((one.rule, one.day, subject), []).append(one)
    known = {mailbox.address: mailbox for mailbox in estate.mailboxes} if found else {}

    def is_of(subject: str, address: str) -> bool:
        mailbox = known.get(address)
        if mailbox is None:
            return False
        urls = (endpoint.url for endpoint in estate.endpoints_of(mailbox))
        return subject in (DEPLOYMENT_SUBJECT, profile_subject(mailbox.profile), *urls)

    ends = []
    for (rule, day, subject), of_it in found.items():
        befallen = dict.fromkeys(address for one in of_it for address in one.mailboxes)
        mailboxes = tuple(address for address in befallen if is_of(subject, address))
        ends.append(
            Approaching(
                what=rule,
                subject=subject,
                day=day,
                title=": ".join(filter(None, (_called(subject), of_it[0].title))),
                severity=Severity.WARNING,
                words=of_it[0].words,
                remedy=of_it[0].remedy,
                path=page_of(subject) if "://" in subject else "/calendar",
                mailboxes=mailboxes,
                profiles=tuple(dict.fromkeys(known[address].profile for address in mailboxes)),
            )
        )
    return ends


def _called(subject: str) -> str:
    """What an end is of, before the title."""
    return "" if subject == DEPLOYMENT_SUBJECT else subject.replace(":", " ", 1) if "://" not in subject else subject
