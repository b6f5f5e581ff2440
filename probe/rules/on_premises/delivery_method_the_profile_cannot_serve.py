"""A mailbox asks for a delivery that its profile has no means for."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Credentials, Service
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, SERVED, SPEAKING, admin_page, is_one_of, is_server_side, speaks, uses


def _holds(case: Case) -> Answer:
    return all_of(
        _implies(is_server_side(case, Direction.INCOMING), speaks(case.incoming, Service.EWS, Service.POP3, Service.IMAP)),
        _implies(is_server_side(case, Direction.OUTGOING), speaks(case.outgoing, Service.EWS, Service.SMTP)),
        _implies(is_server_side(case, Direction.APPOINTMENTS), all_of(speaks(case.incoming, Service.EWS), _may_act_for_the_mailbox(case))),
    )


def _implies(wanted: Answer, possible: Answer) -> Answer:
    return any_of(negate(wanted), possible)


def _may_act_for_the_mailbox(case: Case) -> Answer:
    """One account for many mailboxes must impersonate: delegation does not do for appointments, contacts and tasks."""
    shared = is_one_of(case.profile, v.PROFILE_CREDENTIALS, Credentials.PROFILE, Credentials.WINDOWS_INTEGRATED)
    return any_of(negate(shared), ask(case.profile, v.PROFILE_IMPERSONATION, bool))


RULE = Rule(
    id="delivery-method-the-profile-cannot-serve",
    title="Delivery method the profile lacks",
    statement=(
        "Incoming mail comes through EWS, POP3 or IMAP, outgoing mail goes through EWS or SMTP; appointments, contacts and tasks need EWS, "
        "and impersonation where one account serves several mailboxes."
    ),
    references=(
        admin_page("Best practices for server-side synchronization", "best-practices-server-side-synchronization"),
        admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),
    ),
    needs=SERVED
    | SPEAKING
    | Needs(
        profile=(
            v.PROFILE_CREDENTIALS,
            v.PROFILE_IMPERSONATION,
        )
    ),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Set the delivery method that the profile lacks (for POP3/SMTP: Appointments, Contacts, and Tasks) to None in the mailbox, or choose a "
        f"profile that has it. The mailbox stands under {MAILBOXES}. "
        "Where one account serves several mailboxes, set Use Impersonation of the profile to Yes."
    ),
)
