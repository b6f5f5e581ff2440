"""A login that is refused because the server takes no passwords, only tokens."""

from __future__ import annotations

from probe.model.refusals import Refusal
from probe.model.rules import Reference
from probe.rules import OUTLOOK_COM_ENDED, READ_ON, SERVER_TO_SERVER, rule_on_refusals

RULE = rule_on_refusals(
    Refusal.OAUTH_REQUIRED,
    Refusal.BASIC_AUTH_DISABLED,
    id="token-wanted",
    title="Server takes tokens (OAuth) only",
    statement="No server that is used refuses the password because it accepts only modern authentication (OAuth).",
    references=(
        Reference(
            "Use of Basic authentication with Exchange Online",
            "https://learn.microsoft.com/en-us/power-platform/admin/use-basic-authentication-exchange-online",
            READ_ON,
        ),
    ),
    remedy=(
        f"At Exchange Online: {SERVER_TO_SERVER}\n"
        f"At Outlook.com: {OUTLOOK_COM_ENDED}\n"
        "Elsewhere, move the mailbox to a server that accepts passwords: this one accepts neither a password nor an app password."
    ),
)
