"""The account is let in, but may not open the mailbox."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of
from probe.model.estate import Service
from probe.model.rules import Case, Otherwise, Reference, Rule
from probe.rules import READ_ON, any_served, every_served, logs_in, needs_of_served, served, told

# EWS ResponseCode: rights and state of the account, which do not pass by themselves. Codes of moves, failovers and load are left open.
_DENIED = frozenset(
    {"ErrorAccessDenied", "ErrorAccountDisabled", "ErrorInvalidLicense", "ErrorPasswordExpired", "ErrorPasswordChangeRequired"}
)


def _applies(case: Case) -> Answer:
    return all_of(logs_in(case), any_served(served(case, Service.EWS)))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS), lambda endpoint: told(endpoint, v.EWS_INBOX, _verdict))


def _verdict(outcome: str) -> Truth:
    if outcome == "found":
        return Truth.YES
    return Truth.NO if outcome in _DENIED else Truth.UNKNOWN


RULE = Rule(
    id="mailbox-access-denied",
    title="A mailbox that the account may not open",
    statement="The account that signs in may open the mailbox's inbox.",
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
        "For `ErrorAccessDenied`, grant the account Full Access (`Add-MailboxPermission ADDRESS -User ACCOUNT -AccessRights FullAccess`) or let the "
        "profile impersonate; for the other codes, have the account enabled, licensed, or its password renewed."
    ),
)
