"""A login that is refused because the protocol is switched off for the account."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import NEEDS_OF_REFUSAL, READ_ON, not_refused_for, tries_a_login

_SHOWING = frozenset({"protocol-disabled"})
"""Causes of a refusal that this rule is about."""


def _holds(case: Case) -> Answer:
    return not_refused_for(case, _SHOWING)


RULE = Rule(
    id="protocol-switched-off",
    title="A protocol that is switched off",
    statement="POP3, IMAP or SMTP sign-in is switched on for the account at every server that is used.",
    references=(
        Reference("The page that Exchange Online names in its own refusal", "https://aka.ms/smtp_auth_disabled", READ_ON),
        Reference(
            "GMX and WEB.DE: POP3 and IMAP are off until they are switched on", "https://github.com/jens-maus/yam/issues/638", READ_ON
        ),
    ),
    needs=NEEDS_OF_REFUSAL,
    lists=False,
    applies=tries_a_login,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Switch the protocol on for the account (Gmail: Settings, Forwarding and POP/IMAP; Outlook.com: Settings, Mail, Forwarding and IMAP; GMX and WEB.DE: "
        "Settings, POP3/IMAP; Yandex, mail.ru, Zoho, QQ: the mail programs' page of the settings; Exchange Online and Exchange Server: Set-CASMailbox with "
        "-PopEnabled, -ImapEnabled or -SmtpClientAuthenticationDisabled), then test again."
    ),
)
