"""Dynamics within a run: signing in, the one way there for everything that reads its records, and its own state read once for whoever goes by it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from probe.config.secrets import SecretUnavailable
from probe.dynamics import Client, Credential, signed_in
from probe.dynamics.state import AskedPause, StateRecords, kept_of, recalled, state_readings, unread
from probe.dynamics.state_reading import RowsCounted, read_records
from probe.engine.accounts import Accounts
from probe.engine.observe import RunContext, until
from probe.engine.secrets import Secrets
from probe.engine.struck import struck_readings
from probe.memory import LastKnown, MemoryUnavailable
from probe.memory.last_known import LastState
from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER
from probe.model.estate import DEPLOYMENT_SUBJECT, DynamicsAccess, Estate, Mailbox, profile_subject
from probe.model.facts import Reading, Why
from probe.model.values import dataclass
from probe.net.dial import Dial, Network
from probe.net.failures import Throttled, UntrustedPeer, expected
from probe.net.limits import Deadline
from probe.net.threads import in_thread
from probe.net.transcript import Recorder
from probe.probing import Notebook
from probe.probing.proofs import NotClaimed

T = TypeVar("T")

SIGN_IN_SECONDS = 120.0
"""What one sign-in may take, pauses that the server asks for included."""
SESSION_SECONDS = 600.0
"""For all that is asked over one sign-in, where the caller gives no other time. Each request has a bound of its own."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Why Dynamics' records were not read."""

    why: Why
    detail: str
    """The reason in a sentence without a full stop."""
    at: datetime
    """When it was tried."""
    pause: AskedPause | None = None
    """That the server asked to be left alone; None where it did not."""


class DynamicsState(NamedTuple):
    """What is told of Dynamics' own state."""

    readings: tuple[Reading, ...]
    pause: AskedPause | None = None
    """That the server asked to be left alone; None where it did not."""


async def read_state(
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    context: RunContext,
    network: Network,
    *,
    all_of_them: bool = False,
    every_alert: bool = False,
    progress: RowsCounted = lambda count: None,
) -> StateRecords | NotRead:
    """Dynamics' own state of some mailboxes of an estate that has `[dynamics]`, as `probe.dynamics.state_reading.read_records` reads it.

    It ends where the run of `context` does. Raises nothing that a server, a secret or the ledger can cause.
    """
    access, at = estate.dynamics, context.clock()
    assert access is not None
    try:
        async with asyncio.timeout(context.deadline) as patience, until(context.stop, patience):
            try:
                async with organization(access, estate.deployment.authorities, context, network) as client:
                    return await read_records(
                        client, estate, mailboxes, at, all_of_them=all_of_them, every_alert=every_alert, progress=progress
                    )
            except Exception as failure:  # noqa: BLE001 - what nobody expected is called a bug, and costs the run nothing else
                why, detail = _reason(failure, access, context)
                return NotRead(why, detail, at, AskedPause(failure.pause_seconds) if isinstance(failure, Throttled) else None)
    except TimeoutError:
        if context.stop.is_set():
            return NotRead(Why.INTERRUPTED, "the run was interrupted", at)
        return NotRead(Why.TIMED_OUT, f"the run's deadline of {context.deadline:g} s had come", at)
    raise AssertionError("nothing of these swallows a failure")


async def told_state(
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    context: RunContext,
    network: Network,
    *,
    all_of_them: bool,
    progress: RowsCounted,
) -> DynamicsState:
    """What Dynamics' own state says of some mailboxes, read as by `read_state` and told as by `readings_of`."""
    state = await read_state(estate, mailboxes, context, network, all_of_them=all_of_them, progress=progress)
    return DynamicsState(await readings_of(state, estate, mailboxes, context), state.pause)


async def readings_of(
    state: StateRecords | NotRead, estate: Estate, mailboxes: Sequence[Mailbox], context: RunContext
) -> tuple[Reading, ...]:
    """What Dynamics' own state says of some of an estate's mailboxes, which is kept; where it could not be read, what is kept of the last time.

    Nothing is kept, and nothing known, without a memory. Raises nothing that the memory can cause.
    """
    if isinstance(state, StateRecords):
        readings = state_readings(state, estate)
        is_whole = set(state.asked) >= {mailbox.address for mailbox in estate.mailboxes}
        kept = kept_of(struck_readings(readings, context.redactor))
        await _remembering(context, lambda last: last.keep(_place(estate), state.at, kept, is_whole=is_whole))
        return readings
    return await _recalled(state, estate, mailboxes, context)


async def last_readings(estate: Estate, mailboxes: Sequence[Mailbox], context: RunContext) -> tuple[Reading, ...]:
    """What is kept of Dynamics' own state as it was read last, be it by a program before this one. Of whether it can be read now that says nothing."""
    recalled = await _recalled(NotRead(Why.NOT_ATTEMPTED, "", context.clock()), estate, mailboxes, context)
    return tuple(reading for reading in recalled if reading.key is not v.DYNAMICS_ORGANIZATION_ID)


async def _recalled(state: NotRead, estate: Estate, mailboxes: Sequence[Mailbox], context: RunContext) -> tuple[Reading, ...]:
    subjects = [
        DEPLOYMENT_SUBJECT,
        *(profile_subject(profile.name) for profile in estate.profiles),
        *(mailbox.address for mailbox in mailboxes),
    ]
    known: dict[str, LastState] | None = None
    if state.why is not Why.INTERRUPTED:
        known = await _remembering(context, lambda last: last.known(_place(estate), subjects, context.clock()))
    try:
        return recalled(known or {}, context.clock(), state.why, state.detail, state.at)
    except (ValueError, TypeError, KeyError, AttributeError):
        # Of another version, or damaged.
        return unread(state.why, state.detail, state.at)


async def _remembering(context: RunContext, work: Callable[[LastKnown], T]) -> T | None:
    memory = context.memory
    if memory is None:
        return None
    try:
        return await in_thread(lambda: work(memory.last_known), "probe-last-known")
    except MemoryUnavailable as unavailable:
        context.warn(f"what Dynamics says is not remembered: {unavailable}")
        return None


def _place(estate: Estate) -> str:
    """Under which name an estate's state is kept. Another organization at the same address is another place."""
    access = estate.dynamics
    assert access is not None
    bound = "" if access.organization is None else access.organization.id
    return "\n".join((estate.deployment.name, str(access.url).lower(), bound))


def _reason(failure: Exception, access: DynamicsAccess, context: RunContext) -> tuple[Why, str]:
    match failure:
        case SecretUnavailable():
            return Why.NO_CREDENTIALS, str(failure)
        case NotClaimed():
            return Why.DENIED, str(failure)
    if (named := expected(failure)) is not None:
        return WHY_AFTER[named[0]], context.redactor.clean_sentence(named[1])
    # As of an attempt: the places alone, since the text may hold what it was given.
    places = "".join(traceback.format_tb(failure.__traceback__))
    context.report_bug(f"Dynamics' records at {access.url}: {type(failure).__name__}\n{places}")
    return Why.BUG, f"a bug in probe: {type(failure).__name__}; please report it"


@asynccontextmanager
async def organization(
    access: DynamicsAccess, authorities: Collection[str], context: RunContext, network: Network, *, seconds: float = SESSION_SECONDS
) -> AsyncIterator[Client]:
    """The organization of an estate, signed in to through the ledger of the run; `network` has the anchors that vouch for it.

    One sign-in of an account goes on at a time. Raises SecretUnavailable, UntrustedPeer for anchors that cannot be read, NotClaimed where the
    ledger bars the account, and what `probe.dynamics.signed_in` raises.
    """
    if (ca := access.ca) is not None:
        await in_thread(lambda: _check_readable(ca), "probe-anchors")
    url = access.url.endpoint.url
    async with AsyncExitStack() as stack:
        credential = None
        if access.username is not None and access.password is not None:
            password = (await Secrets.read([access.password], context.timeout)).of(access.password)
            context.redactor.add([password.reveal()])
            identity = (access.username.lower(), password.reveal())
            accounts = Accounts(context.memory, context.clock, timedelta(seconds=SIGN_IN_SECONDS), context.locks)
            await stack.enter_async_context(accounts.lock(identity))
            if (barred := await accounts.barred(identity, url)) is not None:
                raise NotClaimed(barred.reason)
            proof = accounts.proof(identity, url)
            stack.callback(proof.close)
            credential = Credential(username=access.username, password=password, proof=proof)
        deadline = await stack.enter_async_context(Deadline(seconds))
        dial = Dial(access.url.endpoint, network, deadline, Recorder(context.redactor, context.budget))
        notes = Notebook("dynamics", url, None, context.clock, context.redactor.clean_sentence)
        yield await stack.enter_async_context(signed_in(access, credential, dial, notes, authorities=tuple(authorities)))


def _check_readable(ca_file: str) -> None:
    try:
        with Path(ca_file).open("rb"):
            pass
    except OSError as failed:
        raise UntrustedPeer(f"the trust anchors at {ca_file} cannot be read: {failed.strerror}") from failed
