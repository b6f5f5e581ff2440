"""A mailbox whose address is not approved."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.address_not_approved import RULE
from tests.cases import Known, exchange_case, online_case, result_of

UNSERVED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}


def test_it_holds_where_it_is_approved() -> None:
    """An approved address is processed."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_APPROVED: True})) is Result.HOLDS


def test_it_fails_where_it_is_not() -> None:
    """An address that nobody approved is not processed."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_APPROVED: False})) is Result.FAILS


def test_it_does_not_apply_where_dynamics_was_not_read_or_nothing_is_served() -> None:
    """Without Dynamics' records there is nothing to say, and of a mailbox that is not served neither."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    unserved = exchange_case(mailbox={**UNSERVED, v.DYNAMICS_APPROVED: False})
    assert result_of(RULE, unserved) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_dynamics_does_not_disclose_it() -> None:
    """What was asked, and not told, decides nothing."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_APPROVED: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_exchange_online_wants_the_administrator_of_office_365_too() -> None:
    """For an Exchange Online profile the approval of Dynamics alone does not do; elsewhere nobody asks for the other one."""
    half: Known = {v.DYNAMICS_APPROVED: True, v.DYNAMICS_APPROVED_BY_OFFICE_365: False}
    assert result_of(RULE, online_case(mailbox=half)) is Result.FAILS
    assert result_of(RULE, exchange_case(mailbox=half)) is Result.HOLDS
    assert result_of(RULE, online_case(mailbox={**half, v.DYNAMICS_APPROVED_BY_OFFICE_365: True})) is Result.HOLDS
    assert result_of(RULE, online_case(mailbox={v.DYNAMICS_APPROVED: True})) is Result.HOLDS
