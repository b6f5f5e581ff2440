"""A mailbox that has no email server profile in Dynamics, so that nothing is ever asked for it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, SERVED, article, uses, was_asked

RULE = Rule(
    id="mailbox-without-server-profile",
    title="Mailbox without email server profile",
    statement="In Dynamics the mailbox has an email server profile.",
    references=(article("Mailbox does not have an email server profile", "mailbox-does-not-have-email-server-profile"),),
    needs=SERVED | Needs(mailbox=(v.DYNAMICS_PROFILE,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.mailbox, v.DYNAMICS_PROFILE)),
    holds=lambda case: ask(case.mailbox, v.DYNAMICS_PROFILE, bool),
    otherwise=Otherwise.NOT_READY,
    remedy=f"Choose the email server profile in the mailbox ADDRESS ({MAILBOXES}), save it, then test and enable it.",
)
