"""A mailbox whose address nobody has approved, for which Dynamics processes no mail."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import ServerType
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, SERVED, admin_page, is_one_of, uses, was_asked


def _holds(case: Case) -> Answer:
    is_online = is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_ONLINE)
    was_asked_of_online = all_of(is_online, was_asked(case.mailbox, v.DYNAMICS_APPROVED_BY_OFFICE_365))
    by_office_365 = any_of(negate(was_asked_of_online), ask(case.mailbox, v.DYNAMICS_APPROVED_BY_OFFICE_365, bool))
    return all_of(ask(case.mailbox, v.DYNAMICS_APPROVED, bool), by_office_365)


RULE = Rule(
    id="address-not-approved",
    title="Mail address not approved",
    statement="The mailbox's address is approved in Dynamics, and for Exchange Online by an administrator of Office 365 too.",
    references=(
        admin_page("Troubleshoot and monitor server-side synchronization issues", "troubleshooting-monitoring-server-side-synchronization"),
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
    ),
    needs=SERVED | Needs(mailbox=(v.DYNAMICS_APPROVED, v.DYNAMICS_APPROVED_BY_OFFICE_365), profile=(v.PROFILE_SERVER_TYPE,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.mailbox, v.DYNAMICS_APPROVED)),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        f"Approve the address: {MAILBOXES}, the mailbox ADDRESS, Approve Email. A system administrator of Dynamics does that, or a user with the privilege Approve Email "
        "Addresses for Users or Queues.\n"
        "At Exchange Online: an administrator of Office 365 (global or Exchange administrator of the tenant) must do it.\n"
        "Without approval it works only where Process Emails Only for Approved Users (and Queues) of the system settings is off."
    ),
)
