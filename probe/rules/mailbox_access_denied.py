"""The account is let in, but may not open the mailbox."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import NEEDS_OF_INBOX, RESPONSE_CODES, inbox_not_refused_by, opens_an_inbox

# EWS ResponseCode: rights and state of the account, which do not pass by themselves. Codes of moves, failovers and load are left open.
_DENIED = frozenset(
    {"ErrorAccessDenied", "ErrorAccountDisabled", "ErrorInvalidLicense", "ErrorPasswordExpired", "ErrorPasswordChangeRequired"}
)


def _holds(case: Case) -> Answer:
    return inbox_not_refused_by(case, _DENIED)


RULE = Rule(
    id="mailbox-access-denied",
    title="Account may not open the mailbox",
    statement="The account that signs in may open the mailbox's inbox.",
    references=(RESPONSE_CODES,),
    needs=NEEDS_OF_INBOX,
    by=By.READINESS,
    lists=False,
    applies=opens_an_inbox,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Let ACCOUNT open the mailbox. For `ErrorAccessDenied`, on Exchange: `Add-MailboxPermission -Identity ADDRESS -User ACCOUNT -AccessRights FullAccess` "
        "or let the profile impersonate. For the other codes, have the account enabled, licensed, or its password renewed."
    ),
)
