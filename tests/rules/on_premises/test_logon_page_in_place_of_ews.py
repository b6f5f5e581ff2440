"""A log-on page where EWS should be."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.logon_page_in_place_of_ews import RULE
from tests.cases import exchange_case, gmail_case, result_of

PAGE = {v.EWS_LOGON_PAGE: "https://sts.contoso.test/adfs/ls/?version=1.0"}


def test_it_fails_where_a_request_is_led_to_a_page_and_names_it() -> None:
    """Dynamics gets no further than a form; the page is what is cited."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, exchange_case(endpoint=PAGE)) is Result.FAILS
    assert PAGE[v.EWS_LOGON_PAGE] in [getattr(reading, "value", None) for reading in RULE.holds(exchange_case(endpoint=PAGE)).because]


@pytest.mark.parametrize(
    ("outgoing", "appointments", "result"),
    [("server-side", "none", Result.FAILS), ("none", "server-side", Result.HOLDS), ("none", "none", Result.HOLDS)],
)
def test_an_endpoint_that_is_not_used_does_not_count(outgoing: str, appointments: str, result: Result) -> None:
    """A page in place of the endpoint to send through is of no matter to a mailbox that does not send."""
    used = {v.MAILBOX_OUTGOING: outgoing, v.MAILBOX_APPOINTMENTS: appointments}
    assert result_of(RULE, exchange_case(outgoing=PAGE, mailbox=used)) is result


def test_it_is_unknown_where_no_answer_was_had() -> None:
    """What was not seen is no log-on page, nor is it none."""
    assert result_of(RULE, exchange_case(endpoint={v.EWS_LOGON_PAGE: Why.TIMED_OUT})) is Result.UNKNOWN


def test_it_does_not_apply_to_pop3_and_smtp() -> None:
    """Mail servers show no pages."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
