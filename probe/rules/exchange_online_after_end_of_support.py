"""Exchange Online with Dynamics on-premises after the day that Microsoft names as the end of support for it."""

from __future__ import annotations

from probe.model.answers import NO, YES, Answer, all_of, negate
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import EXCHANGE_ONLINE_END, NEEDS_OF_EXCHANGE_ONLINE, admin_page, needs_of_served, uses_exchange_online


def _applies(case: Case) -> Answer:
    return all_of(YES if case.date >= EXCHANGE_ONLINE_END else NO, uses_exchange_online(case))


def _holds(case: Case) -> Answer:
    return negate(_applies(case))


RULE = Rule(
    id="exchange-online-after-end-of-support",
    title="Exchange Online after the end of support",
    statement="Support for Customer Engagement (on-premises) with Exchange Online ends on 2027-04-01.",
    references=(admin_page("Connect Dynamics 365 (on-premises) to Exchange Online", "connect-dynamics-365-on-premises-exchange-online"),),
    needs=needs_of_served(*NEEDS_OF_EXCHANGE_ONLINE),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Move the mailbox to an Exchange Server that the page lists and give it an Exchange Server profile, or move the organization to Dynamics 365 online."
    ),
)
