"""The moment at which a proof of a credential leaves, and how that ended: what every way to sign in tells the ledger.

A server counts what it was sent, not what we make of its answer. So a sign-in is claimed just before the password, or
what is made of it, leaves; and the claim stands until the server accepted it. Who was refused is not tried again; whoever was
neither accepted nor refused may have been refused, and is tried again only after a pause.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import StrEnum
from typing import Protocol

from probe.model.attempts import Outcome
from probe.net.failures import PeerFailure
from probe.wire.refusals import is_for_now, names_the_credential, says_later


class Ending(StrEnum):
    """What came of one proof. Decided by the server's acceptance and by codes of the protocol, never by words meant for people."""

    ACCEPTED = "accepted"
    """The server let the account in."""
    REFUSED = "refused"
    """A refusal that names the credential: `[AUTH]`, `[AUTHENTICATIONFAILED]`, 535, HTTP 401, `invalid_grant`; and does not say "later"."""
    TURNED_DOWN = "turned-down"
    """An answer that is a refusal, and does not say that it is the credential."""
    UNSEEN = "unseen"
    """No answer that settles it: silence, the end of the connection, "later", a page, garbage."""


def ending_of_refusal(reply: str) -> Ending:
    """How a sign-in to a mail server ended that was answered by this refusal, less an IMAP tag: `NO ...`, `-ERR ...`, or the lines of an SMTP reply."""
    if names_the_credential(reply):
        return Ending.TURNED_DOWN if says_later(reply) else Ending.REFUSED
    return Ending.UNSEEN if is_for_now(reply) else Ending.TURNED_DOWN


class NotClaimed(PeerFailure):
    """A proof that must not leave now: nothing was sent. The message says why."""

    outcome = Outcome.NOT_SCHEDULED


class Proof(Protocol):
    """The claim of one account in one attempt. An attempt may claim again once the claim before it has ended."""

    async def claim(self) -> None:
        """To be awaited just before a proof leaves. Raises NotClaimed where it must not."""
        ...

    async def release(self) -> None:
        """No proof left after all."""
        ...

    async def end(self, ending: Ending) -> None:
        """How it ended. A claim that is neither released nor ended stays one whose end was not seen."""
        ...

    def at(self, place: str) -> AbstractAsyncContextManager[Proof]:
        """The same account at a place beside the endpoint that let it in, such as Autodiscover: who is refused there is barred there alone.

        Until the place has let the account in during this run, one at a time may be there.
        """
        ...


class Unrecorded:
    """A proof that nobody keeps a record of, for conversations outside a run."""

    async def claim(self) -> None:
        """Always granted."""

    async def release(self) -> None:
        """Nothing to take back."""

    async def end(self, ending: Ending) -> None:
        """Nothing to keep."""

    @asynccontextmanager
    async def at(self, place: str) -> AsyncIterator[Proof]:
        """The same."""
        yield self
