"""An Exchange Server out of support."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.end_of_support import RULE
from tests.cases import DAY, Known, exchange_case, gmail_case, online_case, result_of


def test_it_holds_through_the_last_day() -> None:
    """A product is supported up to and on its last day."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_END_OF_SUPPORT: DAY})) is Result.HOLDS


def test_it_fails_after_the_last_day() -> None:
    """Every listed Exchange Server has reached its end of support by now."""
    assert result_of(RULE, exchange_case()) is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


def test_it_holds_for_exchange_online() -> None:
    """A service has no end of support of its own."""
    assert result_of(RULE, online_case()) is Result.HOLDS


def test_it_is_unknown_where_the_product_does_not_show() -> None:
    """An Exchange that cannot be told has an end of support that is not known."""
    unknown: Known = {v.SERVER_PRODUCT: "Exchange", v.SERVER_END_OF_SUPPORT: Why.NOT_DISCLOSED}
    assert result_of(RULE, exchange_case(endpoint=unknown)) is Result.UNKNOWN


def test_it_does_not_apply_to_pop3_and_smtp() -> None:
    """The life of other mail servers is not followed."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE


def test_its_statement_tells_the_days_of_the_table() -> None:
    """Versions whose support ended on one day are told together, and each has a day."""
    assert RULE.statement.endswith("Support ended for 2010 on 2020-10-13, for 2013 on 2023-04-11, for 2016 and 2019 on 2025-10-14.")
