"""Exchange Online after the end of support."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.exchange_online_after_end_of_support import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of


@pytest.mark.parametrize(("on", "result"), [(date(2027, 3, 31), Result.NOT_APPLICABLE), (date(2027, 4, 1), Result.FAILS)])
def test_it_is_unsupported_from_the_day_that_microsoft_names(on: date, result: Result) -> None:
    """Until then the table of supported systems lists it."""
    assert result_of(RULE, online_case(on=on)) is result
    assert RULE.otherwise is Otherwise.UNSUPPORTED


def test_it_does_not_speak_of_servers_of_ones_own() -> None:
    """An Exchange Server, one that hides behind NTLM too, and mail protocols go on."""
    end = date(2027, 4, 1)
    assert result_of(RULE, exchange_case(on=end)) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(on=end, endpoint={v.SERVER_PRODUCT: "Exchange"})) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(on=end)) is Result.NOT_APPLICABLE
