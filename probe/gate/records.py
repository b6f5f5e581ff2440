"""What was read of Dynamics for some mailboxes, or why it was not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta

from probe.dynamics import EmailServerProfile, MailboxRow, MoreThan, Organization, TraceLog
from probe.dynamics.comparing import Difference, Rows, differences, no_row
from probe.dynamics.state import StateRecords
from probe.gate.foretelling import Pending
from probe.model.estate import Estate, Mailbox
from probe.model.values import dataclass

MACHINES_OF = timedelta(days=7)
"""For how long back alerts name machines that may run now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicsRecords:
    """Dynamics' own records of some mailboxes."""

    organization: Organization
    rows: Mapping[str, MailboxRow]
    """Of the mailboxes that were asked for, by the address of the estate."""
    profiles: Mapping[str, EmailServerProfile]
    """By id."""
    alerts: Mapping[str, tuple[TraceLog, ...]] = field(default_factory=dict)
    """By the mailbox's id, of those that have any."""
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
        row = self.rows.get(mailbox.address)
        return no_row(mailbox) if row is None else Rows(row, self.profiles.get(row.profile or ""))

    def mail_since(self, mailboxes: Iterable[Mailbox]) -> dict[str, datetime]:
        """From when on Dynamics processes mail of these mailboxes, by address, of those of which it says so."""
        found = ((mailbox.address, self.of(mailbox)) for mailbox in mailboxes)
        times = ((address, rows.processes_mail_since) for address, rows in found if isinstance(rows, Rows))
        return {address: since for address, since in times if since is not None}


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
    alerts: tuple[TraceLog, ...] = ()


def records_of(state: StateRecords) -> DynamicsRecords:
    """What the gate looks at, of Dynamics' own state."""
    notes = list(state.notes)
    pending: dict[str, Pending] | None = None
    if isinstance(state.pending, MoreThan):
        notes.append("more mails wait to be sent than Dynamics counts, so that it is not known how many are a mailbox's")
    elif state.pending is not None:
        pending = {one.mailbox: Pending(one.count, one.oldest) for one in state.pending if one.mailbox is not None}
    alerts: dict[str, tuple[TraceLog, ...]] = {}
    machines = [row.last_error_machine for row in state.rows.values()]
    for alert in state.alerts:
        if alert.regarding is not None:
            alerts[alert.regarding] = (*alerts.get(alert.regarding, ()), alert)
        if alert.modified is None or alert.modified >= state.at - MACHINES_OF:
            machines.append(alert.machine)
    return DynamicsRecords(
        organization=state.organization,
        rows=state.rows,
        profiles={profile.id: profile for profile in state.profiles},
        alerts=alerts,
        pending=pending,
        machines=tuple(dict.fromkeys(filter(None, machines))),
        risk=state.risk,
        notes=tuple(notes),
    )


def compared(estate: Estate, mailbox: Mailbox, records: DynamicsRecords | Unread, file: str | None = None) -> Compared:
    """A mailbox of the estate beside what was read of Dynamics. `file` is the estate's own, where it is known."""
    if isinstance(records, Unread):
        return Compared(None)
    rows = records.of(mailbox)
    if isinstance(rows, Difference):
        return Compared(None, (rows,))
    waiting = None if records.pending is None else records.pending.get(rows.mailbox.id, Pending(0, None))
    return Compared(rows, differences(estate, mailbox, rows, file), waiting, records.alerts.get(rows.mailbox.id, ()))
