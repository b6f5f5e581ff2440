"""Signing in to Dynamics within a run: the one way there for everything that reads its records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from probe.dynamics import Client, Credential, signed_in
from probe.engine.accounts import Accounts
from probe.engine.observe import RunContext
from probe.engine.secrets import Secrets
from probe.model.estate import DynamicsAccess
from probe.net.dial import Dial, Network
from probe.net.failures import UntrustedPeer
from probe.net.limits import Deadline
from probe.net.threads import in_thread
from probe.net.transcript import Recorder
from probe.probing import Notebook
from probe.probing.proofs import NotClaimed

SIGN_IN_SECONDS = 120.0
"""What one sign-in may take, pauses that the server asks for included."""
SESSION_SECONDS = 600.0
"""For all that is asked over one sign-in, where the caller gives no other time. Each request has a bound of its own."""


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
