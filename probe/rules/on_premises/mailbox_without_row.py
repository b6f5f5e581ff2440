"""A mailbox of the estate that Dynamics does not have: an address that was mistyped or changed, a mailbox that was deleted, or one that the account is not shown."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import SERVED, admin_page, uses, was_asked

RULE = Rule(
    id="mailbox-without-row",
    title="No mailbox of Dynamics",
    statement="Dynamics has a mailbox with the id or the address of each mailbox of the estate.",
    references=(admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),),
    needs=SERVED | Needs(mailbox=(v.DYNAMICS_FOUND,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.mailbox, v.DYNAMICS_FOUND)),
    holds=lambda case: ask(case.mailbox, v.DYNAMICS_FOUND, bool),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Look for the mailbox ADDRESS in Dynamics: where its address was changed there, write that one, or its `id`, into the estate; where it is gone, take it out of the estate. "
        "Where it is there, the account of `[dynamics]` lacks the privilege to read it (prvReadMailbox, for the whole organization)."
    ),
)
