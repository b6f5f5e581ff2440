"""A login that was refused."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.login_refused import RULE
from tests.cases import Known, exchange_case, gmail_case, online_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(**endpoint: Any) -> Case:
    """A mailbox on Exchange where logins are allowed; the endpoint's facts by the names of their keys in the vocabulary."""
    return exchange_case(deployment=WITH_LOGIN, endpoint={getattr(v, name): value for name, value in endpoint.items()})


def test_it_holds_for_credentials_that_were_taken() -> None:
    """A login that was accepted is in order."""
    assert result_of(RULE, case(AUTH_ACCEPTED=True, AUTH_REFUSAL=())) is Result.HOLDS


@pytest.mark.parametrize("causes", [("bad-credentials",), ("bad-credentials", "account-locked"), ("mfa-required",), ()])
def test_it_fails_for_credentials_that_were_refused(causes: tuple[str, ...]) -> None:
    """A refusal that does not pass by itself, or that gives no cause, is not ready."""
    assert result_of(RULE, case(AUTH_ACCEPTED=False, AUTH_REFUSAL=causes)) is Result.FAILS


def test_it_fails_for_a_refusal_before_any_credentials() -> None:
    """A server that refuses by name, before credentials were looked at, is not ready."""
    assert result_of(RULE, case(AUTH_REFUSAL=("protocol-disabled",))) is Result.FAILS


@pytest.mark.parametrize("causes", [("throttled",), ("temporary-failure",), ("bad-credentials", "temporary-failure"), Why.NOT_DISCLOSED])
def test_a_refusal_that_may_pass_is_unknown(causes: tuple[str, ...] | Why) -> None:
    """A refusal that may be gone in a minute decides nothing."""
    assert result_of(RULE, case(AUTH_ACCEPTED=False, AUTH_REFUSAL=causes)) is Result.UNKNOWN


def test_it_is_unknown_where_no_login_came_about() -> None:
    """A login that was allowed and did not come about decides nothing."""
    assert result_of(RULE, case(AUTH_ACCEPTED=Why.UNTRUSTED_PEER, AUTH_REFUSAL=Why.UNTRUSTED_PEER)) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, or no password is used, nothing is asked of one."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, online_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE


def test_it_asks_mail_servers_too() -> None:
    """A login at POP3 or SMTP counts as one at Exchange does, for every endpoint that is used."""
    accepted: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: ()}
    refused: Known = {v.AUTH_ACCEPTED: False, v.AUTH_REFUSAL: ("app-password-required",)}
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.UNKNOWN
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN, endpoint=accepted)) is Result.HOLDS
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN, incoming=accepted, outgoing=refused)) is Result.FAILS


def test_only_an_endpoint_that_can_be_signed_in_to_is_asked() -> None:
    """Where only the Dynamics server has the credentials to send, what came of collecting decides alone."""
    windows = {v.PROFILE_OUTGOING_CREDENTIALS: "windows-integrated"}
    let_in: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: ()}
    untried: Known = {v.AUTH_ACCEPTED: Why.NO_CREDENTIALS, v.AUTH_REFUSAL: Why.NO_CREDENTIALS}
    allowed = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}
    assert result_of(RULE, gmail_case(deployment=allowed, profile=windows, incoming=let_in, outgoing=untried)) is Result.HOLDS
    assert result_of(RULE, gmail_case(deployment=allowed, incoming=let_in, outgoing=untried)) is Result.UNKNOWN
