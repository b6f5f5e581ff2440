"""A server from which the deployment's own Windows gets no TLS session."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Otherwise, Readiness, Result, judge
from probe.rules.on_premises.no_tls_with_the_deployments_windows import RULE
from probe.rules.on_premises.tls_handshake_fails import RULE as OWN_HANDSHAKE
from tests.cases import assess, exchange_case, gmail_case, result_of

GETS_NONE = {v.TLS_DEPLOYMENT_GETS: False}


@pytest.mark.parametrize("fips", [True, False])
def test_it_holds_where_this_windows_gets_a_session(fips: bool) -> None:
    """With its FIPS policy on or off, a server that gives this Windows a session is in order, Exchange too."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_FIPS: fips})) is Result.HOLDS
    assert result_of(RULE, gmail_case(deployment={v.DEPLOYMENT_FIPS: fips})) is Result.HOLDS


@pytest.mark.parametrize("fips", [True, False])
def test_it_fails_at_one_endpoint_that_is_used(fips: bool) -> None:
    """One endpoint without a session is not ready, the policy on or off."""
    assert result_of(RULE, gmail_case(deployment={v.DEPLOYMENT_FIPS: fips}, outgoing=GETS_NONE)) is Result.FAILS
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_FIPS: fips}, endpoint=GETS_NONE)) is Result.FAILS
    assert RULE.otherwise is Otherwise.NOT_READY


def test_an_endpoint_that_is_not_used_does_not_count() -> None:
    """The outgoing endpoint does not matter to a mailbox that sends nothing through it."""
    assert result_of(RULE, gmail_case(mailbox={v.MAILBOX_OUTGOING: "none"}, outgoing=GETS_NONE)) is Result.HOLDS


@pytest.mark.parametrize("why", [Why.THROTTLED, Why.TIMED_OUT, Why.CLOSED, Why.INTERRUPTED, Why.BUG])
def test_asked_and_not_known_leaves_readiness_open(why: Why) -> None:
    """A server that asked to be left alone decides nothing, though this program's own handshake came to its end."""
    unsettled = gmail_case(incoming={v.TLS_DEPLOYMENT_GETS: why})
    assert result_of(RULE, unsettled) is Result.UNKNOWN
    assert result_of(OWN_HANDSHAKE, unsettled) is Result.HOLDS
    assert assess(unsettled).readiness is Readiness.UNDETERMINED


@pytest.mark.parametrize("why", [Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE])
def test_it_does_not_apply_where_nobody_asked(why: Why) -> None:
    """With `--tls none`, or where the server has no TLS at all, the rule says nothing."""
    assert result_of(RULE, gmail_case(endpoint={v.TLS_DEPLOYMENT_GETS: why})) is Result.NOT_APPLICABLE


def test_it_is_asked_of_each_endpoint_by_itself() -> None:
    """An endpoint where nobody asked does not hide that the other gives no session, nor that it is not known whether it does."""
    unasked = {v.TLS_DEPLOYMENT_GETS: Why.NOT_ATTEMPTED}
    assert result_of(RULE, gmail_case(incoming=unasked, outgoing=GETS_NONE)) is Result.FAILS
    assert result_of(RULE, gmail_case(incoming=unasked, outgoing={v.TLS_DEPLOYMENT_GETS: Why.TIMED_OUT})) is Result.UNKNOWN
    assert result_of(RULE, gmail_case(incoming=unasked)) is Result.HOLDS


def test_the_reasons_are_told_with_a_no_and_decide_nothing() -> None:
    """What keeps the client from a session stands beside the fact that it gets none; where it gets one, reasons of FIPS mode do not count."""
    reasons = {v.FIPS_REASONS: ("the server speaks no version above TLSv1.1",)}
    refused = judge(RULE, gmail_case(outgoing={**GETS_NONE, **reasons}))
    assert [reading.key for reading in refused.because] == [v.TLS_DEPLOYMENT_GETS, v.FIPS_REASONS]
    assert result_of(RULE, gmail_case(endpoint=reasons)) is Result.HOLDS
    assert [reading.key for reading in judge(RULE, gmail_case(outgoing=GETS_NONE)).because] == [v.TLS_DEPLOYMENT_GETS]
