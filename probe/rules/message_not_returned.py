"""A test message that is refused, or that does not come back."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask
from probe.model.estate import Credentials, Effect, Service
from probe.model.rules import Case, Needs, Otherwise, Rule
from probe.rules import is_one_of, is_server_side, logs_in, rfc, speaks


def _applies(case: Case) -> Answer:
    return all_of(
        ask(case.deployment, v.DEPLOYMENT_ALLOWS, lambda allowed: Effect.SENDS_MAIL in allowed),
        logs_in(case),
        # An account of the profile opens its own mailbox, and no message is sent that could not be fetched again.
        is_one_of(case.profile, v.PROFILE_CREDENTIALS, Credentials.MAILBOX),
        is_server_side(case, v.MAILBOX_INCOMING),
        is_server_side(case, v.MAILBOX_OUTGOING),
        speaks(case.incoming, Service.POP3, Service.IMAP),
        speaks(case.outgoing, Service.SMTP),
    )


def _holds(case: Case) -> Answer:
    # A message that was not seen in time may still come: that is a gap, not a no.
    return all_of(ask(case.outgoing, v.ROUNDTRIP_SENT, bool), ask(case.outgoing, v.ROUNDTRIP_MILLISECONDS, lambda _: True))


RULE = Rule(
    id="message-not-returned",
    title="A test message that does not come back",
    statement="A message from the mailbox to itself is taken by the outgoing server and arrives in the inbox.",
    references=(rfc(5321, "section 4.2.1, what the first digit of a reply means", "2008-10"),),
    needs=Needs(
        deployment=(v.DEPLOYMENT_ALLOWS,),
        profile=(v.PROFILE_CREDENTIALS, v.PROFILE_APPLICATION),
        mailbox=(v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING),
        incoming=(v.ENDPOINT_SERVICE,),
        outgoing=(v.ENDPOINT_SERVICE, v.ROUNDTRIP_SENT, v.ROUNDTRIP_MILLISECONDS),
    ),
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Read the server's words in roundtrip.reply: the account may lack the right to send as the mailbox, have used up its quota, or be kept from "
        "sending by a policy. A message that was taken and not seen may lie in a folder for spam, or be held by a filter on its way."
    ),
)
