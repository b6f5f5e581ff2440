"""A mailbox whose address nobody has approved, for which Dynamics processes nothing.

An organization may be set to process addresses that are not approved, which no record of it that is read shows. It does show in the mailbox's own: of one that
was synchronized lately all the same, it is not known whether the approval is wanted or has just been withdrawn.
"""

from __future__ import annotations

from datetime import timedelta

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask, negate
from probe.model.estate import ServerType
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, SERVED, admin_page, is_one_of, is_server_side, told, uses, was_asked


def _holds(case: Case) -> Answer:
    is_online = is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_ONLINE)
    was_asked_of_online = all_of(is_online, was_asked(case.mailbox, v.DYNAMICS_APPROVED_BY_OFFICE_365))
    by_office_365 = any_of(negate(was_asked_of_online), ask(case.mailbox, v.DYNAMICS_APPROVED_BY_OFFICE_365, bool))
    is_approved = any_of(ask(case.mailbox, v.DYNAMICS_APPROVED, bool), _is_processed(case))
    return all_of(is_approved, by_office_365)


def _is_processed(case: Case) -> Answer:
    """Whether the mailbox is processed in every direction that is served, for all that its row shows; that it is for certain, a row never shows."""
    is_told = all_of(was_asked(case.mailbox, v.DYNAMICS_ENABLED), was_asked(case.mailbox, v.DYNAMICS_STATUS))
    # Lately, by the day: a service that comes round has processed it since.
    was_lately = told(
        case.mailbox,
        v.DYNAMICS_LAST_SUCCESS,
        lambda success: Truth.UNKNOWN if case.date - success.date() <= timedelta(days=1) else Truth.NO,
    )

    def works(direction: Direction) -> Answer:
        is_enabled = ask(case.mailbox, v.DYNAMICS_ENABLED, lambda enabled: dict(enabled)[direction])
        has_worked = ask(case.mailbox, v.DYNAMICS_STATUS, lambda status: dict(status)[direction] == "success")
        return any_of(negate(is_server_side(case, direction)), all_of(is_enabled, has_worked))

    return all_of(is_told, *map(works, Direction), was_lately)


RULE = Rule(
    id="address-not-approved",
    title="Mail address not approved",
    statement="The mailbox's address is approved in Dynamics, and for Exchange Online by an administrator of Office 365 too.",
    references=(
        admin_page("Troubleshoot and monitor server-side synchronization issues", "troubleshooting-monitoring-server-side-synchronization"),
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
    ),
    needs=SERVED
    | Needs(
        mailbox=(
            v.DYNAMICS_APPROVED,
            v.DYNAMICS_APPROVED_BY_OFFICE_365,
            v.DYNAMICS_ENABLED,
            v.DYNAMICS_STATUS,
            v.DYNAMICS_LAST_SUCCESS,
        ),
        profile=(v.PROFILE_SERVER_TYPE,),
    ),
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
