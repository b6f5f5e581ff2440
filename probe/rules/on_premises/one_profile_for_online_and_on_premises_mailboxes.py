"""The note on two profiles: one for online mailboxes, one for those on-premises.

Advice, because the page says that one *can* create two, not that one must; what it does exclude (a mailbox
on-premises under a profile of Exchange Online) is another rule's statement.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.estate import Location
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import NOTES, PROFILES, SERVED, page, uses


def _holds(case: Case) -> Answer:
    both = {Location.ON_PREMISES, Location.EXCHANGE_ONLINE}
    return ask(case.profile, v.PROFILE_LOCATIONS, lambda locations: not both <= set(locations))


RULE = Rule(
    id="one-profile-for-online-and-on-premises-mailboxes",
    title="One profile for two locations",
    statement="Mailboxes online and mailboxes on-premises can each have an email server profile of their own, and belong to the right one.",
    references=(page(NOTES),),
    needs=SERVED | Needs(profile=(v.PROFILE_LOCATIONS,)),
    by=By.MICROSOFT,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"Create a second profile ({PROFILES}), so that online and on-premises mailboxes have one "
        "each; then choose the right profile in each mailbox, and test and enable it."
    ),
)
