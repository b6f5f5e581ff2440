"""Multi-factor authentication towards Exchange Online.

It speaks of profiles that sign in as a user: server-to-server sign-in has no user who could be asked for a second factor.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask, negate
from probe.model.estate import Service
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import (
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    SERVER_TO_SERVER,
    SIGNING_IN_AS_USER,
    UNSUPPORTED,
    USING_EXCHANGE_ONLINE,
    any_endpoint,
    is_exchange_online,
    page,
    signs_in_as_user,
)


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda endpoint, keys: all_of(signs_in_as_user(case, keys), is_exchange_online(endpoint)), Service.EWS)


def _holds(case: Case) -> Answer:
    return all_of(_applies(case), negate(ask(case.mailbox, v.MFA_REQUIRED, bool)))


RULE = Rule(
    id="mfa-towards-exchange-online",
    title="MFA towards Exchange Online",
    statement="From Customer Engagement (on-premises) to Exchange Online, multi-factor authentication is not supported.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=USING_EXCHANGE_ONLINE | SIGNING_IN_AS_USER | Needs(mailbox=(v.MFA_REQUIRED,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=f"{SERVER_TO_SERVER}\n{EMAIL_ROUTER}",
)
