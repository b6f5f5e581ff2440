"""Exchange Server 2003 and 2007."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.exchange_2003_or_2007 import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_for_other_products() -> None:
    """A newer Exchange and any other product are not what the statement excludes."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case()) is Result.HOLDS


@pytest.mark.parametrize("product", ["Exchange Server 2003", "Exchange Server 2007"])
def test_it_fails_for_both_whatever_they_speak(product: str) -> None:
    """Exchange Server 2003 and 2007 are not supported, over EWS, POP3 or SMTP."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.FAILS
    assert result_of(RULE, gmail_case(outgoing={v.SERVER_PRODUCT: product})) is Result.FAILS


@pytest.mark.parametrize("product", ["Exchange", Why.TIMED_OUT])
def test_it_is_unknown_where_the_version_does_not_show(product: str | Why) -> None:
    """An Exchange that cannot be told may be one of them."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.UNKNOWN


def test_a_product_that_shows_is_all_that_is_cited() -> None:
    """The builds that it was told by are not told beside it."""
    case = exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange Server 2007", v.SERVER_PRODUCTS: ("Exchange Server 2007",)})
    assert {reading.key for reading in RULE.holds(case).because} == {v.SERVER_PRODUCT}


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("shown", "result"),
    [(("Exchange Server 2016", "Exchange Server 2019"), Result.HOLDS), (("Exchange Server 2007", "Exchange Server 2010"), Result.UNKNOWN)],
)
def test_of_servers_of_one_name_none_may_be_one_of_them(shown: tuple[str, ...], result: Result) -> None:
    """Where one of several servers behind a name is excluded, it is not known which serves the mailbox."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange", v.SERVER_PRODUCTS: shown})) is result
