"""EWS of Exchange Online before its end: work ahead."""

from __future__ import annotations

from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import EWS_END, EXCHANGE_ONLINE_END, EXCHANGE_ONLINE_SHUTTING, USING_EXCHANGE_ONLINE, admin_page, in_exchange_online, never

_is_used = in_exchange_online(end=EXCHANGE_ONLINE_END)

RULE = Rule(
    id="exchange-online-ews-retirement",
    title="Exchange Online before the end of EWS",
    statement=(
        f"EWS in Exchange Online is being retired: from {EXCHANGE_ONLINE_SHUTTING} it is switched off tenant by tenant where nobody decided otherwise, and on "
        f"{EXCHANGE_ONLINE_END} for all, which is also the end of support for Customer Engagement (on-premises) with Exchange Online."
    ),
    references=(
        EWS_END,
        Reference(
            "Exchange Online EWS, Your Time is Almost Up",
            "https://techcommunity.microsoft.com/blog/exchange/exchange-online-ews-your-time-is-almost-up/4492361",
            "2026-02-05",
        ),
        admin_page("Connect Dynamics 365 (on-premises) to Exchange Online", "connect-dynamics-365-on-premises-exchange-online"),
    ),
    needs=USING_EXCHANGE_ONLINE,
    by=By.MICROSOFT,
    lists=False,
    applies=_is_used,
    holds=never(_is_used),
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"Plan the move: EWS in Exchange Online ends on {EXCHANGE_ONLINE_END}, and from {EXCHANGE_ONLINE_SHUTTING} on it stays open only to tenants that allowed it. Move the mailbox to an Exchange Server, or the organization to Dynamics 365 "
        "online. Until then check that EWS is open for the tenant: `Get-OrganizationConfig | Format-List EwsEnabled,EwsAllowedAppIDs` "
        "EwsEnabled must be True, and EwsAllowedAppIDs must name the application of Dynamics. Since 2025-10-01 no new tenant is connected, and the repair of a broken "
        "Server to Server set-up may be refused."
    ),
)
