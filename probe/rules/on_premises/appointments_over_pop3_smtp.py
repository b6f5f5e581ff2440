"""The second row of the table, for appointments, contacts and tasks: no."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, negate
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import (
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    MAIL_SERVICES,
    MAILBOXES,
    TABLE,
    admin_page,
    is_server_side,
    of_delivery,
    page,
    speaks,
)


def _applies(case: Case) -> Answer:
    return speaks(case.incoming, *MAIL_SERVICES)


def _holds(case: Case) -> Answer:
    return negate(is_server_side(case, Direction.APPOINTMENTS))


RULE = Rule(
    id="appointments-over-pop3-smtp",
    title="Appointments through POP3/SMTP",
    statement="Through POP3/SMTP systems only mail is synchronized; appointments, contacts and tasks are not.",
    references=(page(TABLE), admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"), EMAIL_ROUTER_END),
    needs=of_delivery(Direction.APPOINTMENTS) | Needs(incoming=(v.ENDPOINT_SERVICE,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Set Appointments, Contacts, and Tasks of the mailbox to None, or give it an Exchange profile. "
        f"The mailbox stands under {MAILBOXES}.\n{EMAIL_ROUTER}"
    ),
)
