"""Row 1 of the table, for appointments, contacts and tasks."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.exchange_version_not_listed_for_appointments import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


def test_it_holds_for_a_listed_version() -> None:
    """Appointments through a listed Exchange are listed."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS


def test_it_fails_for_exchange_se() -> None:
    """Appointments through Exchange Server SE are not listed."""
    assert result_of(RULE, exchange_case(incoming={v.SERVER_PRODUCT: "Exchange Server SE"})) is Result.FAILS


def test_it_is_unknown_where_the_version_does_not_show() -> None:
    """An Exchange that cannot be told leaves it open."""
    assert result_of(RULE, exchange_case(incoming={v.SERVER_PRODUCT: "Exchange"})) is Result.UNKNOWN


@pytest.mark.parametrize("way", ["none", "outlook"])
def test_it_does_not_apply_where_appointments_are_not_synchronized(way: str) -> None:
    """The column says nothing of a mailbox whose appointments go another way or none."""
    assert result_of(RULE, exchange_case(mailbox={v.MAILBOX_APPOINTMENTS: way})) is Result.NOT_APPLICABLE


def test_it_does_not_apply_to_pop3() -> None:
    """The row says nothing of appointments over POP3, which another row excludes."""
    assert result_of(RULE, gmail_case(mailbox={v.MAILBOX_APPOINTMENTS: "server-side"})) is Result.NOT_APPLICABLE


def test_servers_of_one_name_are_listed_where_each_is() -> None:
    """Two products behind one name are listed where both are."""
    both: Known = {v.SERVER_PRODUCT: "Exchange", v.SERVER_PRODUCTS: ("Exchange Server 2016", "Exchange Server 2019")}
    assert result_of(RULE, exchange_case(endpoint=both)) is Result.HOLDS
    one: Known = {**both, v.SERVER_PRODUCTS: ("Exchange Server 2019", "Exchange Server SE")}
    assert result_of(RULE, exchange_case(endpoint=one)) is Result.UNKNOWN
