"""Exchange Online after the end of EWS."""

from __future__ import annotations

from datetime import date

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.exchange_online_ews_ended import RULE
from tests.cases import Known, exchange_case, gmail_case, online_case, result_of

END = date(2027, 4, 1)


def test_it_fails_from_the_day_on() -> None:
    """From 2027-04-01 no mailbox in Exchange Online is ready."""
    assert result_of(RULE, online_case(on=END)) is Result.FAILS


def test_it_does_not_apply_before_that_day_or_on_premises() -> None:
    """Before that day, and on an Exchange Server, nothing has ended."""
    assert result_of(RULE, online_case(on=date(2027, 3, 31))) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(on=END)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(on=END)) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_the_product_does_not_show() -> None:
    """An Exchange that cannot be told may be Exchange Online, unless it offers what Exchange Online does not."""
    hidden: Known = {v.SERVER_PRODUCT: "Exchange", v.AUTH_SCHEMES: ("Basic",)}
    assert result_of(RULE, exchange_case(on=END, endpoint=hidden)) is Result.UNKNOWN
    for scheme in ("NTLM", "negotiate"):
        assert result_of(RULE, exchange_case(on=END, endpoint={**hidden, v.AUTH_SCHEMES: ("Basic", scheme)})) is Result.NOT_APPLICABLE


def test_under_its_own_name_exchange_online_is_what_it_is_whatever_is_offered() -> None:
    """A proxy that adds a scheme of Windows' to Exchange Online's answers makes no Exchange Server of it."""
    endpoint: Known = {v.ENDPOINT_HOST: "outlook.office365.com", v.AUTH_SCHEMES: ("Bearer", "NTLM")}
    assert result_of(RULE, online_case(on=END, endpoint=endpoint)) is Result.FAILS
