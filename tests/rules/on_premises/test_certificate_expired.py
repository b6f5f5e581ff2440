"""A certificate outside its time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.kinds import ChainEnd, Validity
from probe.model.rules import Result
from probe.rules.on_premises.certificate_expired import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


def ends(moment: datetime) -> Known:
    """An endpoint whose certificate ends then."""
    return {v.CERTIFICATE_NOT_AFTER: moment}


ISSUER = "CN=Contoso Issuing CA"


def issuer_ends(*moments: datetime) -> Known:
    """An endpoint whose issuer's certificate, which its chain needs, ends then. Where more moments follow, others of that name were sent too."""
    sent = tuple(Validity(ISSUER, datetime(2020, 1, 1, tzinfo=UTC), moment) for moment in moments)
    return {v.CERTIFICATE_CHAIN_ENDS: ChainEnd(ISSUER, moments[0]), v.CERTIFICATE_CHAIN_DATES: sent}


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


def test_it_fails_once_an_issuer_that_is_needed_has_ended() -> None:
    """A chain is as good as the first of its certificates that ends: on that day it is not ready, the day before it is."""
    assert result_of(RULE, gmail_case(outgoing=issuer_ends(datetime(2026, 11, 23, 23, 59, tzinfo=UTC)))) is Result.FAILS
    assert result_of(RULE, gmail_case(outgoing=issuer_ends(datetime(2026, 11, 24, tzinfo=UTC)))) is Result.HOLDS


def test_it_is_unknown_where_another_certificate_of_the_issuer_lasts_longer() -> None:
    """Which of two certificates of one name a client takes was not seen, so that the end of one decides nothing until both have ended."""
    ended, later = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC)
    assert result_of(RULE, gmail_case(incoming=issuer_ends(ended, later))) is Result.UNKNOWN
    assert result_of(RULE, gmail_case(incoming=issuer_ends(ended, ended))) is Result.FAILS


@pytest.mark.parametrize(
    ("reason", "result"),
    [
        ("self-signed certificate in certificate chain", Result.HOLDS),
        ("certificate has expired: CN=Contoso Issuing CA, on 2026-11-20", Result.FAILS),
    ],
)
def test_a_chain_that_is_refused_for_something_else_is_left_to_the_other_rule(reason: str, result: Result) -> None:
    """The age of an issuer counts where the chain would be accepted but for it."""
    distrusted: Known = {v.CERTIFICATE_TRUSTED: False, v.CERTIFICATE_DISTRUSTED_BECAUSE: reason}
    assert result_of(RULE, exchange_case(endpoint={**issuer_ends(datetime(2026, 11, 20, tzinfo=UTC)), **distrusted})) is result


def test_an_end_that_is_known_alone_decides() -> None:
    """Facts that say when the chain ends, and not what was sent, speak of no other certificate; where that was looked for in vain, there may be one."""
    ended = {v.CERTIFICATE_CHAIN_ENDS: ChainEnd(ISSUER, datetime(2026, 11, 20, tzinfo=UTC))}
    assert result_of(RULE, exchange_case(endpoint={**ended, v.CERTIFICATE_CHAIN_DATES: Why.NOT_ATTEMPTED})) is Result.FAILS
    assert result_of(RULE, exchange_case(endpoint={**ended, v.CERTIFICATE_CHAIN_DATES: Why.TIMED_OUT})) is Result.UNKNOWN


def test_its_own_end_is_all_that_is_cited_where_both_have_ended() -> None:
    """Where the server's own certificate has ended too, the finding rests on that one alone."""
    ended = datetime(2026, 11, 20, tzinfo=UTC)
    because = RULE.holds(exchange_case(endpoint={**ends(ended), **issuer_ends(ended)})).because
    assert {reading.key for reading in because} == {v.CERTIFICATE_NOT_AFTER}


def test_a_run_that_did_not_look_at_the_chain_is_judged_by_the_servers_own_certificate() -> None:
    """Where nobody looked for the end of the chain, the server's own certificate decides; where it was looked for in vain, it is unknown."""
    assert result_of(RULE, gmail_case(endpoint={v.CERTIFICATE_CHAIN_ENDS: Why.NOT_ATTEMPTED})) is Result.HOLDS
    assert result_of(RULE, gmail_case(endpoint={v.CERTIFICATE_CHAIN_ENDS: Why.TIMED_OUT})) is Result.UNKNOWN
