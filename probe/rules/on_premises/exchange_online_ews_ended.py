"""EWS of Exchange Online after its end: nothing is left to connect to."""

from __future__ import annotations

from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import EXCHANGE_ONLINE_END, READ_ON, USING_EXCHANGE_ONLINE, admin_page, in_exchange_online, never

_is_used = in_exchange_online(first=EXCHANGE_ONLINE_END)

RULE = Rule(
    id="exchange-online-ews-ended",
    title="Exchange Online after the end of EWS",
    statement=f"On {EXCHANGE_ONLINE_END} EWS in Exchange Online ended, and with it server-side synchronization from Dynamics on-premises.",
    references=(
        Reference(
            "Deprecation of Exchange Web Services in Exchange Online",
            "https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online",
            READ_ON,
        ),
        admin_page("Connect Dynamics 365 (on-premises) to Exchange Online", "connect-dynamics-365-on-premises-exchange-online"),
    ),
    needs=USING_EXCHANGE_ONLINE,
    by=By.READINESS,
    lists=False,
    applies=_is_used,
    holds=never(_is_used),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Move the mailbox to an Exchange Server, whose EWS is not affected, and give it an Exchange Server profile; "
        "or move the organization to Dynamics 365 online."
    ),
)
