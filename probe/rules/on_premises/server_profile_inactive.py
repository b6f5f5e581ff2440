"""An email server profile that is deactivated in Dynamics."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import PROFILES, SERVED, article, uses, was_asked

RULE = Rule(
    id="server-profile-inactive",
    title="Email server profile inactive",
    statement="In Dynamics the email server profile of the mailbox is active.",
    references=(article("Mailbox does not have an email server profile", "mailbox-does-not-have-email-server-profile"),),
    needs=SERVED | Needs(profile=(v.DYNAMICS_ACTIVE,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.profile, v.DYNAMICS_ACTIVE)),
    holds=lambda case: ask(case.profile, v.DYNAMICS_ACTIVE, bool),
    otherwise=Otherwise.NOT_READY,
    remedy=f"Activate the profile ({PROFILES} > Inactive Email Server Profiles > Activate), then test and enable its mailboxes.",
)
