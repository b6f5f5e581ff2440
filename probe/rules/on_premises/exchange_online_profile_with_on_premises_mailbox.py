"""A mailbox of an Exchange on-premises under an Exchange Online profile."""

from __future__ import annotations

from probe.model.estate import Location, ServerType
from probe.model.rules import By, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, LIVING, MAILBOXES, UNDER, UNSUPPORTED, lives, never, page, under

RULE = Rule(
    id="exchange-online-profile-with-on-premises-mailbox",
    title="An Exchange Online profile for a mailbox on-premises",
    statement="An Exchange Online profile does not serve a user whose mailbox lives on an Exchange on-premises.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=UNDER | LIVING,
    by=By.MICROSOFT,
    lists=False,
    applies=under(ServerType.EXCHANGE_ONLINE),
    holds=never(lives(Location.ON_PREMISES)),
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(f"Give the mailbox an Exchange Server (Hybrid) profile ({MAILBOXES}), then test and enable it.\n{EMAIL_ROUTER}"),
)
