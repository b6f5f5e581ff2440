"""A mailbox of the estate that Dynamics does not have."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result, judge
from probe.rules.on_premises.mailbox_without_row import RULE
from tests.cases import Known, exchange_case, result_of

GONE: Known = {v.DYNAMICS_FOUND: False}


def test_it_fails_where_there_is_none_and_decides_no_readiness() -> None:
    """The mail servers may serve it all the same."""
    found = judge(RULE, exchange_case(mailbox=GONE))
    assert (found.result, found.directions) == (Result.FAILS, {})


def test_it_holds_where_there_is_one() -> None:
    """A row that was found."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_FOUND: True})) is Result.HOLDS


@pytest.mark.parametrize("known", [{}, {**GONE, v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}])
def test_it_does_not_apply_where_nobody_looked_or_nothing_is_served(known: Known) -> None:
    """An estate need not say where Dynamics is."""
    assert result_of(RULE, exchange_case(mailbox=known)) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_it_is_not_known_any_more() -> None:
    """As where the estate has another id for the mailbox by now."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_FOUND: Why.STALE})) is Result.UNKNOWN
