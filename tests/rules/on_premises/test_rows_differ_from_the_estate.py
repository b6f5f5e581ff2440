"""Dynamics' records that say otherwise than the estate."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result, judge
from probe.rules.on_premises.rows_differ_from_the_estate import RULE
from tests.cases import Known, exchange_case, result_of

DIFFERS: Known = {v.DYNAMICS_DIFFERS: ("incoming port: the estate has 995, Dynamics has 110",)}


def test_it_holds_where_nothing_differs() -> None:
    """What was compared, and is the same."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_DIFFERS: ()})) is Result.HOLDS


def test_it_fails_where_something_differs_and_decides_no_readiness() -> None:
    """What was looked at may yet work."""
    found = judge(RULE, exchange_case(mailbox=DIFFERS))
    assert (found.result, found.directions) == (Result.FAILS, {})


@pytest.mark.parametrize("known", [{}, {**DIFFERS, v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}])
def test_it_does_not_apply_where_nothing_was_compared_or_nothing_is_served(known: Known) -> None:
    """An estate need not say where Dynamics is."""
    assert result_of(RULE, exchange_case(mailbox=known)) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_the_estate_has_changed_since() -> None:
    """What was compared with another estate tells nothing of this one."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_DIFFERS: Why.STALE})) is Result.UNKNOWN
