"""TLS handshake fails."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result, judge
from probe.rules.on_premises.tls_handshake_fails import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_for_a_healthy_mailbox() -> None:
    """A handshake that came to its end is in order."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case()) is Result.HOLDS


FAILED = {v.TLS_COMPLETED: False}


@pytest.mark.parametrize("why", [Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE])
def test_our_own_handshake_decides_where_nobody_asked_for_the_deployments_windows(why: Why) -> None:
    """With `--tls none` a handshake of this program's own that failed is not ready, and that nobody asked is told beside it."""
    finding = judge(RULE, gmail_case(outgoing={**FAILED, v.TLS_DEPLOYMENT_GETS: why}))
    assert finding.result is Result.FAILS
    assert [reading.key for reading in finding.because] == [v.TLS_COMPLETED, v.TLS_DEPLOYMENT_GETS]


def test_what_our_own_client_cannot_do_is_no_fault_where_the_deployments_windows_gets_a_session() -> None:
    """Where the deployment's Windows gets a session, a handshake of ours that failed is a limit of what was seen."""
    assert result_of(RULE, gmail_case(outgoing=FAILED)) is Result.HOLDS
    assert result_of(RULE, gmail_case(outgoing={v.TLS_COMPLETED: Why.TIMED_OUT})) is Result.HOLDS


def test_it_fails_where_neither_gets_a_session() -> None:
    """A server that gives neither this program nor the deployment's Windows a session is not ready."""
    assert result_of(RULE, gmail_case(outgoing={**FAILED, v.TLS_DEPLOYMENT_GETS: False})) is Result.FAILS


def test_it_is_unknown_where_it_did_not_show() -> None:
    """A handshake that timed out decides nothing, nor does one of ours that failed where what Windows gets was asked and did not show."""
    unknown = {v.TLS_DEPLOYMENT_GETS: Why.TIMED_OUT}
    assert result_of(RULE, gmail_case(incoming={v.TLS_COMPLETED: Why.TIMED_OUT, **unknown})) is Result.UNKNOWN
    assert result_of(RULE, gmail_case(incoming={**FAILED, **unknown})) is Result.UNKNOWN


def test_an_endpoint_that_is_not_used_does_not_count() -> None:
    """The outgoing endpoint does not matter to a mailbox that sends nothing through it."""
    case = gmail_case(mailbox={v.MAILBOX_OUTGOING: "none"}, outgoing={**FAILED, v.TLS_DEPLOYMENT_GETS: False})
    assert result_of(RULE, case) is Result.HOLDS


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
