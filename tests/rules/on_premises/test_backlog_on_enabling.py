"""Old mail that would be pulled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.backlog_on_enabling import RULE
from tests.cases import Known, exchange_case, result_of

ON = (("incoming", True), ("outgoing", True), ("appointments", True))
OFF = (("incoming", False), ("outgoing", True), ("appointments", True))
OLD, RECENT = datetime(2019, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("enabled", "since", "result"),
    [
        (OFF, OLD, Result.FAILS),
        (OFF, RECENT, Result.HOLDS),
        (ON, OLD, Result.HOLDS),
        (Why.NOT_DISCLOSED, OLD, Result.UNKNOWN),
        (OFF, Why.NOT_DISCLOSED, Result.UNKNOWN),
        (OFF, Why.NOT_APPLICABLE, Result.NOT_APPLICABLE),
        (Why.NOT_ATTEMPTED, OLD, Result.NOT_APPLICABLE),
    ],
)
def test_old_mail_counts_where_incoming_mail_is_to_be_enabled(enabled: object, since: object, result: Result) -> None:
    """A mailbox that is enabled has pulled what there was; one that is not pulls it all once it is."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_ENABLED: enabled, v.DYNAMICS_PROCESSES_MAIL_SINCE: since})) is result


def test_it_does_not_apply_where_no_mail_comes_in() -> None:
    """Without incoming mail nothing is pulled."""
    mailbox: Known = {v.MAILBOX_INCOMING: "none", v.DYNAMICS_ENABLED: OFF, v.DYNAMICS_PROCESSES_MAIL_SINCE: OLD}
    assert result_of(RULE, exchange_case(mailbox=mailbox)) is Result.NOT_APPLICABLE
