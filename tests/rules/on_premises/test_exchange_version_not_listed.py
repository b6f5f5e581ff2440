"""Row 1 of the table, for mail."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.exchange_version_not_listed import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


@pytest.mark.parametrize(
    "product", ["Exchange Online", "Exchange Server 2010", "Exchange Server 2013", "Exchange Server 2016", "Exchange Server 2019"]
)
def test_it_holds_for_each_version_of_the_row(product: str) -> None:
    """Each Exchange that the row names is listed for mail."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.HOLDS


@pytest.mark.parametrize("product", ["Exchange Server SE", "Exchange Server 2007", "Exchange 2000 Server", "grommunio"])
def test_it_fails_for_every_other_product(product: str) -> None:
    """What answers at EWS and is not in the row is not listed."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.FAILS


def test_both_directions_must_be_listed() -> None:
    """One endpoint of another version is enough to be not listed."""
    assert result_of(RULE, exchange_case(outgoing={v.SERVER_PRODUCT: "Exchange Server SE"})) is Result.FAILS


@pytest.mark.parametrize("product", ["Exchange", "Exchange Server", Why.NOT_DISCLOSED])
def test_it_is_unknown_where_the_version_does_not_show(product: str | Why) -> None:
    """An Exchange that cannot be told, or a silent server, leaves it open."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: product})) is Result.UNKNOWN


def test_a_direction_that_is_not_served_does_not_count() -> None:
    """What stands behind the outgoing endpoint does not matter to a mailbox that sends nothing through it."""
    case = exchange_case(mailbox={v.MAILBOX_OUTGOING: "none"}, outgoing={v.SERVER_PRODUCT: "Exchange Server SE"})
    assert result_of(RULE, case) is Result.HOLDS


def test_it_does_not_apply_to_pop3_and_smtp() -> None:
    """The row says nothing of mailboxes under POP3/SMTP."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE


def test_it_does_not_apply_where_only_appointments_are_served() -> None:
    """The mail column says nothing of a mailbox whose mail is not synchronized."""
    case = exchange_case(mailbox={v.MAILBOX_INCOMING: "forward", v.MAILBOX_OUTGOING: "outlook"})
    assert result_of(RULE, case) is Result.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("shown", "result"),
    [
        (("Exchange Server 2016", "Exchange Server 2019"), Result.HOLDS),
        (("Exchange Server 2013", "Exchange Online"), Result.HOLDS),
        (("Exchange Server 2019", "Exchange Server SE"), Result.UNKNOWN),
        (("Exchange Server 2007", "Exchange Server 2010"), Result.UNKNOWN),
    ],
)
def test_servers_of_one_name_are_listed_where_each_is(shown: tuple[str, ...], result: Result) -> None:
    """Two products behind one name are listed where both are; where one is not, which serves the mailbox is not known."""
    assert result_of(RULE, exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange", v.SERVER_PRODUCTS: shown})) is result


def test_what_is_shown_does_not_count_beside_a_product_that_is_known() -> None:
    """A product that shows decides by itself."""
    endpoint: Known = {v.SERVER_PRODUCT: "Exchange Server SE", v.SERVER_PRODUCTS: ("Exchange Server 2016",)}
    assert result_of(RULE, exchange_case(endpoint=endpoint)) is Result.FAILS
