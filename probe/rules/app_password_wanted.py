"""A login that is refused because the provider wants an app password."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import NEEDS_OF_REFUSAL, READ_ON, not_refused_for, tries_a_login

_SHOWING = frozenset({"app-password-required", "mfa-required"})
"""Causes of a refusal that this rule is about."""


def _holds(case: Case) -> Answer:
    return not_refused_for(case, _SHOWING)


RULE = Rule(
    id="app-password-wanted",
    title="A provider that wants an app password",
    statement="No server that is used refuses the password because the account is under two-step verification and wants an app password.",
    references=(
        Reference("Google Account Help: Sign in with app passwords", "https://support.google.com/mail/answer/185833", "2026-11-24"),
        Reference("Yahoo: app passwords", "https://github.com/chatmail/provider-db/blob/master/_providers/yahoo.md", READ_ON),
    ),
    needs=NEEDS_OF_REFUSAL,
    lists=False,
    applies=tries_a_login,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Make an app password in the account's security settings and enter it in the profile or mailbox in place of the password (Gmail: "
        "myaccount.google.com/apppasswords; Yahoo and AOL: Account security, Generate app password; iCloud: account.apple.com, App-Specific Passwords; "
        "Yandex, mail.ru, GMX, WEB.DE, Zoho, QQ: the security settings of the account). Outlook.com, MSN, Windows Live and Exchange Online take no "
        "app password any more: there, use OAuth."
    ),
)
