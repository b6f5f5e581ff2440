"""A port that no server can have."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.port_out_of_range import RULE
from tests.cases import Known, gmail_case, result_of


@pytest.mark.parametrize(("port", "result"), [(0, Result.FAILS), (1, Result.HOLDS), (65535, Result.HOLDS), (65536, Result.FAILS)])
@pytest.mark.parametrize("key", [v.DYNAMICS_INCOMING_PORT, v.DYNAMICS_OUTGOING_PORT])
def test_a_port_lies_between_1_and_65535(key: FactKey[int], port: int, result: Result) -> None:
    """Dynamics takes 0 and 65536, and no server can have them."""
    ports: Known = {v.DYNAMICS_INCOMING_PORT: 995, v.DYNAMICS_OUTGOING_PORT: 587}
    assert result_of(RULE, gmail_case(profile={**ports, key: port})) is result


def test_the_port_of_an_endpoint_that_is_not_used_does_not_count() -> None:
    """Of a mailbox that is only collected, the incoming port counts; only that direction fails for it."""
    ports: Known = {v.DYNAMICS_INCOMING_PORT: 995, v.DYNAMICS_OUTGOING_PORT: 0}
    assert result_of(RULE, gmail_case(profile=ports, mailbox={v.MAILBOX_OUTGOING: "none"})) is Result.HOLDS
    found = judge(RULE, gmail_case(profile=ports)).directions
    assert found == {Direction.INCOMING: Result.HOLDS, Direction.OUTGOING: Result.FAILS}


def test_it_does_not_apply_where_there_is_no_port() -> None:
    """A profile of Exchange has URLs, and a record that was not read says nothing."""
    urls: Known = {v.DYNAMICS_INCOMING_PORT: Why.NOT_APPLICABLE, v.DYNAMICS_OUTGOING_PORT: Why.NOT_APPLICABLE}
    assert result_of(RULE, gmail_case(profile=urls)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_a_port_is_not_disclosed() -> None:
    """What was asked, and not told, decides nothing."""
    assert result_of(RULE, gmail_case(profile={v.DYNAMICS_INCOMING_PORT: Why.NOT_DISCLOSED})) is Result.UNKNOWN
