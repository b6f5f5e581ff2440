"""Which row of Dynamics is a mailbox's: the one with its id, else the one with its address that an import would write. Pure in the rows.

The gate, a check and an import go by this alone, so that none of them speaks of another row than the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, MAIL_DELIVERY, meaning
from probe.dynamics.options import Option
from probe.dynamics.records import MailboxRow
from probe.model.estate import Delivery, Mailbox

ACTIVE, INACTIVE = 0, 1
"""Of `statecode`."""
APPROVED = 1
"""Of `emailrouteraccessapproval`."""


def serves(*, is_active: bool, incoming: Option | None, outgoing: Option | None, appointments: Option | None) -> bool:
    """Whether server-side synchronization serves a mailbox with these delivery methods, which it does in no direction of an inactive one."""
    methods = (meaning(MAIL_DELIVERY, incoming), meaning(MAIL_DELIVERY, outgoing), meaning(APPOINTMENTS_DELIVERY, appointments))
    return is_active and Delivery.SERVER_SIDE in methods


def is_served(row: MailboxRow) -> bool:
    """Whether server-side synchronization serves a mailbox in some direction, as its row has it."""
    return serves(
        is_active=row.state != INACTIVE,
        incoming=row.incoming_delivery,
        outgoing=row.outgoing_delivery,
        appointments=row.appointments_delivery,
    )


def is_approved(row: MailboxRow) -> bool:
    """Whether somebody approved the mailbox's address."""
    return row.approval is not None and row.approval.value == APPROVED


def precedence(*, is_served: bool, is_approved: bool) -> tuple[bool, bool]:
    """How rows with one address are sorted: served goes first, then approved. Among equals the smaller id does, so that it is the same each time."""
    return not is_served, not is_approved


class FoundRows:
    """The rows of an estate's mailboxes, taken out of any number: no more is kept than one for each id and each address of the estate."""

    def __init__(self, mailboxes: Iterable[Mailbox]) -> None:
        self._addresses: set[str] = set()
        self._by_id: dict[str, MailboxRow | None] = {}
        for mailbox in mailboxes:
            self._addresses.add(mailbox.address.casefold())
            if mailbox.id is not None:
                self._by_id[mailbox.id.lower()] = None
        self._by_address: dict[str, MailboxRow] = {}
        self._equals: dict[str, int] = {}

    def take(self, rows: Iterable[MailboxRow]) -> Self:
        """Keep of these rows those that are wanted."""
        for row in rows:
            if row.id in self._by_id:
                # It is of the mailbox that names it, and of no other, whatever its address is now.
                self._by_id[row.id] = row
            elif (address := (row.address or "").casefold()) in self._addresses:
                self._take_by_address(address, row)
        return self

    def _take_by_address(self, address: str, row: MailboxRow) -> None:
        before = self._by_address.get(address)
        new, old = _precedence(row), None if before is None else _precedence(before)
        if old is None or new < old:
            self._equals[address] = 0
        if old is None or new <= old:
            self._equals[address] += 1
        if before is None or (new, row.id) < (old, before.id):
            self._by_address[address] = row

    def of(self, mailbox: Mailbox) -> MailboxRow | None:
        """The row of one of the mailboxes; None where Dynamics has none, or shows none to this account."""
        by_id = None if mailbox.id is None else self._by_id.get(mailbox.id.lower())
        return by_id or self._by_address.get(mailbox.address.casefold())

    def equals(self, mailbox: Mailbox) -> int:
        """How many rows have the mailbox's address and go as far before the others as its own; 1 where its id tells them apart."""
        row = self.of(mailbox)
        return 1 if row is None or row.id in self._by_id else self._equals[mailbox.address.casefold()]


def _precedence(row: MailboxRow) -> tuple[bool, bool]:
    return precedence(is_served=is_served(row), is_approved=is_approved(row))
