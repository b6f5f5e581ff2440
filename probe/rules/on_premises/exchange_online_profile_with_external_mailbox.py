"""A mailbox that points to a mail server elsewhere under an Exchange Online profile."""

from __future__ import annotations

from probe.model.estate import Location, ServerType
from probe.model.rules import By, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, LIVING, MAILBOXES, UNDER, UNSUPPORTED, lives, never, page, under

RULE = Rule(
    id="exchange-online-profile-with-external-mailbox",
    title="An Exchange Online profile for a mailbox that points elsewhere",
    statement="An Exchange Online profile does not serve an Exchange mailbox that points to an external email server.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=UNDER | LIVING,
    by=By.MICROSOFT,
    lists=False,
    applies=under(ServerType.EXCHANGE_ONLINE),
    holds=never(lives(Location.ELSEWHERE)),
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        f"Give the mailbox a POP3/SMTP Server profile ({MAILBOXES}), then test and enable it. The external server must be one of the five listed systems (Gmail, Yahoo! Mail, MSN, "
        f"Outlook.com, Windows Live Mail), or the mailbox is unsupported all the same.\n{EMAIL_ROUTER}"
    ),
)
