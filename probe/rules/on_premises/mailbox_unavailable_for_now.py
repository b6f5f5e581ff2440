"""Exchange knows the mailbox, and cannot open it at the moment."""

from __future__ import annotations

from probe.rules import RESPONSE_CODES, rule_on_inbox_codes

RULE = rule_on_inbox_codes(
    # EWS ResponseCode: states of the mailbox's store, or of the server before it, which pass by themselves
    "ErrorMailboxMoveInProgress",
    "ErrorMailboxFailover",
    "ErrorMailboxStoreUnavailable",
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorTooManyObjectsOpened",
    id="mailbox-unavailable-for-now",
    title="Mailbox unavailable for now",
    statement="The mailbox's store can be opened, and its server is not too busy.",
    references=(RESPONSE_CODES,),
    remedy=(
        "Wait, check again, and do not test and enable meanwhile: a test that fails now may disable the mailbox. A move or a failover shows on Exchange by "
        "`Get-MoveRequest -Identity ADDRESS` `Get-MailboxDatabaseCopyStatus` "
        "Where the server is busy, leave it alone for as long as it asks (the attempt says how long), and look at the "
        "throttling policy of the account: `Get-ThrottlingPolicyAssociation -Identity ACCOUNT` After a move, check that the profile is still the right one for the mailbox."
    ),
)
