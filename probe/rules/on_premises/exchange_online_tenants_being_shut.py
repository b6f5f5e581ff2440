"""EWS of Exchange Online while it is being switched off, tenant by tenant: whether Dynamics is let in does not show.

What is let in is decided by application and user agent. The answer to nobody shows neither, and a sign-in by an application of one's own
shows that the tenant is open and the mailbox is there, not that Dynamics' application is let in.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, any_of, negate
from probe.model.estate import Service
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import (
    EWS_END,
    EXCHANGE_ONLINE_END,
    EXCHANGE_ONLINE_SHUTTING,
    READ_ON,
    USING_EXCHANGE_ONLINE,
    any_served,
    in_exchange_online,
    served,
    told,
)
from probe.tables.exchange import EXCHANGE_ONLINE

_is_used = in_exchange_online(first=EXCHANGE_ONLINE_SHUTTING, end=EXCHANGE_ONLINE_END)


def _holds(case: Case) -> Answer:
    """Where Exchange Online is used, nothing that shows decides: what is cited is that it is."""
    is_let_in = any_served(
        served(case, Service.EWS),
        lambda endpoint: told(endpoint, v.SERVER_PRODUCT, lambda product: Truth.UNKNOWN if product == EXCHANGE_ONLINE else Truth.NO),
    )
    return any_of(negate(_is_used(case)), is_let_in)


RULE = Rule(
    id="exchange-online-tenants-being-shut",
    title="Exchange Online while tenants are being shut for EWS",
    statement=(
        f"From {EXCHANGE_ONLINE_SHUTTING} Exchange Online lets Dynamics in by EWS only where the tenant has EWS enabled and its list of allowed applications names that "
        "of Dynamics, which no connection from here shows."
    ),
    references=(
        EWS_END,
        Reference(
            "How to: Control access to EWS in Exchange",
            "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-control-access-to-ews-in-exchange",
            READ_ON,
        ),
        Reference(
            "Introducing EwsAllowedAppIDs: preparing for the final phase of EWS retirement",
            "https://techcommunity.microsoft.com/blog/exchange/introducing-ewsallowedappids-preparing-for-the-final-phase-of-ews-retirement/4529471",
            "2026-06-19",
        ),
    ),
    needs=USING_EXCHANGE_ONLINE,
    by=By.READINESS,
    lists=False,
    applies=_is_used,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Have the administrator of Exchange Online run `Get-OrganizationConfig | fl EwsEnabled,EwsAllowedAppIDs` EwsEnabled must be True and "
        "EwsAllowedAppIDs must name the application of Dynamics (a change takes up to 24 hours). Then run Test & Enable Mailbox, whose outcome settles "
        "it. A sign-in by an application of your own does not."
    ),
)
