"""Which row of Dynamics is a mailbox's."""

from __future__ import annotations

from dataclasses import replace

from probe.dynamics import MailboxRow, Option
from probe.dynamics.found import FoundRows
from probe.importing import choose
from probe.importing.choosing import kept_of
from tests.dynamics.peer import guid
from tests.dynamics.rows import ADDRESS, ROW
from tests.runs import a_mailbox

MAILBOX = a_mailbox(ADDRESS.upper(), "corp")
UNSERVED = replace(ROW, incoming_delivery=None, outgoing_delivery=None, appointments_delivery=Option(2, "None"))


def found(*rows: MailboxRow) -> MailboxRow | None:
    """The row of the mailbox, whichever comes first."""
    (row,) = {FoundRows([MAILBOX]).take(order).of(MAILBOX) for order in (rows, rows[::-1])}
    return row


def test_of_rows_with_one_address_the_one_counts_that_an_import_writes() -> None:
    """Active and served goes before the others, then approved, then the smaller id; letters may be large or small."""
    rows = (
        replace(UNSERVED, id=guid(1)),
        replace(ROW, id=guid(2), state=1),
        replace(ROW, id=guid(3), approval=Option(2, "Pending Approval")),
        replace(ROW, id=guid(5)),
        replace(ROW, id=guid(4)),
    )
    for number in range(1, len(rows)):
        chosen = found(*rows[:number])
        assert chosen is not None
        assert chosen.id == choose(map(kept_of, rows[:number]), everything=True).mailboxes[0].id
    assert found(*rows) == rows[-1]


def test_rows_of_which_none_goes_before_the_others_are_counted() -> None:
    """An id in the estate tells them apart."""
    rows = (ROW, replace(ROW, id=guid(11)), replace(ROW, id=guid(12), state=1))
    for order in (rows, rows[::-1]):
        assert FoundRows([MAILBOX]).take(order).equals(MAILBOX) == 2
    named = replace(MAILBOX, id=guid(11))
    assert FoundRows([named]).take(rows).equals(named) == 1
    assert FoundRows([MAILBOX]).take(rows[:1]).equals(MAILBOX) == 1


def test_an_id_goes_before_an_address() -> None:
    """The row with the id is the mailbox's, whatever its address; where there is none, the one with the address is."""
    moved = replace(UNSERVED, id=guid(7), address="b@contoso.test")
    named = replace(MAILBOX, id=guid(7).upper())
    assert FoundRows([named]).take([ROW, moved]).of(named) is moved
    assert FoundRows([named]).take([ROW]).of(named) is ROW


def test_a_row_is_of_one_mailbox_alone() -> None:
    """One that a mailbox of the estate names by its id is none of another that has its address now."""
    named = replace(a_mailbox("old@contoso.test", "corp"), id=ROW.id)
    rows = FoundRows([named, MAILBOX]).take([ROW])
    assert (rows.of(named), rows.of(MAILBOX)) == (ROW, None)


def test_rows_of_nobody_are_not_kept() -> None:
    """What has neither an id nor an address of the estate, and what has no address, is no mailbox's."""
    assert found(replace(ROW, address="other@contoso.test"), replace(ROW, address=None)) is None
