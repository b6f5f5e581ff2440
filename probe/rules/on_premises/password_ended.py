"""A password of a profile that has ended, or ends on the day of judgement, by the operator's word.

It is advice alone: whether the account still signs in is seen by signing in, and the rule on refused logins tells it.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import PASSWORD_AGE, SERVED, uses, was_asked

RULE = Rule(
    id="password-ended",
    title="Password ended",
    statement="The password of the profile, whose end the estate declares, has not ended.",
    references=(PASSWORD_AGE,),
    needs=SERVED | Needs(profile=(v.PROFILE_PASSWORD_ENDS,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.profile, v.PROFILE_PASSWORD_ENDS)),
    holds=lambda case: ask(case.profile, v.PROFILE_PASSWORD_ENDS, lambda end: end > case.date),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Where the account still has this password, give it a new one: at the mail server, in Dynamics' profile and where the estate refers to it. "
        "Then write the new end in `password_ends` of the profile."
    ),
)
