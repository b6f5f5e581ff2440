"""Exchange knows the mailbox, and cannot open it at the moment."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import NEEDS_OF_INBOX, RESPONSE_CODES, inbox_not_refused_by, opens_an_inbox

# EWS ResponseCode: states of the mailbox's store, or of the server before it, which pass by themselves
_CODES = frozenset(
    {
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxFailover",
        "ErrorMailboxStoreUnavailable",
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "ErrorTooManyObjectsOpened",
    }
)


def _holds(case: Case) -> Answer:
    return inbox_not_refused_by(case, _CODES)


RULE = Rule(
    id="mailbox-unavailable-for-now",
    title="Mailbox unavailable for now",
    statement="The mailbox's store is there to be opened, and its server not too busy to.",
    references=(RESPONSE_CODES,),
    needs=NEEDS_OF_INBOX,
    by=By.READINESS,
    lists=False,
    applies=opens_an_inbox,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Wait, check again, and do not test and enable meanwhile: a test that fails now may disable the mailbox. A move or a failover shows on Exchange by "
        "`Get-MoveRequest -Identity ADDRESS` `Get-MailboxDatabaseCopyStatus` "
        "Where the server is busy, leave it alone for as long as it asks (the attempt says how long), and look at the "
        "throttling policy of the account: `Get-ThrottlingPolicyAssociation -Identity ACCOUNT` After a move, see that the profile is still the right one for where the mailbox lives."
    ),
)
