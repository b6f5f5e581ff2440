"""A certificate outside its time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.certificate_expired import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


def ends(moment: datetime) -> Known:
    """An endpoint whose certificate ends then."""
    return {v.CERTIFICATE_NOT_AFTER: moment}


def test_it_holds_through_the_last_whole_day() -> None:
    """A certificate that ends at the first moment of the next day holds to the end of this one."""
    assert result_of(RULE, exchange_case(endpoint=ends(datetime(2026, 11, 24, tzinfo=UTC)))) is Result.HOLDS


@pytest.mark.parametrize("moment", [datetime(2026, 11, 23, 23, 59, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)])
def test_it_fails_once_the_certificate_ends_within_the_day(moment: datetime) -> None:
    """A certificate that ends on the day of judgement, or ended before, is not ready."""
    assert result_of(RULE, gmail_case(incoming=ends(moment))) is Result.FAILS


def test_it_fails_before_the_certificate_begins() -> None:
    """A certificate of next month is not ready."""
    assert result_of(RULE, gmail_case(outgoing={v.CERTIFICATE_NOT_BEFORE: datetime(2026, 12, 1, tzinfo=UTC)})) is Result.FAILS


def test_it_holds_for_a_certificate_that_begins_on_the_day() -> None:
    """A certificate that was issued on the day of judgement is in order."""
    assert result_of(RULE, gmail_case(endpoint={v.CERTIFICATE_NOT_BEFORE: datetime(2026, 11, 23, 9, tzinfo=UTC)})) is Result.HOLDS


def test_it_is_judged_for_another_date() -> None:
    """The same certificate that holds today is not ready a year later."""
    assert result_of(RULE, exchange_case(on=date(2027, 11, 23))) is Result.FAILS


def test_it_is_unknown_where_no_certificate_was_seen() -> None:
    """A certificate that was not seen decides nothing."""
    assert result_of(RULE, exchange_case(endpoint={v.CERTIFICATE_NOT_AFTER: Why.TLS_FAILED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
