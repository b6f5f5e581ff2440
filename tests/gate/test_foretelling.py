"""What Test & Enable will do besides testing, and where the probing machine stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from probe.dynamics import Option, TraceLog
from probe.gate import standing_of, will_do
from probe.gate.foretelling import Pending
from probe.model.estate import Delivery
from tests.estates import SERVED
from tests.gate.rows import MAILBOX_ID, rows_of

OLD = datetime(2019, 1, 1, tzinfo=UTC)
NEW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_was_not_read_is_none() -> None:
    """Only the test mail is known by the estate alone."""
    will = will_do(SERVED, None, None)
    assert (will.sends_test_mail, will.pending_send, will.backlog_since, will.primary_organization) == (True, None, None, None)
    assert not will_do(replace(SERVED, outgoing=Delivery.NONE), None, None).sends_test_mail


def test_numbers_are_those_of_the_rows() -> None:
    """What waits, and which organization synchronizes."""
    will = will_do(SERVED, rows_of(is_primary_organization=True), Pending(12, OLD))
    assert (will.pending_send, will.oldest_pending, will.primary_organization) == (12, OLD, "this")
    assert will_do(SERVED, rows_of(is_primary_organization=False), None).primary_organization is None


def test_another_organization_is_told_by_an_open_alert() -> None:
    """Of this mailbox, by the table of alerts; that this organization is marked says nothing against it."""
    words = "Appointments can't be synchronized because the email address of the mailbox Sales is configured with another organization."
    alert = TraceLog(id="x", regarding=MAILBOX_ID, level=Option(3, "Error"), status=Option(0, "Failure"), message=words)
    for rows in (rows_of(), rows_of(is_primary_organization=True)):
        assert will_do(SERVED, rows, None, [alert]).primary_organization == "other"
    for other in (replace(alert, regarding="y"), replace(alert, message="Something else."), replace(alert, status=Option(1, "Success"))):
        assert will_do(SERVED, rows_of(), None, [other]).primary_organization is None


def test_a_mailboxs_own_time_goes_before_the_profiles() -> None:
    """Mail is pulled in from then on, where mail is received at all."""
    assert will_do(SERVED, rows_of(profile_processes_mail_since=OLD), None).backlog_since == OLD
    both = rows_of(profile_processes_mail_since=OLD, processes_mail_since=NEW)
    assert will_do(SERVED, both, None).backlog_since == NEW
    assert will_do(replace(SERVED, incoming=Delivery.NONE), both, None).backlog_since is None


@pytest.mark.parametrize(
    ("host", "machines", "is_there"),
    [
        ("crm-async-1", ["CRM-ASYNC-1", None], True),
        ("crm-async-1.contoso.test", ["CRM-ASYNC-1", "CRM-ASYNC-2"], True),
        ("laptop", ["CRM-ASYNC-1.contoso.test"], False),
        ("laptop", [None, ""], None),
    ],
)
def test_the_machine_that_probed_is_one_of_those_or_not(host: str, machines: list[str | None], is_there: bool | None) -> None:
    """Neither case nor domain counts; where Dynamics names none, nothing is said."""
    assert standing_of(host, machines).is_there is is_there
