"""Which rows become mailboxes of an estate."""

from __future__ import annotations

from dataclasses import replace

from probe.dynamics import MailboxRow, Option
from probe.importing import choose
from probe.importing.choosing import kept_of
from tests.importing.records import ROW, numbered


def test_rows_that_something_serves_are_written() -> None:
    """One direction is enough; a row that Outlook or nothing serves is counted, and written where everything is."""
    idle = replace(numbered(6), address="b@contoso.test", incoming=Option(1, "Outlook"))
    sends = replace(idle, id=numbered(7).id, address="c@contoso.test", outgoing=Option(2, "SSS"))
    meets = replace(idle, id=numbered(8).id, address="d@contoso.test", appointments=Option(1, "SSS"))
    choice = choose([ROW, idle, sends, meets], everything=False)
    assert {row.id for row in choice.mailboxes} == {ROW.id, sends.id, meets.id}
    assert dict(choice.counts) == {"not served": 1}
    assert len(choose([ROW, idle, sends, meets], everything=True).mailboxes) == 4


def test_an_inactive_row_is_served_in_no_direction() -> None:
    """It is counted, and not written by itself."""
    inactive = kept_of(MailboxRow(id=ROW.id, address="a@contoso.test", state=1, incoming_delivery=Option(2, "SSS")))
    choice = choose([inactive], everything=False)
    assert choice.mailboxes == ()
    assert dict(choice.counts) == {"inactive": 1, "not served": 1}


def test_queues_forward_and_service_mailboxes_are_counted() -> None:
    """They are written where something serves them."""
    row = MailboxRow(
        id=ROW.id,
        address="a@contoso.test",
        regarding_table="queue",
        is_forward_mailbox=True,
        is_service_account=True,
        outgoing_delivery=Option(2, "SSS"),
    )
    choice = choose([kept_of(row)], everything=False)
    assert len(choice.mailboxes) == 1
    assert dict(choice.counts) == {"forward": 1, "queue": 1, "service": 1}


def test_a_row_without_address_is_told() -> None:
    """By its id and name; one that nothing serves would not be missed."""
    choice = choose([replace(ROW, address=None), replace(numbered(9), address=None, incoming=None)], everything=False)
    assert choice.mailboxes == ()
    assert choice.told == (f"mailbox {ROW.id} (Sales) has no address, and was left out",)


def test_of_rows_with_one_address_the_served_and_approved_one_is_written() -> None:
    """Whatever the case of the address; the others are told with their ids."""
    idle = replace(numbered(1), incoming=Option(0, "None"))
    waiting = replace(numbered(2), is_approved=False)
    right = replace(numbered(3), address="SALES@contoso.test")
    late = numbered(4)
    choice = choose([late, idle, waiting, right], everything=True)
    assert [row.id for row in choice.mailboxes] == [right.id]
    assert [sentence.split()[1] for sentence in choice.told] == [late.id, waiting.id, idle.id]


def test_rows_of_an_estate_are_taken_for_being_in_it() -> None:
    """By id or by address, though nothing serves them any more."""
    idle = replace(numbered(6), incoming=None)
    assert choose([idle], everything=False, also=frozenset({"sales@contoso.test"})).mailboxes == (idle,)
    assert choose([idle], everything=False, also=frozenset({idle.id})).mailboxes == (idle,)
