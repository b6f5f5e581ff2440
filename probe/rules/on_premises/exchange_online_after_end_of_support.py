"""Exchange Online with Dynamics on-premises after the day that Microsoft names as the end of support for it."""

from __future__ import annotations

from probe.model.rules import By, Otherwise, Rule
from probe.rules import EXCHANGE_ONLINE_END, USING_EXCHANGE_ONLINE, admin_page, in_exchange_online, never

_is_used = in_exchange_online(first=EXCHANGE_ONLINE_END)

RULE = Rule(
    id="exchange-online-after-end-of-support",
    title="Exchange Online after the end of support",
    statement=f"Support for Customer Engagement (on-premises) with Exchange Online ends on {EXCHANGE_ONLINE_END}.",
    references=(admin_page("Connect Dynamics 365 (on-premises) to Exchange Online", "connect-dynamics-365-on-premises-exchange-online"),),
    needs=USING_EXCHANGE_ONLINE,
    by=By.MICROSOFT,
    lists=False,
    applies=_is_used,
    holds=never(_is_used),
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Move the mailbox to an Exchange Server that the page lists and give it an Exchange Server profile, or move the organization to Dynamics 365 online."
    ),
)
