"""Exchange answers with a fault of its own, neither of the account nor of the mailbox."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of
from probe.model.estate import Service
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import READ_ON, any_served, every_served, logs_in, needs_of_served, served, told

# EWS ResponseCode: faults of the server that answers, or of the way from it to the mailbox's server
_CODES = frozenset(
    {
        "ErrorImpersonationFailed",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorInvalidSchemaVersionForMailboxVersion",
        "ErrorInternalServerError",
    }
)


def _applies(case: Case) -> Answer:
    return all_of(logs_in(case), any_served(served(case, Service.EWS)))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS), lambda endpoint: told(endpoint, v.EWS_INBOX, _verdict))


def _verdict(outcome: str) -> Truth:
    if outcome == "found":
        return Truth.YES
    return Truth.NO if outcome in _CODES else Truth.UNKNOWN


RULE = Rule(
    id="exchange-server-fault",
    title="A fault of the Exchange server",
    statement="Exchange comes from the server that is asked to the mailbox without a fault of its own.",
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
        "Look into the Application log of the Exchange server that answered (its name stands in `ews.headers`): for `ErrorImpersonationFailed` at the account of its "
        "application pool, for `ErrorNoRespondingCASInDestinationSite` at the client access servers of the mailbox's site, for "
        "`ErrorInvalidSchemaVersionForMailboxVersion` at an older server behind it; or name the mailbox's own server in the profile."
    ),
)
