"""A calendar, contacts or tasks folder that cannot be opened."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.appointment_folders_not_opened import RULE
from tests.cases import exchange_case, gmail_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}


def case(calendar: Any = "found", contacts: Any = "found", tasks: Any = "found", appointments: str = "server-side") -> Case:
    """A mailbox on Exchange where logins are allowed, and what came of three folders."""
    return exchange_case(
        deployment=WITH_LOGIN,
        mailbox={v.MAILBOX_APPOINTMENTS: appointments},
        incoming={v.EWS_CALENDAR: calendar, v.EWS_CONTACTS: contacts, v.EWS_TASKS: tasks},
    )


def test_it_holds_where_all_three_are_found() -> None:
    """Every folder that is synchronized was opened."""
    assert result_of(RULE, case()) is Result.HOLDS


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorFolderNotFound"])
def test_one_that_does_not_open_fails_it(code: str) -> None:
    """A right or a folder that is missing stops its synchronization, whatever becomes of the others."""
    assert result_of(RULE, case(calendar=code)) is Result.FAILS
    assert result_of(RULE, case(tasks=code, contacts=Why.NOT_DISCLOSED)) is Result.FAILS


@pytest.mark.parametrize("outcome", ["ErrorMailboxMoveInProgress", "ErrorServerBusy", Why.TIMED_OUT, Why.NOT_ATTEMPTED])
def test_it_is_unknown_for_what_passes_or_was_not_seen(outcome: str | Why) -> None:
    """Faults that pass, and folders that were not asked for, decide nothing."""
    assert result_of(RULE, case(contacts=outcome)) is Result.UNKNOWN


def test_it_does_not_apply_where_they_are_not_synchronized() -> None:
    """Without appointments, logins or EWS nothing is asked of the folders."""
    assert result_of(RULE, case(calendar="ErrorAccessDenied", appointments="none")) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=WITH_LOGIN)) is Result.NOT_APPLICABLE
