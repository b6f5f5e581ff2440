"""A password of a profile that ends within a month, by the operator's word. One that has ended is told by the rule on that."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import PASSWORD_AGE, SERVED, uses, was_asked

_WARNING_DAYS = 30

RULE = Rule(
    id="password-ends-soon",
    title="Password ends soon",
    statement="The password of the profile, whose end the estate declares, does not end within 30 days.",
    references=(PASSWORD_AGE,),
    needs=SERVED | Needs(profile=(v.PROFILE_PASSWORD_ENDS,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.profile, v.PROFILE_PASSWORD_ENDS)),
    holds=lambda case: ask(case.profile, v.PROFILE_PASSWORD_ENDS, lambda end: not 0 < (end - case.date).days < _WARNING_DAYS),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Give the account a new password before that day: first at the mail server, at once in Dynamics' profile and where the estate refers to it. "
        "Then write the new end in `password_ends` of the profile."
    ),
)
