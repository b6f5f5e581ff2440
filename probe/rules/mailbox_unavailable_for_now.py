"""Exchange knows the mailbox, and cannot open it at the moment."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of
from probe.model.estate import Service
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import READ_ON, any_served, every_served, logs_in, needs_of_served, served, told

# EWS ResponseCode: states of the mailbox's store, which pass by themselves
_CODES = frozenset({"ErrorMailboxMoveInProgress", "ErrorMailboxFailover", "ErrorMailboxStoreUnavailable"})


def _applies(case: Case) -> Answer:
    return all_of(logs_in(case), any_served(served(case, Service.EWS)))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS), lambda endpoint: told(endpoint, v.EWS_INBOX, _verdict))


def _verdict(outcome: str) -> Truth:
    if outcome == "found":
        return Truth.YES
    return Truth.NO if outcome in _CODES else Truth.UNKNOWN


RULE = Rule(
    id="mailbox-unavailable-for-now",
    title="A mailbox that cannot be opened at the moment",
    statement="The mailbox's store is there to be opened.",
    references=(
        Reference(
            "EWS: ResponseCode", "https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode", READ_ON
        ),
    ),
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
        "Wait until the move or the failover is over (`Get-MoveRequest ADDRESS`, `Get-MailboxDatabaseCopyStatus`), and check again before testing and enabling: "
        "a test that fails now may disable the mailbox. After a move, check that the profile is still the right one for where it lives."
    ),
)
