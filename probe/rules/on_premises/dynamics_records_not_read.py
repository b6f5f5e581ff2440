"""Dynamics' own records, which the estate says how to read, and which could not be read: what they would say is then unknown, and nothing is made of it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Reference, Rule
from probe.rules import READ_ON, SERVED, uses, was_asked

RULE = Rule(
    id="dynamics-records-not-read",
    title="Dynamics' own records not read",
    statement="Where the estate has access to Dynamics' own records, they can be read.",
    references=(
        Reference(
            "Use the Dynamics 365 Customer Engagement Web API",
            "https://learn.microsoft.com/en-us/dynamics365/customerengagement/on-premises/developer/use-microsoft-dynamics-365-web-api",
            READ_ON,
        ),
    ),
    needs=SERVED | Needs(deployment=(v.DYNAMICS_ORGANIZATION_ID,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.deployment, v.DYNAMICS_ORGANIZATION_ID)),
    holds=lambda case: ask(case.deployment, v.DYNAMICS_ORGANIZATION_ID, bool),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Correct what is named: url, account or organization of `[dynamics]` in the estate, or the privileges of the account. Until then approval, passwords, ports and the "
        "state of mailboxes in Dynamics are not known; what the mail servers answered still counts."
    ),
)
