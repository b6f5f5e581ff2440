"""Autodiscover that leads elsewhere."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.ews_url_of_another_server import RULE
from tests.cases import Known, exchange_case, result_of

FOUND: Known = {v.PROFILE_AUTODISCOVER: True}


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://MAIL.contoso.test/ews/exchange.asmx", Result.HOLDS),
        ("https://mail.contoso.test:443/EWS/Exchange.asmx", Result.HOLDS),
        ("https://old.contoso.test/EWS/Exchange.asmx", Result.FAILS),
        ("no URL", Result.FAILS),
        (Why.NOT_DISCLOSED, Result.UNKNOWN),
        (Why.NOT_APPLICABLE, Result.NOT_APPLICABLE),
    ],
)
def test_what_autodiscover_found_is_the_endpoint_of_the_estate(url: object, result: Result) -> None:
    """Host, port and path are compared, letters large or small."""
    assert result_of(RULE, exchange_case(profile=FOUND, mailbox={v.DYNAMICS_EWS_URL: url})) is result


def test_it_does_not_apply_where_autodiscover_is_off() -> None:
    """An old URL stays in the record, and counts no more."""
    assert result_of(RULE, exchange_case(mailbox={v.DYNAMICS_EWS_URL: "https://old.contoso.test/"})) is Result.NOT_APPLICABLE
