"""A certificate that ends soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.kinds import ChainEnd
from probe.model.rules import Case, Otherwise, Result
from probe.rules.on_premises.certificate_ends_soon import RULE
from tests.cases import NOON, exchange_case, gmail_case, result_of


def after(days: int) -> Case:
    """A POP3/SMTP mailbox whose incoming certificate ends so many days after the day of judgement."""
    return gmail_case(incoming={v.CERTIFICATE_NOT_AFTER: NOON + timedelta(days=days)})


@pytest.mark.parametrize("days", [30, 400])
def test_it_holds_with_a_month_or_more_left(days: int) -> None:
    """A certificate with 30 days or more is in order."""
    assert result_of(RULE, after(days)) is Result.HOLDS


@pytest.mark.parametrize("days", [1, 29])
def test_it_fails_with_less_than_a_month_left(days: int) -> None:
    """A certificate that ends within 30 days is advised to be renewed."""
    assert result_of(RULE, after(days)) is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


@pytest.mark.parametrize("days", [1, 29])
def test_it_fails_where_an_issuer_that_was_sent_ends_soon(days: int) -> None:
    """The chain is as good as the first of its certificates that ends, whatever the server's own says."""
    ends = ChainEnd("CN=Contoso Issuing CA", NOON + timedelta(days=days))
    assert result_of(RULE, gmail_case(outgoing={v.CERTIFICATE_CHAIN_ENDS: ends})) is Result.FAILS


@pytest.mark.parametrize("days", [0, -100])
def test_one_that_has_ended_is_told_once_by_the_other_rule(days: int) -> None:
    """A certificate that has ended does not end soon."""
    assert result_of(RULE, after(days)) is Result.HOLDS


def test_it_is_unknown_where_no_certificate_was_seen() -> None:
    """A certificate that was not seen decides nothing."""
    assert result_of(RULE, exchange_case(endpoint={v.CERTIFICATE_NOT_AFTER: Why.TLS_FAILED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE


def test_a_run_that_did_not_look_at_the_chain_is_judged_by_the_servers_own_certificate() -> None:
    """Where nobody looked for the end of the chain, the server's own certificate decides; where it was looked for in vain, it is unknown."""
    assert result_of(RULE, gmail_case(endpoint={v.CERTIFICATE_CHAIN_ENDS: Why.NOT_ATTEMPTED})) is Result.HOLDS
    assert result_of(RULE, gmail_case(endpoint={v.CERTIFICATE_CHAIN_ENDS: Why.TIMED_OUT})) is Result.UNKNOWN
