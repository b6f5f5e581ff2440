"""A mailbox that may not be opened."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.mailbox_access_denied import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(**endpoint: Any) -> Case:
    """A mailbox on Exchange where logins are allowed; the endpoint's facts by the names of their keys in the vocabulary."""
    return exchange_case(deployment=WITH_LOGIN, endpoint={getattr(v, name): value for name, value in endpoint.items()})


def test_it_holds_where_the_inbox_was_found() -> None:
    """An inbox that was found was opened."""
    assert result_of(RULE, case(EWS_INBOX="found")) is Result.HOLDS


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorAccountDisabled", "ErrorInvalidLicense", "ErrorPasswordExpired"])
def test_it_fails_where_rights_or_the_accounts_state_forbid_it(code: str) -> None:
    """Missing rights, and accounts without licence or out of use, are not ready."""
    assert result_of(RULE, case(EWS_INBOX=code)) is Result.FAILS


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied", Why.TIMED_OUT])
def test_it_is_unknown_for_other_answers(code: str | Why) -> None:
    """Passing faults, and what other rules tell, decide nothing here."""
    assert result_of(RULE, case(EWS_INBOX=code)) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, no password is used, or it is not Exchange, nothing is asked of one."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, online_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
