"""A test message that is refused, or that does not come back."""

from __future__ import annotations

from dataclasses import replace

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, Truth, all_of, any_of, ask
from probe.model.estate import Effect, Service
from probe.model.facts import Fact, Facts, Why
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import ALLOWING, SERVED, SPEAKING, allows, is_server_side, rfc, speaks

# Why it is not known whether the message was taken, where it is known that none was sent.
_NOT_SENT = frozenset(
    {
        Why.NOT_ATTEMPTED,
        Why.NOT_APPLICABLE,
        Why.NO_CREDENTIALS,
        Why.DENIED,
        Why.UNRESOLVED,
        Why.REFUSED,
        Why.UNREACHABLE,
        Why.TLS_FAILED,
        Why.UNTRUSTED_PEER,
    }
)


def _applies(case: Case) -> Answer:
    """Whether a round trip is held; a test compares this with what is planned. It needs both directions, whichever is asked about."""
    whole = replace(case, direction=None)
    return all_of(
        NO if case.direction is Direction.APPOINTMENTS else YES,
        allows(case, Effect.SENDS_MAIL, Effect.LOGS_IN),
        ask(case.mailbox, v.MAILBOX_OWN_ACCOUNT, bool),
        any_of(is_server_side(whole, Direction.INCOMING), is_server_side(whole, Direction.APPOINTMENTS)),
        is_server_side(whole, Direction.OUTGOING),
        speaks(case.incoming, Service.POP3, Service.IMAP, Service.EWS),
        speaks(case.outgoing, Service.SMTP),
    )


def _holds(case: Case) -> Answer:
    """Taking the message is the outgoing direction's part, and its arrival the incoming direction's where that is served."""
    sent, arrived = ask(case.outgoing, v.ROUNDTRIP_SENT, bool), _arrived(case.outgoing)
    if case.direction is Direction.INCOMING:
        return arrived
    if case.direction is Direction.OUTGOING and case.serves(Direction.INCOMING):
        return sent
    return all_of(sent, arrived)


def _arrived(outgoing: Facts) -> Answer:
    """Whether the message arrived, or none was sent that could."""
    returned, reading = ask(outgoing, v.ROUNDTRIP_RETURNED, bool), outgoing.read(v.ROUNDTRIP_SENT)
    if isinstance(reading, Fact):
        return returned if reading.value else Answer(Truth.YES, (reading,))
    return any_of(Answer(Truth.YES if reading.why in _NOT_SENT else Truth.UNKNOWN, (reading,)), returned)


RULE = Rule(
    id="message-not-returned",
    title="Test message does not return",
    statement="The outgoing server accepts a message from the mailbox to itself, and it arrives in the inbox.",
    references=(rfc(5321, "section 4.2.1, what the first digit of a reply means", "2008-10"),),
    needs=SERVED | SPEAKING | ALLOWING | Needs(mailbox=(v.MAILBOX_OWN_ACCOUNT,), outgoing=(v.ROUNDTRIP_SENT, v.ROUNDTRIP_RETURNED)),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Read the server's reply in roundtrip.reply: the account may lack the right to send as the mailbox, have used up its quota, or be blocked "
        "by a policy. A message that was accepted and not found may be in a spam folder, or be held by a filter on the way."
    ),
)
