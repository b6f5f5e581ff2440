"""A login that is refused because the provider wants an app password."""

from __future__ import annotations

from probe.model.refusals import Refusal
from probe.model.rules import Reference
from probe.rules import OUTLOOK_COM_ENDED, READ_ON, SERVER_TO_SERVER, rule_on_refusals

RULE = rule_on_refusals(
    Refusal.APP_PASSWORD_REQUIRED,
    Refusal.MFA_REQUIRED,
    id="app-password-wanted",
    title="Provider wants an app password",
    statement="No server that is used refuses the password because the account is under two-step verification and wants an app password.",
    references=(
        Reference("Google Account Help: Sign in with app passwords", "https://support.google.com/mail/answer/185833", "2026-11-24"),
        Reference("Yahoo: app passwords", "https://github.com/chatmail/provider-db/blob/master/_providers/yahoo.md", READ_ON),
    ),
    remedy=(
        "Make an app password in the security settings of the account, and enter it in Dynamics in place of the account's password.\n"
        "At Gmail: myaccount.google.com/apppasswords, once two-step verification is on.\n"
        "At Yahoo and AOL: Account security, Generate app password; Yahoo does not let every account make one.\n"
        "At GMX and WEB.DE: Security, Application-specific passwords.\n"
        f"At Outlook.com: {OUTLOOK_COM_ENDED}\n"
        f"At Exchange Online: app passwords are no longer accepted. {SERVER_TO_SERVER}"
    ),
)
