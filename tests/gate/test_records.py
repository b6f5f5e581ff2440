"""A mailbox beside what was read of Dynamics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from probe.dynamics import Organization
from probe.gate import NOT_DECLARED, Difference, DynamicsRecords, Rows, compared
from probe.gate.foretelling import Pending
from tests.gate.rows import MAILBOX_ID, an_estate_of, rows_of

ESTATE = an_estate_of()
(MAILBOX,) = ESTATE.mailboxes
ORGANIZATION = Organization(id="x", name="Contoso", version="9.1.17.29", api="v9.1", user="y")


def records(*, rows: Rows, is_gone: bool = False, **more: Any) -> DynamicsRecords:
    """What was read, of one mailbox."""
    profiles = {} if rows.profile is None else {rows.profile.id: rows.profile}
    return DynamicsRecords(organization=ORGANIZATION, rows={} if is_gone else {MAILBOX.address: rows.mailbox}, profiles=profiles, **more)


def test_a_mailbox_is_found_by_its_address_whatever_the_case() -> None:
    """With the profile that its row leads to, and what waits to be sent."""
    rows = rows_of(mailbox=MAILBOX)
    written = Rows(replace(rows.mailbox, address=MAILBOX.address.upper()), rows.profile)
    waiting = Pending(3, datetime(2026, 11, 1, tzinfo=UTC))
    found = compared(ESTATE, MAILBOX, records(rows=written, pending={MAILBOX_ID: waiting}))
    assert (found.rows, found.differs, found.pending) == (written, (), waiting)


def test_nothing_waits_where_dynamics_counted_none() -> None:
    """What could not be counted is another matter."""
    rows = rows_of(mailbox=MAILBOX)
    assert compared(ESTATE, MAILBOX, records(rows=rows, pending={})).pending == Pending(0, None)
    assert compared(ESTATE, MAILBOX, records(rows=rows)).pending is None


def test_a_mailbox_that_dynamics_does_not_have_differs_in_that() -> None:
    """It is no mailbox without differences."""
    found = compared(ESTATE, MAILBOX, records(rows=rows_of(mailbox=MAILBOX), is_gone=True))
    assert found.rows is None
    assert [one.what for one in found.differs] == ["mailbox"]
    assert isinstance(found.differs[0], Difference)


def test_a_profile_that_the_row_does_not_lead_to_is_none() -> None:
    """As where the account may not read that one."""
    rows = rows_of(mailbox=MAILBOX)
    found = compared(ESTATE, MAILBOX, records(rows=Rows(rows.mailbox, None)))
    assert [one.what for one in found.differs] == ["profile"]


def test_what_was_not_read_differs_in_nothing() -> None:
    """Whether that leaves the answer open is not decided here."""
    assert compared(ESTATE, MAILBOX, NOT_DECLARED).differs == ()
