"""Exchange, signed in to, knows no mailbox of this address."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of
from probe.model.estate import Service
from probe.model.rules import Case, Otherwise, Rule
from probe.rules import any_served, article, every_served, logs_in, needs_of_served, served, told

# EWS ResponseCode: no mailbox at this address, or the account that signs in has none itself.
_NOT_FOUND = frozenset({"ErrorNonExistentMailbox", "ErrorMissingEmailAddress"})


def _applies(case: Case) -> Answer:
    return all_of(logs_in(case), any_served(served(case, Service.EWS)))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS), lambda endpoint: told(endpoint, v.EWS_INBOX, _verdict))


def _verdict(outcome: str) -> Truth:
    if outcome == "found":
        return Truth.YES
    return Truth.NO if outcome in _NOT_FOUND else Truth.UNKNOWN


RULE = Rule(
    id="mailbox-not-found",
    title="No mailbox at this address",
    statement="Exchange finds a mailbox at the address of the Dynamics mailbox.",
    references=(article("The SMTP address has no mailbox associated with it", "the-smtp-address-has-no-mailbox"),),
    needs=needs_of_served(
        v.ENDPOINT_SERVICE,
        v.EWS_INBOX,
        deployment=(v.DEPLOYMENT_ALLOWS,),
        profile=(v.PROFILE_CREDENTIALS, v.PROFILE_APPLICATION),
    ),
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Run `Get-Mailbox ADDRESS` on the Exchange of the profile: correct the address in the Dynamics mailbox, or choose the profile of the "
        "Exchange where the mailbox lives (after a move, that may be the other one of a hybrid); give user names as user@domain."
    ),
)
