"""A test message that is refused, or that does not come back."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask
from probe.model.estate import Effect, Service
from probe.model.rules import Case, Needs, Otherwise, Rule
from probe.rules import is_server_side, rfc, speaks


def _applies(case: Case) -> Answer:
    """Whether a round trip is held; a test compares this with what is planned."""
    return all_of(
        ask(case.deployment, v.DEPLOYMENT_ALLOWS, lambda allowed: {Effect.SENDS_MAIL, Effect.LOGS_IN} <= set(allowed)),
        ask(case.mailbox, v.MAILBOX_OWN_ACCOUNT, bool),
        any_of(is_server_side(case, v.MAILBOX_INCOMING), is_server_side(case, v.MAILBOX_APPOINTMENTS)),
        is_server_side(case, v.MAILBOX_OUTGOING),
        speaks(case.incoming, Service.POP3, Service.IMAP, Service.EWS),
        speaks(case.outgoing, Service.SMTP),
    )


def _holds(case: Case) -> Answer:
    return all_of(ask(case.outgoing, v.ROUNDTRIP_SENT, bool), ask(case.outgoing, v.ROUNDTRIP_RETURNED, bool))


RULE = Rule(
    id="message-not-returned",
    title="A test message that does not come back",
    statement="A message from the mailbox to itself is taken by the outgoing server and arrives in the inbox.",
    references=(rfc(5321, "section 4.2.1, what the first digit of a reply means", "2008-10"),),
    needs=Needs(
        deployment=(v.DEPLOYMENT_ALLOWS,),
        mailbox=(v.MAILBOX_OWN_ACCOUNT, v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING, v.MAILBOX_APPOINTMENTS),
        incoming=(v.ENDPOINT_SERVICE,),
        outgoing=(v.ENDPOINT_SERVICE, v.ROUNDTRIP_SENT, v.ROUNDTRIP_RETURNED),
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
