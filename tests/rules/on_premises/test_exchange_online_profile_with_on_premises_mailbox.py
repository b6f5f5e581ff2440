"""An Exchange Online profile for a mailbox on-premises."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.exchange_online_profile_with_on_premises_mailbox import RULE
from tests.cases import exchange_case, online_case, result_of


@pytest.mark.parametrize("location", ["exchange-online", "elsewhere"])
def test_it_holds_for_mailboxes_that_are_not_on_premises(location: str) -> None:
    """A mailbox that lives online, or elsewhere, is not what the statement excludes."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: location})) is Result.HOLDS


def test_it_fails_for_a_mailbox_on_premises_and_names_the_hybrid_profile() -> None:
    """A mailbox on-premises needs the Exchange Server (Hybrid) profile."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: "on-premises"})) is Result.FAILS
    assert "Exchange Server (Hybrid)" in RULE.remedy


def test_it_is_unknown_where_the_location_is() -> None:
    """A mailbox that may live anywhere leaves it open."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_it_does_not_apply_to_other_profiles() -> None:
    """An Exchange Server profile may serve a mailbox on-premises."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
