"""A server that a deployment in FIPS mode gets no TLS session from."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.no_tls_in_common_in_fips_mode import RULE
from tests.cases import exchange_case, gmail_case, result_of

FIPS = {v.DEPLOYMENT_FIPS: True}
CANNOT = {v.FIPS_REASONS: ("the server speaks no version above TLSv1.1",)}


def test_it_holds_where_the_two_ends_have_something_in_common() -> None:
    """A server with which the deployment's Windows gets a session in FIPS mode is in order, Exchange too."""
    assert result_of(RULE, exchange_case(deployment=FIPS)) is Result.HOLDS
    assert result_of(RULE, gmail_case(deployment=FIPS)) is Result.HOLDS


def test_it_fails_at_one_endpoint_that_is_used() -> None:
    """One endpoint without a session is not ready."""
    assert result_of(RULE, gmail_case(deployment=FIPS, outgoing=CANNOT)) is Result.FAILS
    assert result_of(RULE, exchange_case(deployment=FIPS, endpoint=CANNOT)) is Result.FAILS


def test_an_endpoint_that_is_not_used_does_not_count() -> None:
    """The outgoing endpoint does not matter to a mailbox that sends nothing through it."""
    case = gmail_case(deployment=FIPS, mailbox={v.MAILBOX_OUTGOING: "none"}, outgoing=CANNOT)
    assert result_of(RULE, case) is Result.HOLDS


def test_it_is_unknown_where_it_did_not_show() -> None:
    """A server that asked to be left alone decides nothing."""
    assert result_of(RULE, gmail_case(deployment=FIPS, incoming={v.FIPS_REASONS: Why.THROTTLED})) is Result.UNKNOWN


def test_it_does_not_apply_where_the_policy_is_off() -> None:
    """What FIPS mode would refuse does not matter to a deployment that is not in it."""
    assert result_of(RULE, gmail_case(endpoint=CANNOT)) is Result.NOT_APPLICABLE
