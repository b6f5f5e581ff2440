"""An account that may not impersonate."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.rules import Case, Result
from probe.rules.on_premises.impersonation_denied import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(**endpoint: Any) -> Case:
    """A mailbox on Exchange where logins are allowed; the endpoint's facts by the names of their keys in the vocabulary."""
    return exchange_case(deployment=WITH_LOGIN, endpoint={getattr(v, name): value for name, value in endpoint.items()})


def test_it_holds_where_it_was_granted() -> None:
    """An account that acted as the mailbox is in order."""
    assert result_of(RULE, case(EWS_IMPERSONATION="granted")) is Result.HOLDS


def test_it_fails_where_it_was_denied() -> None:
    """An account that may not act as the mailbox is not ready."""
    assert result_of(RULE, case(EWS_IMPERSONATION="denied")) is Result.FAILS


def test_it_is_unknown_where_the_question_was_not_reached() -> None:
    """A login that broke off before decides nothing."""
    assert result_of(RULE, case(EWS_IMPERSONATION=Why.TIMED_OUT)) is Result.UNKNOWN


@pytest.mark.parametrize("profile", [{v.PROFILE_IMPERSONATION: False}, {v.PROFILE_CREDENTIALS: "mailbox"}])
def test_it_does_not_apply_where_nobody_is_impersonated(profile: dict[FactKey[Any], Any]) -> None:
    """A profile without impersonation, or with each mailbox's own credentials, impersonates nobody."""
    assert result_of(RULE, exchange_case(deployment=WITH_LOGIN, profile=profile)) is Result.NOT_APPLICABLE


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, no password is used, or it is not Exchange, nothing is asked of one."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, online_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
