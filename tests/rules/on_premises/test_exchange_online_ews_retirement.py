"""Exchange Online before the end of EWS."""

from __future__ import annotations

from datetime import date

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.exchange_online_ews_retirement import RULE
from tests.cases import exchange_case, online_case, result_of


def test_it_warns_until_the_end() -> None:
    """Until 2027-04-01 every mailbox in Exchange Online is warned of the end of EWS."""
    assert result_of(RULE, online_case()) is Result.FAILS
    assert result_of(RULE, online_case(on=date(2027, 3, 31))) is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


def test_it_does_not_apply_after_the_end_or_on_premises() -> None:
    """Once EWS has ended another rule says so, and an Exchange Server is not affected."""
    assert result_of(RULE, online_case(on=date(2027, 4, 1))) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_the_product_does_not_show() -> None:
    """An Exchange that cannot be told may be Exchange Online."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: Why.TIMED_OUT, v.AUTH_SCHEMES: Why.TIMED_OUT})) is Result.UNKNOWN


def test_it_tells_both_dates() -> None:
    """The statement names the phase that has begun and the end."""
    assert "2026-10-01" in RULE.statement
    assert "2027-04-01" in RULE.statement
