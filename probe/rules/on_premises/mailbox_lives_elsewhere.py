"""A mailbox that lives where its email server profile does not reach: the usual end of a migration that forgot the profile.

The server that the mailbox has left answers as before, so that nothing else shows it. Where nobody tells where the mailbox lives, nothing
speaks against the profile; where two tell different places, it is not known. A sign-in that opened the mailbox there settles it.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, negate
from probe.model.estate import Location, ServerType
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import (
    LIVING,
    MAILBOXES,
    NOTES,
    UNDER,
    UNSUPPORTED,
    USING_EXCHANGE_ONLINE,
    is_one_of,
    lives,
    page,
    under,
    uses_exchange_online,
)

_REACHES = (
    (Location.ON_PREMISES, (ServerType.EXCHANGE_SERVER, ServerType.EXCHANGE_SERVER_HYBRID)),
    (Location.EXCHANGE_ONLINE, (ServerType.EXCHANGE_ONLINE,)),
)


def _holds(case: Case) -> Answer:
    is_opened = is_one_of(case.mailbox, v.MAILBOX_LOCATION_SOURCE, "opened")
    nobody_tells = is_one_of(case.mailbox, v.MAILBOX_LOCATION_SOURCE, "nobody")
    lives_here = any_of(
        *(all_of(is_one_of(case.profile, v.PROFILE_SERVER_TYPE, *kinds), lives(location)(case)) for location, kinds in _REACHES)
    )
    is_of_servers_alone = is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_SERVER)
    leads_to_the_cloud = all_of(is_of_servers_alone, uses_exchange_online(case))
    return any_of(is_opened, all_of(any_of(nobody_tells, lives_here), negate(leads_to_the_cloud)))


RULE = Rule(
    id="mailbox-lives-elsewhere",
    title="A mailbox that does not live where its profile leads",
    statement=(
        "A mailbox under an Exchange Server or Exchange Server (Hybrid) profile lives on an Exchange on-premises, one under an Exchange Online profile "
        "in Exchange Online; and an Exchange Server profile leads to an Exchange Server."
    ),
    references=(page(NOTES), page(UNSUPPORTED)),
    needs=USING_EXCHANGE_ONLINE | UNDER | LIVING | Needs(mailbox=(v.MAILBOX_LOCATION_SOURCE,)),
    by=By.READINESS,
    lists=False,
    applies=under(*(kind for _, kinds in _REACHES for kind in kinds)),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        f"Associate the mailbox with the profile of the place where it lives, under {MAILBOXES}, then test and enable it: "
        "Exchange Online for Exchange Online, Exchange Server (Hybrid) or Exchange Server for an Exchange on-premises, POP3/SMTP for another mail "
        "server. Where `mailbox.location` has two answers, ask the Exchange administrator (`Get-Recipient ADDRESS | fl RecipientTypeDetails`: "
        "UserMailbox lives there, RemoteUserMailbox in Exchange Online) and correct `location` in the estate or the entry that Autodiscover reads."
    ),
)
