"""Dynamics' own state read: the records of the mailboxes of an estate, in one listing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from probe.dynamics.client import Client
from probe.dynamics.failures import MissingPrivilege, RequestFailed
from probe.dynamics.records import MailboxRow, MoreThan, PendingMail, TraceLog
from probe.dynamics.state import StateRecords, is_processed, rows_of

_FAILURE = 2
_ALERTS_OF = timedelta(days=30)
"""For how long back alerts are asked for."""


async def read_records(client: Client, addresses: Collection[str], at: datetime, *, all_of_them: bool) -> StateRecords:
    """What Dynamics holds of these mailboxes and of every profile; with `all_of_them` out of a listing of all that there are.

    Of all, no more is kept than the mailboxes that are asked for and the one that was processed last. Alerts and waiting mail are left out where
    the account may not read them. Raises what `Client` raises.
    """
    profiles = await client.profiles()
    found: dict[str, MailboxRow] = {}
    latest: MailboxRow | None = None
    if all_of_them:
        async for page in client.mailboxes():
            found = rows_of((*found.values(), *page), addresses)
            processed = [row for row in (*page, *([] if latest is None else [latest])) if is_processed(row)]
            latest = max(processed, key=lambda row: row.last_attempt or at, default=latest)
    else:
        found = rows_of(await client.mailboxes_by_address(addresses), addresses)
    rows = {row.id: row for row in (*found.values(), *([] if latest is None else [latest]))}
    return StateRecords(
        organization=client.organization,
        profiles=profiles,
        mailboxes=tuple(rows.values()),
        are_all=all_of_them,
        alerts=await _alerts(client, [row.id for row in found.values() if _has_failed(row)], at),
        pending=await _pending(client),
    )


def _has_failed(row: MailboxRow) -> bool:
    return row.appointments_status is not None and row.appointments_status.value == _FAILURE


async def _alerts(client: Client, ids: Collection[str], at: datetime) -> tuple[TraceLog, ...]:
    try:
        return await client.alerts(ids, at - _ALERTS_OF) if ids else ()
    except MissingPrivilege:
        return ()


async def _pending(client: Client) -> Sequence[PendingMail] | MoreThan | None:
    try:
        return await client.pending_mail()
    except (MissingPrivilege, RequestFailed):
        return None
