"""A mailbox that an error has disabled."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.kinds import Flags, Outcomes
from probe.model.rules import Result, judge
from probe.rules.on_premises.disabled_by_an_error import RULE
from tests.cases import Known, exchange_case, result_of

ON: Flags = (("incoming", True), ("outgoing", True), ("appointments", True))
OFF: Flags = (("incoming", True), ("outgoing", False), ("appointments", True))
SUCCESS: Outcomes = (("incoming", "success"), ("outgoing", "success"), ("appointments", "success"))
FAILURE: Outcomes = (("incoming", "success"), ("outgoing", "failure"), ("appointments", "success"))
NOT_RUN: Outcomes = (("incoming", "success"), ("outgoing", "not-run"), ("appointments", "success"))


@pytest.mark.parametrize(
    ("enabled", "status", "result"),
    [
        (ON, SUCCESS, Result.HOLDS),
        (ON, FAILURE, Result.HOLDS),
        (OFF, NOT_RUN, Result.HOLDS),
        (OFF, FAILURE, Result.FAILS),
        (OFF, Why.NOT_DISCLOSED, Result.UNKNOWN),
        (Why.NOT_ATTEMPTED, FAILURE, Result.NOT_APPLICABLE),
    ],
)
def test_it_fails_where_a_direction_is_off_after_a_failure(enabled: object, status: object, result: Result) -> None:
    """What was never tested, and what goes on after a failure, is not disabled by one."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_ENABLED: enabled, v.DYNAMICS_STATUS: status})) is result


def test_the_last_error_is_cited_where_there_is_one() -> None:
    """Whoever reads the finding sees Dynamics' own words; without any it fails all the same."""
    mailbox: Known = {v.DYNAMICS_ENABLED: OFF, v.DYNAMICS_STATUS: FAILURE, v.DYNAMICS_LAST_ERROR: "Http server returned 401"}
    found = judge(RULE, exchange_case(mailbox=mailbox))
    assert v.DYNAMICS_LAST_ERROR in {reading.key for reading in found.because}


def test_a_direction_that_is_not_served_does_not_count() -> None:
    """Dynamics switches off what nobody uses, too."""
    mailbox: Known = {v.MAILBOX_OUTGOING: "none", v.DYNAMICS_ENABLED: OFF, v.DYNAMICS_STATUS: FAILURE}
    assert result_of(RULE, exchange_case(mailbox=mailbox)) is Result.HOLDS
