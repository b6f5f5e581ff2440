"""A mailbox whose appointments, contacts and tasks another organization synchronizes: Exchange takes one organization alone."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of
from probe.model.rules import By, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, admin_page, is_one_of, is_server_side, of_delivery, was_asked

RULE = Rule(
    id="synchronized-with-another-organization",
    title="Another organization is the primary one",
    statement="Appointments, contacts and tasks of the mailbox are synchronized with this organization, and no other.",
    references=(
        admin_page("Troubleshoot and monitor server-side synchronization issues", "troubleshooting-monitoring-server-side-synchronization"),
    ),
    needs=of_delivery(Direction.APPOINTMENTS) | Needs(mailbox=(v.DYNAMICS_ORGANIZATION,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(is_server_side(case, Direction.APPOINTMENTS), was_asked(case.mailbox, v.DYNAMICS_ORGANIZATION)),
    holds=lambda case: is_one_of(case.mailbox, v.DYNAMICS_ORGANIZATION, "this"),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Find out which organization synchronizes the mailbox ADDRESS now, and whether it still should: a test or a copy, perhaps. To take it over, tick "
        f"Sync items with Exchange from this Dynamics 365 organization only when you test and enable it ({MAILBOXES}); the other one then stops. "
        "Else set Appointments, Contacts, and Tasks to None in one of the two."
    ),
)
