"""Reads of Dynamics what the gate compares: the one module of this room that talks to anybody. It reads, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from probe.config.secrets import SecretUnavailable
from probe.dynamics import Client, Credential, EmailServerProfile, MailboxRow, MoreThan, PendingMail, signed_in
from probe.engine.accounts import Accounts
from probe.engine.observe import RunContext, until
from probe.engine.secrets import Secrets
from probe.gate.foretelling import Pending
from probe.gate.records import NOT_DECLARED, DynamicsRecords, Unread
from probe.model.estate import DynamicsAccess, Estate
from probe.net.dial import Dial, Network
from probe.net.failures import PeerFailure, expected
from probe.net.limits import Deadline
from probe.net.transcript import Recorder
from probe.probing import Notebook

READ_SECONDS = 600.0
"""For all that is read of Dynamics, signing in included."""
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
                return await _read(access, estate, addresses, context, network)
            except SecretUnavailable as unavailable:
                return Unread(str(unavailable))
            except Exception as failure:
                if (named := expected(failure)) is None:
                    raise
                return Unread(context.redactor.clean_sentence(named[1]))
    except TimeoutError:
        return Unread("it was interrupted" if context.stop.is_set() else f"the run's deadline of {context.deadline:g} s had come")
    raise AssertionError("nothing of these swallows a failure")


async def _read(
    access: DynamicsAccess, estate: Estate, addresses: Collection[str], context: RunContext, network: Network
) -> DynamicsRecords | Unread:
    accounts = Accounts(context.memory, context.clock, timedelta(seconds=READ_SECONDS), context.locks)
    endpoint = access.url.endpoint
    async with AsyncExitStack() as stack:
        credential = None
        if access.username is not None and access.password is not None:
            password = (await Secrets.read([access.password], context.timeout)).of(access.password)
            context.redactor.add([password.reveal()])
            identity = (access.username.lower(), password.reveal())
            await stack.enter_async_context(accounts.lock(identity))
            if (barred := await accounts.barred(identity, endpoint.url)) is not None:
                return Unread(barred.reason)
            proof = accounts.proof(identity, endpoint.url)
            stack.callback(proof.close)
            credential = Credential(username=access.username, password=password, proof=proof)
        deadline = await stack.enter_async_context(Deadline(READ_SECONDS))
        dial = Dial(endpoint, network, deadline, Recorder(context.redactor, context.budget))
        notes = Notebook("dynamics", endpoint.url, None, context.clock, context.redactor.clean_sentence)
        authorities = estate.deployment.authorities
        client = await stack.enter_async_context(signed_in(access, credential, dial, notes, authorities=authorities))
        return await _records(client, addresses, context.clock())
    raise AssertionError("no manager of these swallows a failure")


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
