"""Exchange answers with a fault of its own, neither of the account nor of the mailbox."""

from __future__ import annotations

from probe.rules import RESPONSE_CODES, rule_on_inbox_codes

RULE = rule_on_inbox_codes(
    # EWS ResponseCode: faults of the server that answers, or of the way from it to the mailbox's server
    "ErrorImpersonationFailed",
    "ErrorNoRespondingCASInDestinationSite",
    "ErrorInvalidSchemaVersionForMailboxVersion",
    "ErrorInternalServerError",
    id="exchange-server-fault",
    title="Fault of the Exchange server",
    statement="The Exchange server that is asked reaches the mailbox without a fault of its own.",
    references=(RESPONSE_CODES,),
    remedy=(
        "Look into the Application log of the Exchange server that answered; its name stands in `ews.headers`. For `ErrorImpersonationFailed` look at the account of its "
        "application pool, for `ErrorNoRespondingCASInDestinationSite` at the client access servers of the mailbox's site, for "
        "`ErrorInvalidSchemaVersionForMailboxVersion` at an older server behind it. Or name the mailbox's own server in the profile."
    ),
)
