"""A mailbox that cannot be opened at the moment."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.mailbox_unavailable_for_now import RULE
from tests.cases import exchange_case, gmail_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(inbox: Any) -> Case:
    """A mailbox on Exchange where logins are allowed, and what came of its inbox."""
    return exchange_case(deployment=WITH_LOGIN, endpoint={v.EWS_INBOX: inbox})


def test_it_holds_where_the_inbox_was_found() -> None:
    """An inbox that was found was there to be opened."""
    assert result_of(RULE, case("found")) is Result.HOLDS


@pytest.mark.parametrize(
    "code",
    [
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxFailover",
        "ErrorMailboxStoreUnavailable",
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
    ],
)
def test_it_fails_by_exchange_s_own_word(code: str) -> None:
    """A mailbox that is being moved, failed over, whose store is down or whose server is too busy is not ready now."""
    assert result_of(RULE, case(code)) is Result.FAILS


@pytest.mark.parametrize("outcome", ["ErrorNonExistentMailbox", "ErrorImpersonationFailed", Why.TIMED_OUT, Why.THROTTLED])
def test_it_is_unknown_for_other_answers(outcome: str | Why) -> None:
    """What other rules tell, and no answer at all, decide nothing here."""
    assert result_of(RULE, case(outcome)) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Where logins are not allowed, or it is not Exchange, nothing is asked of one."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
