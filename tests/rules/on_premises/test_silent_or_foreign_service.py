"""Another protocol at the endpoint."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.silent_or_foreign_service import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_for_a_healthy_mailbox() -> None:
    """What speaks the protocol is in order."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case()) is Result.HOLDS


def test_it_fails_at_one_endpoint_that_is_used() -> None:
    """What speaks another protocol is not ready."""
    assert result_of(RULE, gmail_case(outgoing={v.PROTOCOL_SPOKEN: False})) is Result.FAILS


def test_it_is_unknown_where_it_did_not_show() -> None:
    """A server that stayed silent for once decides nothing."""
    assert result_of(RULE, gmail_case(incoming={v.PROTOCOL_SPOKEN: Why.TIMED_OUT})) is Result.UNKNOWN


def test_an_endpoint_that_is_not_used_does_not_count() -> None:
    """The outgoing endpoint does not matter to a mailbox that sends nothing through it."""
    case = gmail_case(mailbox={v.MAILBOX_OUTGOING: "none"}, outgoing={v.PROTOCOL_SPOKEN: False})
    assert result_of(RULE, case) is Result.HOLDS


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
