"""Dynamics' own records that could not be read."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result, judge
from probe.rules.on_premises.dynamics_records_not_read import RULE
from tests.cases import Known, exchange_case, result_of

READ: Known = {v.DYNAMICS_ORGANIZATION_ID: "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11"}


def test_it_holds_where_they_were_read() -> None:
    """An organization that was read is known by its id."""
    assert result_of(RULE, exchange_case(deployment=READ)) is Result.HOLDS


def test_it_is_unknown_where_they_could_not_be_read_and_decides_no_readiness() -> None:
    """The reason is cited, as advice."""
    found = judge(RULE, exchange_case(deployment={v.DYNAMICS_ORGANIZATION_ID: Why.DENIED}))
    assert found.result is Result.UNKNOWN
    assert found.directions == {}
    assert [reading.subject for reading in found.because] == ["deployment"]


def test_it_does_not_apply_where_nobody_asked() -> None:
    """An estate need not say where Dynamics is."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    unserved: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(deployment=READ, mailbox=unserved)) is Result.NOT_APPLICABLE
