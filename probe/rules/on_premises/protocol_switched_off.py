"""A login that is refused because the protocol is switched off for the account."""

from __future__ import annotations

from probe.model.refusals import Refusal
from probe.model.rules import Reference
from probe.rules import READ_ON, rule_on_refusals

RULE = rule_on_refusals(
    Refusal.PROTOCOL_DISABLED,
    id="protocol-switched-off",
    title="Protocol switched off",
    statement="POP3, IMAP or SMTP sign-in is switched on for the account at every server that is used.",
    references=(
        Reference("The page that Exchange Online names in its own refusal", "https://aka.ms/smtp_auth_disabled", READ_ON),
        Reference(
            "GMX and WEB.DE: POP3 and IMAP are off until they are switched on", "https://github.com/jens-maus/yam/issues/638", READ_ON
        ),
    ),
    remedy=(
        "Switch the protocol on for ACCOUNT, then check again.\n"
        "At Gmail: Settings, Forwarding and POP/IMAP.\n"
        "At Outlook.com: Settings, Mail, Forwarding and IMAP.\n"
        "At GMX and WEB.DE: Settings, POP3/IMAP.\n"
        "At Yahoo and AOL: it is on for every account; look at Account security.\n"
        "At Exchange Online: the one of these that is wanted: `Set-CASMailbox -Identity ADDRESS -PopEnabled $true` `Set-CASMailbox -Identity ADDRESS -ImapEnabled $true` "
        "`Set-CASMailbox -Identity ADDRESS -SmtpClientAuthenticationDisabled $false`\n"
        "At Exchange Server: the one of these that is wanted: `Set-CASMailbox -Identity ADDRESS -PopEnabled $true` "
        "`Set-CASMailbox -Identity ADDRESS -ImapEnabled $true` "
        "POP3 and IMAP are off as services until somebody starts them on the server. For POP3 (Exchange 2010 has no MSExchangePOP3BE): "
        "`Set-Service -Name MSExchangePOP3 -StartupType Automatic` `Set-Service -Name MSExchangePOP3BE -StartupType Automatic` "
        "`Start-Service -Name MSExchangePOP3,MSExchangePOP3BE` "
        "For IMAP: `Set-Service -Name MSExchangeIMAP4 -StartupType Automatic` `Set-Service -Name MSExchangeIMAP4BE -StartupType Automatic` "
        "`Start-Service -Name MSExchangeIMAP4,MSExchangeIMAP4BE`\n"
        "Other providers have the setting on the page for mail programs."
    ),
)
