"""A mailbox that is not enabled, and whose mail of long ago would be pulled once it is."""

from __future__ import annotations

from datetime import timedelta

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Reference, Rule
from probe.rules import MAILBOXES, PROFILES, READ_ON, is_server_side, of_delivery, was_asked

_LONG = timedelta(days=30)


def _applies(case: Case) -> Answer:
    return all_of(
        is_server_side(case, Direction.INCOMING),
        was_asked(case.mailbox, v.DYNAMICS_ENABLED),
        was_asked(case.mailbox, v.DYNAMICS_PROCESSES_MAIL_SINCE),
    )


def _holds(case: Case) -> Answer:
    is_enabled = ask(case.mailbox, v.DYNAMICS_ENABLED, lambda enabled: dict(enabled)[Direction.INCOMING])
    is_recent = ask(case.mailbox, v.DYNAMICS_PROCESSES_MAIL_SINCE, lambda since: case.date - since.date() <= _LONG)
    return any_of(is_enabled, is_recent)


RULE = Rule(
    id="backlog-on-enabling",
    title="Old mail would be pulled",
    statement=f"Of a mailbox that is to be enabled, Dynamics processes no mail that is older than {_LONG.days} days.",
    references=(
        Reference(
            "Real life tales of server-side sync", "https://kyliekiser.com/2019/02/18/real-life-tales-of-server-side-sync/", "2019-02-18"
        ),
        Reference(
            "D365 CE developer reference: EmailServerProfile, processemailsreceivedafter",
            "https://learn.microsoft.com/en-us/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile",
            READ_ON,
        ),
    ),
    needs=of_delivery(Direction.INCOMING) | Needs(mailbox=(v.DYNAMICS_ENABLED, v.DYNAMICS_PROCESSES_MAIL_SINCE)),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"Before you test and enable ADDRESS, set Process Email From of the mailbox ({MAILBOXES}), or of the profile ({PROFILES} > Advanced), to the day from which on mail is wanted: "
        "what came since `dynamics.processes_mail_since` is pulled at once, and may make thousands of records."
    ),
)
