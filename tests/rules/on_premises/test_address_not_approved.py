"""A mailbox whose address is not approved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.address_not_approved import RULE
from tests.cases import NOON, Known, exchange_case, online_case, result_of

UNSERVED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}


def test_it_holds_where_it_is_approved() -> None:
    """An approved address is processed."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_APPROVED: True})) is Result.HOLDS


def test_it_fails_where_it_is_not() -> None:
    """An address that nobody approved is not processed."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_APPROVED: False})) is Result.FAILS


ALL_ON: Known = {
    v.DYNAMICS_APPROVED: False,
    v.DYNAMICS_ENABLED: (("incoming", True), ("outgoing", True), ("appointments", True)),
    v.DYNAMICS_STATUS: (("incoming", "success"), ("outgoing", "success"), ("appointments", "success")),
    v.DYNAMICS_LAST_SUCCESS: NOON - timedelta(hours=3),
}
ONE_OFF = (("incoming", True), ("outgoing", False), ("appointments", True))


def test_it_is_unknown_where_dynamics_processes_it_all_the_same() -> None:
    """An organization may process addresses that are not approved; that shows where the mailbox was synchronized lately in every direction."""
    assert result_of(RULE, exchange_case(mailbox=ALL_ON)) is Result.UNKNOWN


@pytest.mark.parametrize(
    "changed",
    [
        {v.DYNAMICS_ENABLED: ONE_OFF},
        {v.DYNAMICS_STATUS: (("incoming", "not-run"), ("outgoing", "success"), ("appointments", "success"))},
        {v.DYNAMICS_LAST_SUCCESS: NOON - timedelta(days=3)},
    ],
)
def test_it_fails_where_the_mailbox_is_not_processed(changed: Known) -> None:
    """Not enabled, not tested, or not synchronized for days: nothing speaks against it."""
    assert result_of(RULE, exchange_case(mailbox={**ALL_ON, **changed})) is Result.FAILS


def test_a_direction_that_is_processed_is_not_told_as_not_ready() -> None:
    """Where one direction is off, that one fails alone."""
    found = judge(RULE, exchange_case(mailbox={**ALL_ON, v.DYNAMICS_ENABLED: ONE_OFF}))
    failing = {direction for direction, result in found.directions.items() if result is Result.FAILS}
    assert failing == {Direction.OUTGOING}


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
