"""A mailbox of an Exchange on-premises under an Exchange Online profile."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, negate
from probe.model.estate import Location, ServerType
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, MAILBOXES, SERVED, UNSUPPORTED, any_served, is_one_of, page, served


def _applies(case: Case) -> Answer:
    return all_of(any_served(served(case)), is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_ONLINE))


def _holds(case: Case) -> Answer:
    return negate(is_one_of(case.mailbox, v.MAILBOX_LOCATION, Location.ON_PREMISES))


RULE = Rule(
    id="exchange-online-profile-with-on-premises-mailbox",
    title="An Exchange Online profile for a mailbox on-premises",
    statement="An Exchange Online profile does not serve a user whose mailbox lives on an Exchange on-premises.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=SERVED | Needs(profile=(v.PROFILE_SERVER_TYPE,), mailbox=(v.MAILBOX_LOCATION,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(f"Give the mailbox an Exchange Server (Hybrid) profile ({MAILBOXES}), then test and enable it.\n{EMAIL_ROUTER}"),
)
