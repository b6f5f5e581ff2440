"""Dynamics within a run: signing in, the one way there for everything that reads its records, and its own state read once for whoever goes by it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from probe.config.secrets import SecretUnavailable
from probe.dynamics import Client, Credential, signed_in
from probe.dynamics.state import StateRecords
from probe.dynamics.state_reading import RowsCounted, read_records
from probe.engine.accounts import Accounts
from probe.engine.observe import RunContext, until
from probe.engine.secrets import Secrets
from probe.model.attempts import WHY_AFTER
from probe.model.estate import DynamicsAccess, Estate, Mailbox
from probe.model.facts import Why
from probe.model.values import dataclass
from probe.net.dial import Dial, Network
from probe.net.failures import UntrustedPeer, expected
from probe.net.limits import Deadline
from probe.net.threads import in_thread
from probe.net.transcript import Recorder
from probe.probing import Notebook
from probe.probing.proofs import NotClaimed

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
                return NotRead(why, detail, at)
    except TimeoutError:
        if context.stop.is_set():
            return NotRead(Why.INTERRUPTED, "the run was interrupted", at)
        return NotRead(Why.TIMED_OUT, f"the run's deadline of {context.deadline:g} s had come", at)
    raise AssertionError("nothing of these swallows a failure")


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
