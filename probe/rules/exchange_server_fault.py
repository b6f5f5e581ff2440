"""Exchange answers with a fault of its own, neither of the account nor of the mailbox."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import NEEDS_OF_INBOX, RESPONSE_CODES, inbox_not_refused_by, opens_an_inbox

# EWS ResponseCode: faults of the server that answers, or of the way from it to the mailbox's server
_CODES = frozenset(
    {
        "ErrorImpersonationFailed",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorInvalidSchemaVersionForMailboxVersion",
        "ErrorInternalServerError",
    }
)


def _holds(case: Case) -> Answer:
    return inbox_not_refused_by(case, _CODES)


RULE = Rule(
    id="exchange-server-fault",
    title="Fault of the Exchange server",
    statement="Exchange comes from the server that is asked to the mailbox without a fault of its own.",
    references=(RESPONSE_CODES,),
    needs=NEEDS_OF_INBOX,
    by=By.READINESS,
    lists=False,
    applies=opens_an_inbox,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Look into the Application log of the Exchange server that answered; its name stands in `ews.headers`. For `ErrorImpersonationFailed` look at the account of its "
        "application pool, for `ErrorNoRespondingCASInDestinationSite` at the client access servers of the mailbox's site, for "
        "`ErrorInvalidSchemaVersionForMailboxVersion` at an older server behind it. Or name the mailbox's own server in the profile."
    ),
)
