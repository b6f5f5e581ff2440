"""Exchange, signed in to, knows no mailbox of this address."""

from __future__ import annotations

from probe.model.answers import Answer
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import NEEDS_OF_INBOX, article, inbox_not_refused_by, opens_an_inbox

# EWS ResponseCode: no mailbox at this address, or the account that signs in has none itself.
_NOT_FOUND = frozenset({"ErrorNonExistentMailbox", "ErrorMissingEmailAddress"})


def _holds(case: Case) -> Answer:
    return inbox_not_refused_by(case, _NOT_FOUND)


RULE = Rule(
    id="mailbox-not-found",
    title="No mailbox at this address",
    statement="Exchange finds a mailbox at the address of the Dynamics mailbox.",
    references=(article("The SMTP address has no mailbox associated with it", "the-smtp-address-has-no-mailbox"),),
    needs=NEEDS_OF_INBOX,
    by=By.READINESS,
    lists=False,
    applies=opens_an_inbox,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "See on the Exchange of the profile whether there is a mailbox ADDRESS: `Get-Mailbox -Identity ADDRESS` "
        "Where there is none, correct the address in the Dynamics mailbox, or choose the profile of the "
        "Exchange where the mailbox lives (after a move, that may be the other one of a hybrid). Give user names as user@domain."
    ),
)
