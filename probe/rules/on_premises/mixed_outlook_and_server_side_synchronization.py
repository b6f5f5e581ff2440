"""Outlook for some people's appointments and server-side synchronization for others', in one organization.

Advice, because the page recommends against it rather than calling it unsupported.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.estate import Delivery
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, UNSUPPORTED, is_one_of, of_delivery, page


def _applies(case: Case) -> Answer:
    return is_one_of(case.mailbox, v.MAILBOX_APPOINTMENTS, Delivery.SERVER_SIDE, Delivery.OUTLOOK)


def _holds(case: Case) -> Answer:
    both = {Delivery.SERVER_SIDE, Delivery.OUTLOOK}
    return ask(case.deployment, v.DEPLOYMENT_APPOINTMENT_WAYS, lambda ways: not both <= set(ways))


RULE = Rule(
    id="mixed-outlook-and-server-side-synchronization",
    title="Outlook and server-side sync mixed",
    statement=(
        "One organization should not mix Outlook synchronization and server-side synchronization of appointments, contacts and tasks, "
        "because changes made in Dynamics may then not reach all attendees."
    ),
    references=(page(f"{UNSUPPORTED}, recommendation at its end"),),
    needs=of_delivery(Direction.APPOINTMENTS) | Needs(deployment=(v.DEPLOYMENT_APPOINTMENT_WAYS,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"Choose one way for the organization: select the mailboxes that differ ({MAILBOXES}) and set "
        "Appointments, Contacts, and Tasks to the same method in all of them."
    ),
)
