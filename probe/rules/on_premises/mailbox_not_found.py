"""Exchange, signed in to, knows no mailbox of this address."""

from __future__ import annotations

from probe.rules import article, rule_on_inbox_codes

RULE = rule_on_inbox_codes(
    # EWS ResponseCode: no mailbox at this address, or the account that signs in has none itself.
    "ErrorNonExistentMailbox",
    "ErrorMissingEmailAddress",
    id="mailbox-not-found",
    title="No mailbox at this address",
    statement="Exchange finds a mailbox at the address of the Dynamics mailbox.",
    references=(article("The SMTP address has no mailbox associated with it", "the-smtp-address-has-no-mailbox"),),
    remedy=(
        "Check on the Exchange of the profile whether a mailbox ADDRESS exists: `Get-Mailbox -Identity ADDRESS` "
        "If none does, correct the address in the Dynamics mailbox, or choose the profile of the "
        "Exchange where the mailbox lives (after a move, that may be the other one of a hybrid). Give user names as user@domain."
    ),
)
