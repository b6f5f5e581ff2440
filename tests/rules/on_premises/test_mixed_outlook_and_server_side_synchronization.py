"""Two ways of synchronizing appointments in one organization."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.mixed_outlook_and_server_side_synchronization import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_for_one_way() -> None:
    """An organization that synchronizes appointments in one way follows the advice."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS


def test_it_fails_for_two_ways() -> None:
    """Outlook for some and server-side synchronization for others goes against the advice."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_APPOINTMENT_WAYS: ("outlook", "server-side")})) is Result.FAILS


def test_it_is_unknown_where_the_estate_was_not_looked_at() -> None:
    """Without the other mailboxes nothing is said."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_APPOINTMENT_WAYS: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_without_appointments() -> None:
    """A mailbox whose appointments are not synchronized mixes nothing."""
    assert result_of(RULE, gmail_case(deployment={v.DEPLOYMENT_APPOINTMENT_WAYS: ("outlook", "server-side")})) is Result.NOT_APPLICABLE


def test_it_is_advice() -> None:
    """The page recommends against the mixture, and does not call it unsupported."""
    assert RULE.otherwise is Otherwise.ADVICE
