"""A login that is refused because the server takes no passwords, only tokens."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import NEEDS_OF_REFUSAL, OUTLOOK_COM_ENDED, READ_ON, SERVER_TO_SERVER, not_refused_for, tries_a_login

_SHOWING = frozenset({"oauth-required", "basic-auth-disabled"})
"""Causes of a refusal that this rule is about."""


def _holds(case: Case) -> Answer:
    return not_refused_for(case, _SHOWING)


RULE = Rule(
    id="token-wanted",
    title="Server takes tokens (OAuth) only",
    statement="No server that is used refuses the password because it takes nothing but modern authentication (OAuth).",
    references=(
        Reference(
            "Use of Basic authentication with Exchange Online",
            "https://learn.microsoft.com/en-us/power-platform/admin/use-basic-authentication-exchange-online",
            READ_ON,
        ),
    ),
    needs=NEEDS_OF_REFUSAL,
    by=By.READINESS,
    lists=False,
    applies=tries_a_login,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        f"At Exchange Online: {SERVER_TO_SERVER}\n"
        f"At Outlook.com: {OUTLOOK_COM_ENDED}\n"
        "Elsewhere, move the mailbox to a server that takes passwords: neither a password nor an app password will be let in here."
    ),
)
