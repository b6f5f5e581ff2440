"""No EWS at the address."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.ews_endpoint_missing import RULE
from tests.cases import exchange_case, gmail_case, result_of

ALLOWED = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


@pytest.mark.parametrize("product", ["Exchange Server 2016", "Exchange Online", "Exchange"])
def test_it_holds_where_exchange_asks_who_calls(product: str) -> None:
    """A 401 of some Exchange shows that EWS is there."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.HOLDS


@pytest.mark.parametrize("product", [Why.NOT_DISCLOSED, "a product that imitates Exchange"])
def test_a_web_server_that_asks_for_a_password_need_not_have_ews(product: str | Why) -> None:
    """A 401 of what does not show itself as Exchange decides nothing, until EWS has answered somebody who signed in."""
    unknown = {v.SERVER_PRODUCT: product}
    assert result_of(RULE, exchange_case(endpoint=unknown)) is Result.UNKNOWN
    assert result_of(RULE, exchange_case(deployment=ALLOWED, endpoint={**unknown, v.EWS_INBOX: Why.DENIED})) is Result.UNKNOWN
    for answer in ("found", "ErrorNonExistentMailbox"):
        assert result_of(RULE, exchange_case(deployment=ALLOWED, endpoint={**unknown, v.EWS_INBOX: answer})) is Result.HOLDS


@pytest.mark.parametrize("status", [404, 405, 410])
def test_it_fails_where_nothing_is_served(status: int) -> None:
    """An answer that nothing is there, or takes no POST, is not ready."""
    assert result_of(RULE, exchange_case(outgoing={v.HTTP_STATUS: status})) is Result.FAILS


@pytest.mark.parametrize("status", [200, 302, 403, 500, 503, Why.TIMED_OUT])
def test_it_is_unknown_for_answers_that_may_pass_or_come_from_before_exchange(status: int | Why) -> None:
    """Busy servers, redirects and refusals decide nothing."""
    assert result_of(RULE, exchange_case(endpoint={v.HTTP_STATUS: status})) is Result.UNKNOWN


def test_it_does_not_apply_to_pop3_and_smtp() -> None:
    """Mail servers have no EWS address."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
