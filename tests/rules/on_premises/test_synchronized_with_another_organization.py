"""A mailbox that another organization synchronizes."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.synchronized_with_another_organization import RULE
from tests.cases import Known, exchange_case, result_of


def test_it_holds_for_this_organization() -> None:
    """Where this organization is the primary one, appointments are its own."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_ORGANIZATION: "this"})) is Result.HOLDS


def test_it_fails_for_another_one_in_appointments_alone() -> None:
    """Mail is processed by each organization for itself."""
    found = judge(RULE, exchange_case(mailbox={v.DYNAMICS_ORGANIZATION: "other"}))
    assert found.result is Result.FAILS
    failing = {direction for direction, result in found.directions.items() if result is Result.FAILS}
    assert failing == {Direction.APPOINTMENTS}


@pytest.mark.parametrize("known", [{}, {v.DYNAMICS_ORGANIZATION: "other", v.MAILBOX_APPOINTMENTS: "none"}])
def test_it_does_not_apply_where_nobody_says_or_appointments_are_off(known: Known) -> None:
    """Without a word of Dynamics, and without appointments, there is nothing to say."""
    assert result_of(RULE, exchange_case(mailbox=known)) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_dynamics_does_not_disclose_it() -> None:
    """What was asked, and not told, decides nothing."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_ORGANIZATION: Why.NOT_DISCLOSED})) is Result.UNKNOWN
