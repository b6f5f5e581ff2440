"""A password that ends soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Case, Otherwise, Result
from probe.rules.on_premises.password_ends_soon import RULE
from tests.cases import DAY, exchange_case, result_of


def after(days: int) -> Case:
    """A mailbox whose profile has a password that ends so many days after the day of judgement."""
    return exchange_case(profile={v.PROFILE_PASSWORD_ENDS: DAY + timedelta(days=days)})


@pytest.mark.parametrize("days", [30, 400])
def test_it_holds_with_a_month_or_more_left(days: int) -> None:
    """A password with 30 days or more is in order."""
    assert result_of(RULE, after(days)) is Result.HOLDS


@pytest.mark.parametrize("days", [1, 29])
def test_it_fails_with_less_than_a_month_left(days: int) -> None:
    """A password that ends within 30 days is advised to be changed."""
    assert result_of(RULE, after(days)) is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


@pytest.mark.parametrize("days", [0, -100])
def test_one_that_has_ended_is_told_once_by_the_other_rule(days: int) -> None:
    """A password that has ended does not end soon."""
    assert result_of(RULE, after(days)) is Result.HOLDS


def test_it_does_not_apply_where_the_estate_does_not_say() -> None:
    """Where the operator declares no end, nothing is advised."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved, profile={v.PROFILE_PASSWORD_ENDS: DAY})) is Result.NOT_APPLICABLE
