"""The account is let in, but may not open the mailbox."""

from __future__ import annotations

from probe.rules import RESPONSE_CODES, rule_on_inbox_codes

RULE = rule_on_inbox_codes(
    # EWS ResponseCode: rights and state of the account, which do not pass by themselves. Codes of moves, failovers and load are left open.
    "ErrorAccessDenied",
    "ErrorAccountDisabled",
    "ErrorInvalidLicense",
    "ErrorPasswordExpired",
    "ErrorPasswordChangeRequired",
    id="mailbox-access-denied",
    title="Account may not open the mailbox",
    statement="The account that signs in may open the mailbox's inbox.",
    references=(RESPONSE_CODES,),
    remedy=(
        "Let ACCOUNT open the mailbox. For `ErrorAccessDenied`, on Exchange: `Add-MailboxPermission -Identity ADDRESS -User ACCOUNT -AccessRights FullAccess` "
        "or let the profile impersonate. For the other codes, have the account enabled, licensed, or its password renewed."
    ),
)
