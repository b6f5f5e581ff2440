"""Mass mailings."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.mass_email_campaigns import RULE
from tests.cases import exchange_case, result_of


def test_it_holds_where_there_are_none() -> None:
    """A deployment without mass mailings keeps to the statement."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS


def test_it_fails_where_there_are() -> None:
    """Mass mailings through server-side synchronization are not supported."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_MASS_EMAIL: True})) is Result.FAILS


def test_it_is_unknown_where_nobody_answered() -> None:
    """What no wire can show and nobody said is unknown."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_MASS_EMAIL: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_sends_nothing() -> None:
    """A mailbox that does not send through server-side synchronization sends no mass mail."""
    case = exchange_case(deployment={v.DEPLOYMENT_MASS_EMAIL: True}, mailbox={v.MAILBOX_OUTGOING: "outlook"})
    assert result_of(RULE, case) is Result.NOT_APPLICABLE
