"""EWS closed by policy."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.ews_blocked_by_policy import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


@pytest.mark.parametrize("status", [401, 404, 503])
def test_it_holds_where_the_answer_is_no_refusal_by_policy(status: int) -> None:
    """An answer other than 403 cannot carry the policy's word."""
    assert result_of(RULE, online_case(endpoint={v.HTTP_STATUS: status})) is Result.HOLDS


@pytest.mark.parametrize("block", ["disabled", "blocked-by-policy"])
def test_it_fails_where_the_policy_says_so(block: str) -> None:
    """A 403 with the policy's word is not ready."""
    assert result_of(RULE, online_case(endpoint={v.HTTP_STATUS: 403, v.EWS_POLICY_BLOCK: block})) is Result.FAILS


def test_it_is_unknown_for_a_403_without_a_word() -> None:
    """A 403 without the policy's word may have another cause."""
    assert result_of(RULE, online_case(endpoint={v.HTTP_STATUS: 403, v.EWS_POLICY_BLOCK: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_where_logins_are_allowed_an_answer_of_ews_is_awaited() -> None:
    """With logins allowed it holds once EWS itself answered, and is open until then."""
    assert result_of(RULE, exchange_case(deployment=WITH_LOGIN, endpoint={v.EWS_INBOX: "found"})) is Result.HOLDS
    assert result_of(RULE, exchange_case(deployment=WITH_LOGIN)) is Result.UNKNOWN
    assert result_of(RULE, exchange_case(deployment=WITH_LOGIN, endpoint={v.EWS_POLICY_BLOCK: "disabled"})) is Result.UNKNOWN


def test_it_does_not_apply_to_pop3_and_smtp() -> None:
    """Mail servers know no EWS policy."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
