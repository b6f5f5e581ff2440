"""A login that is refused because the server takes no passwords, only tokens."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import NEEDS_OF_REFUSAL, READ_ON, not_refused_for, tries_a_login

_SHOWING = frozenset({"oauth-required", "basic-auth-disabled"})
"""Causes of a refusal that this rule is about."""


def _holds(case: Case) -> Answer:
    return not_refused_for(case, _SHOWING)


RULE = Rule(
    id="token-wanted",
    title="A server that takes tokens only",
    statement="No server that is used refuses the password because it takes nothing but modern authentication (OAuth).",
    references=(
        Reference(
            "Use of Basic authentication with Exchange Online",
            "https://learn.microsoft.com/en-us/power-platform/admin/use-basic-authentication-exchange-online",
            READ_ON,
        ),
    ),
    needs=NEEDS_OF_REFUSAL,
    lists=False,
    applies=tries_a_login,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Set the profile to OAuth where Dynamics offers it for this server (Exchange Online), or move the mailbox to a server that takes passwords: no "
        "password and no app password will be let in here."
    ),
)
