"""A test message that is refused, or that does not come back."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.message_not_returned import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of

ALLOWED = {v.DEPLOYMENT_ALLOWS: ("logs-in", "sends-mail")}


def result(outgoing: Known, allowed: Known = ALLOWED) -> Result:
    return result_of(RULE, gmail_case(deployment=allowed, outgoing=outgoing))


def test_it_holds_where_the_message_came_back() -> None:
    """Taken and seen in the inbox, however long that took."""
    assert result({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_MILLISECONDS: 20000}) is Result.HOLDS


def test_it_fails_where_the_server_did_not_take_it() -> None:
    """A refusal after the sign-in is not ready."""
    assert result({v.ROUNDTRIP_SENT: False, v.ROUNDTRIP_MILLISECONDS: Why.NOT_APPLICABLE}) is Result.FAILS


def test_it_is_unknown_while_the_message_may_still_come() -> None:
    """Not seen in time says nothing of later; nor does a round trip that was not begun."""
    assert result({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_MILLISECONDS: Why.TIMED_OUT}) is Result.UNKNOWN
    assert result({v.ROUNDTRIP_SENT: Why.THROTTLED, v.ROUNDTRIP_MILLISECONDS: Why.THROTTLED}) is Result.UNKNOWN


def test_it_does_not_apply_where_no_message_may_be_sent() -> None:
    """Where sending is not allowed, or mail moves by EWS, nothing is asked."""
    assert result({}, {v.DEPLOYMENT_ALLOWS: ("logs-in",)}) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(deployment=ALLOWED)) is Result.NOT_APPLICABLE
