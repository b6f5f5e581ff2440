"""No mailbox at the address."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.mailbox_not_found import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(**endpoint: Any) -> Case:
    """A mailbox on Exchange where logins are allowed; the endpoint's facts by the names of their keys in the vocabulary."""
    return exchange_case(deployment=WITH_LOGIN, endpoint={getattr(v, name): value for name, value in endpoint.items()})


def test_it_holds_where_the_inbox_was_found() -> None:
    """An inbox that was found is in order."""
    assert result_of(RULE, case(EWS_INBOX="found")) is Result.HOLDS


@pytest.mark.parametrize("code", ["ErrorNonExistentMailbox", "ErrorMissingEmailAddress"])
def test_it_fails_where_exchange_knows_no_such_mailbox(code: str) -> None:
    """An address without a mailbox is not ready."""
    assert result_of(RULE, case(EWS_INBOX=code)) is Result.FAILS


@pytest.mark.parametrize("code", ["ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress", "ErrorAccessDenied", Why.TIMED_OUT])
def test_it_is_unknown_for_other_answers(code: str | Why) -> None:
    """Passing faults, and refusals of other kinds, do not tell whether there is a mailbox."""
    assert result_of(RULE, case(EWS_INBOX=code)) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, no password is used, or it is not Exchange, nothing is asked of one."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, online_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
