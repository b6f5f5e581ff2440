"""What was read of Dynamics for some mailboxes, or why it was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from probe.dynamics import EmailServerProfile, MailboxRow, Organization
from probe.gate.comparing import Difference, Rows, differences, found_row
from probe.gate.foretelling import Pending
from probe.model.estate import Estate, Mailbox
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicsRecords:
    """Dynamics' own records of some mailboxes."""

    organization: Organization
    rows: tuple[MailboxRow, ...]
    """Of every mailbox that was asked for; those of an address that has several, all of them."""
    profiles: Mapping[str, EmailServerProfile]
    """By id."""
    pending: Mapping[str, Pending] | None = None
    """By the mailbox's id, of those that have any; None where it could not be read."""
    machines: tuple[str, ...] = ()
    """Those that rows and alerts name."""
    risk: str | None = None
    """What the way to Dynamics leaves open, in a sentence."""
    notes: tuple[str, ...] = ()
    """What could not be read beside the rows, each in a sentence."""

    def of(self, mailbox: Mailbox) -> Rows | Difference:
        """The rows of a mailbox, or why there are none."""
        row = found_row(mailbox, self.rows)
        return row if isinstance(row, Difference) else Rows(row, self.profiles.get(row.profile or ""))


@dataclass(frozen=True, slots=True)
class Unread:
    """That Dynamics was not read, and why."""

    reason: str
    is_asked: bool = True
    """Whether the estate says where Dynamics is; where it does not, nothing could be compared, and nothing is wrong."""


NOT_DECLARED = Unread("the estate has no [dynamics], so that its rows were not compared with the estate", is_asked=False)


@dataclass(frozen=True, slots=True)
class Compared:
    """A mailbox beside its rows."""

    rows: Rows | None
    differs: tuple[Difference, ...] = field(default=())
    pending: Pending | None = None


def compared(estate: Estate, mailbox: Mailbox, records: DynamicsRecords | Unread) -> Compared:
    """A mailbox of the estate beside what was read of Dynamics."""
    if isinstance(records, Unread):
        return Compared(None)
    rows = records.of(mailbox)
    if isinstance(rows, Difference):
        return Compared(None, (rows,))
    waiting = None if records.pending is None else records.pending.get(rows.mailbox.id, Pending(0, None))
    return Compared(rows, differences(estate, mailbox, rows), waiting)
