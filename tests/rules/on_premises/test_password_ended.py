"""A password that has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Case, Otherwise, Result
from probe.rules.on_premises.password_ended import RULE
from tests.cases import DAY, exchange_case, result_of


def after(days: int) -> Case:
    """A mailbox whose profile has a password that ends so many days after the day of judgement."""
    return exchange_case(profile={v.PROFILE_PASSWORD_ENDS: DAY + timedelta(days=days)})


@pytest.mark.parametrize("days", [1, 400])
def test_it_holds_before_the_end(days: int) -> None:
    """A password whose end is still to come has not ended."""
    assert result_of(RULE, after(days)) is Result.HOLDS


@pytest.mark.parametrize("days", [0, -1, -100])
def test_it_fails_from_the_day_of_the_end_on(days: int) -> None:
    """On the day of its end, and later, a password has ended; it is advice, since only a sign-in shows whether it still works."""
    assert result_of(RULE, after(days)) is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


def test_it_does_not_apply_where_the_estate_does_not_say() -> None:
    """Where the operator declares no end, nothing is advised."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved, profile={v.PROFILE_PASSWORD_ENDS: DAY})) is Result.NOT_APPLICABLE
