"""A mailbox that points to a mail server elsewhere under an Exchange Online profile."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, negate
from probe.model.estate import Location, ServerType
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, MAILBOXES, SERVED, UNSUPPORTED, any_served, is_one_of, page, served


def _applies(case: Case) -> Answer:
    return all_of(any_served(served(case)), is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_ONLINE))


def _holds(case: Case) -> Answer:
    return negate(is_one_of(case.mailbox, v.MAILBOX_LOCATION, Location.ELSEWHERE))


RULE = Rule(
    id="exchange-online-profile-with-external-mailbox",
    title="An Exchange Online profile for a mailbox that points elsewhere",
    statement="An Exchange Online profile does not serve an Exchange mailbox that points to an external email server.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=SERVED | Needs(profile=(v.PROFILE_SERVER_TYPE,), mailbox=(v.MAILBOX_LOCATION,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        f"Give the mailbox a POP3/SMTP Server profile ({MAILBOXES}), then test and enable it. The external server must be one of the five listed systems (Gmail, Yahoo! Mail, MSN, "
        f"Outlook.com, Windows Live Mail), or the mailbox is unsupported all the same.\n{EMAIL_ROUTER}"
    ),
)
