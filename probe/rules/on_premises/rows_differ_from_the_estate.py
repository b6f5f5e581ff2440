"""A mailbox of which Dynamics' own records say otherwise than the estate: what was looked at may not be what Dynamics uses."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import SERVED, admin_page, uses, was_asked

RULE = Rule(
    id="rows-differ-from-the-estate",
    title="Dynamics has it otherwise than the estate",
    statement="What Dynamics' own records say of the mailbox and its email server profile is what the estate says.",
    references=(admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),),
    needs=SERVED | Needs(mailbox=(v.DYNAMICS_DIFFERS,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.mailbox, v.DYNAMICS_DIFFERS)),
    holds=lambda case: ask(case.mailbox, v.DYNAMICS_DIFFERS, lambda differs: not differs),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "This run went by the estate. Where Dynamics is right, take over what it has: `probe import dynamics URL --update --output FILE`, with the url of `[dynamics]` and the "
        "estate's file. Where the estate is right, correct the mailbox ADDRESS or its profile in Dynamics. The gate names what mends each difference, and says go only where there is none."
    ),
)
