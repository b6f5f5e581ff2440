"""Reads of Dynamics what the gate compares: the one module of this room that talks to anybody. It reads, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from probe.config.secrets import SecretUnavailable
from probe.dynamics import Client, EmailServerProfile, MailboxRow, MoreThan, PendingMail
from probe.engine.observe import RunContext, until
from probe.gate.foretelling import Pending
from probe.gate.records import NOT_DECLARED, DynamicsRecords, Unread
from probe.model.estate import Estate
from probe.net.dial import Network
from probe.net.failures import PeerFailure, expected
from probe.organization import organization

FEW = 200
"""Mailboxes that are asked for by their addresses; of more the whole table is read, which takes fewer requests."""
ALERTS_SINCE = timedelta(days=7)
"""Alerts are read for the machines that they name: those that run now."""


async def read_records(estate: Estate, addresses: Collection[str], context: RunContext, network: Network) -> DynamicsRecords | Unread:
    """Dynamics' records of the mailboxes with these addresses. Raises nothing that a server, a secret or the ledger can cause.

    `context` is that of the run, whose ledger the sign-in goes through; `network` has the anchors that vouch for Dynamics.
    """
    access = estate.dynamics
    if access is None:
        return NOT_DECLARED
    try:
        async with asyncio.timeout(context.deadline) as patience, until(context.stop, patience):
            try:
                async with organization(access, estate.deployment.authorities, context, network) as client:
                    return await _records(client, addresses, context.clock())
            except SecretUnavailable as unavailable:
                return Unread(str(unavailable))
            except Exception as failure:
                if (named := expected(failure)) is None:
                    raise
                return Unread(context.redactor.clean_sentence(named[1]))
    except TimeoutError:
        return Unread("it was interrupted" if context.stop.is_set() else f"the run's deadline of {context.deadline:g} s had come")
    raise AssertionError("nothing of these swallows a failure")


async def _records(client: Client, addresses: Collection[str], now: datetime) -> DynamicsRecords:
    if len(addresses) > FEW:
        wanted = {address.lower() for address in addresses}
        rows = tuple([row async for page in client.mailboxes() for row in page if (row.address or "").lower() in wanted])
    else:
        rows = await client.mailboxes_by_address(addresses)
    profiles = {profile.id: profile for profile in await client.profiles()}
    notes: list[str] = []
    pending: dict[str, Pending] | None = None
    try:
        pending = _by_mailbox(await client.pending_mail())
        if pending is None:
            notes.append("more mails wait to be sent than Dynamics counts, so that it is not known how many are a mailbox's")
    except PeerFailure as failure:
        notes.append(f"the mails that wait to be sent could not be read: {failure}")
    machines = [row.last_error_machine for row in rows]
    try:
        about = [row.id for row in rows[:FEW]]
        machines += [alert.machine for alert in await client.alerts(about, now - ALERTS_SINCE)]
    except PeerFailure as failure:
        notes.append(f"the alerts could not be read: {failure}")
    return DynamicsRecords(
        organization=client.organization,
        rows=rows,
        profiles=_of_rows(rows, profiles),
        pending=pending,
        machines=tuple(dict.fromkeys(filter(None, machines))),
        risk=client.risk,
        notes=tuple(notes),
    )


def _of_rows(rows: Iterable[MailboxRow], profiles: dict[str, EmailServerProfile]) -> dict[str, EmailServerProfile]:
    return {row.profile: profiles[row.profile] for row in rows if row.profile in profiles}


def _by_mailbox(told: tuple[PendingMail, ...] | MoreThan) -> dict[str, Pending] | None:
    if isinstance(told, MoreThan):
        return None
    return {one.mailbox: Pending(one.count, one.oldest) for one in told if one.mailbox is not None}
