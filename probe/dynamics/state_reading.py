"""Dynamics' own state read: the records of mailboxes of an estate, over one sign-in and in one listing, for whoever asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from probe.dynamics.client import Client
from probe.dynamics.found import FoundRows
from probe.dynamics.records import MailboxRow
from probe.dynamics.state import AskedPause, StateRecords, is_processed
from probe.model.estate import Estate, Mailbox
from probe.net.failures import PeerFailure, Throttled

T = TypeVar("T")

FEW = 200
"""Mailboxes that are asked for by id and address; of more the whole table is read, which takes fewer requests."""
ALERTS_OF = timedelta(days=30)
"""For how long back alerts are asked for."""
MOST_ALERTED = 1000
"""Mailboxes whose alerts are asked for, in requests of 20: an outage makes all of them fail."""
_MOST_NOTED = 10
_FAILURE = 2

RowsCounted = Callable[[int], None]
"""Is told how many mailboxes of Dynamics have come."""


async def read_records(
    client: Client,
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    at: datetime,
    *,
    all_of_them: bool = False,
    every_alert: bool = False,
    progress: RowsCounted = lambda count: None,
) -> StateRecords:
    """What Dynamics holds of these mailboxes of an estate and of every profile; with `all_of_them` out of a listing of all that there are.

    Of all, no more is kept than the rows that are asked for. With `every_alert` alerts are read of mailboxes in which nothing failed too. Alerts and
    waiting mail are left out where they cannot be read, and not asked for once the server asks to be left alone. Raises what `Client` raises.
    """
    profiles = await client.profiles()
    found = FoundRows(estate.mailboxes)
    last: datetime | None = None
    are_all = all_of_them or len(mailboxes) > FEW
    if are_all:
        count = 0
        async for page in client.mailboxes():
            found.take(page)
            touched = [row.last_attempt for row in page if row.last_attempt is not None and is_processed(row)]
            last = max([*touched, *([] if last is None else [last])], default=None)
            count += len(page)
            progress(count)
    else:
        found.take(await client.mailboxes_by_id([mailbox.id for mailbox in mailboxes if mailbox.id is not None]))
        found.take(await client.mailboxes_by_address([mailbox.address for mailbox in mailboxes if found.of(mailbox) is None]))
    rows = {mailbox.address: row for mailbox in mailboxes if (row := found.of(mailbox)) is not None}
    beside = _Beside(_unsettled(found, rows, mailboxes))
    ids = _alerted(rows, every=every_alert)
    alerts = await beside.read("the alerts", partial(client.alerts, ids, at - ALERTS_OF)) if ids else ()
    pending = await beside.read("the mails that wait to be sent", client.pending_mail)
    return StateRecords(
        organization=client.organization,
        at=at,
        profiles=profiles,
        asked=[mailbox.address for mailbox in mailboxes],
        rows=rows,
        are_all=are_all,
        last_attempt=last,
        alerts=alerts or (),
        pending=pending,
        risk=client.risk,
        notes=tuple(beside.notes),
        pause=beside.pause,
    )


def _unsettled(found: FoundRows, rows: Mapping[str, MailboxRow], mailboxes: Sequence[Mailbox]) -> Iterator[str]:
    """A sentence on each address that several rows have of which none goes before the others."""
    several = [mailbox for mailbox in mailboxes if found.equals(mailbox) > 1]
    for mailbox in several[:_MOST_NOTED]:
        yield (
            f"{found.equals(mailbox)} mailboxes of Dynamics have the address {mailbox.address}, and {rows[mailbox.address].id} is taken for the one that is "
            "meant; its id in the estate would tell"
        )
    if len(several) > _MOST_NOTED:
        yield f"{len(several) - _MOST_NOTED} more addresses are those of several mailboxes of Dynamics"


def _alerted(rows: Mapping[str, MailboxRow], *, every: bool) -> list[str]:
    """Ids of the mailboxes whose alerts are asked for: those that failed first."""
    failed = [row.id for row in rows.values() if row.appointments_status is not None and row.appointments_status.value == _FAILURE]
    others = [row.id for row in rows.values()][:FEW] if every else []
    return list(dict.fromkeys((*failed[:MOST_ALERTED], *others)))


class _Beside:
    """What is read beside the rows, and left out where it cannot be."""

    def __init__(self, notes: Iterator[str]) -> None:
        self.notes = list(notes)
        """What is open about the rows, then what could not be read, each in a sentence."""
        self._wait: Throttled | None = None

    @property
    def pause(self) -> AskedPause | None:
        """That the server asked to be left alone; None where it did not."""
        return None if self._wait is None else AskedPause(self._wait.pause_seconds)

    async def read(self, what: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What the server answers; None where it does not, and without asking once it has asked to be left alone."""
        try:
            if self._wait is not None:
                raise self._wait
            return await ask()
        except PeerFailure as failure:
            self.notes.append(f"{what} could not be read: {failure}")
            self._wait = failure if isinstance(failure, Throttled) else self._wait
            return None
