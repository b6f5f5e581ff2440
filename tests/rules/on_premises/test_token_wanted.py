"""A server that takes tokens only."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.token_wanted import RULE
from tests.cases import exchange_case, gmail_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


@pytest.mark.parametrize("causes", [(), ("bad-credentials",), ("account-locked", "throttled")])
def test_it_holds_for_a_login_that_was_taken_or_refused_for_another_cause(causes: tuple[str, ...]) -> None:
    """A refusal for another cause is another rule's matter."""
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN, endpoint={v.AUTH_REFUSAL: causes})) is Result.HOLDS


def test_it_fails_where_the_server_says_so() -> None:
    """A refusal that can mean nothing else, at one of the endpoints, is not ready."""
    refused = {v.AUTH_REFUSAL: ("oauth-required",)}
    case = gmail_case(deployment=WITH_LOGIN, endpoint={v.AUTH_REFUSAL: ()}, outgoing=refused)
    assert result_of(RULE, case) is Result.FAILS


def test_it_is_unknown_where_the_words_fit_other_causes_too() -> None:
    """Words that fit a wrong password as well decide nothing, nor does a login that did not come about."""
    for told in (("bad-credentials", "oauth-required"), Why.UNTRUSTED_PEER):
        assert result_of(RULE, gmail_case(deployment=WITH_LOGIN, endpoint={v.AUTH_REFUSAL: told})) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, nothing is asked of one."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
