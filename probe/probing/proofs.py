"""The claim for a proof of a credential, and how it ended: what every sign-in method tells the ledger.

A server counts what it was sent, not how we read its answer. So a sign-in is claimed just before the password, or
what is made of it, is sent; and the claim stands until the server has accepted it. An account that was refused is not tried again. One
that was neither accepted nor refused may have been refused, and is tried again only after a pause.
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
    """A proof must not be sent now, and was not. The message says why."""

    outcome = Outcome.NOT_SCHEDULED


class Proof(Protocol):
    """The claim of one account in one attempt. An attempt may claim again once the claim before it has ended."""

    async def claim(self) -> None:
        """Await it just before a proof is sent. Raises NotClaimed where it must not be sent."""
        ...

    async def release(self) -> None:
        """No proof was sent after all."""
        ...

    async def end(self, ending: Ending) -> None:
        """How it ended. A claim that is neither released nor ended stays one whose end was not seen."""
        ...

    def at(self, place: str) -> AbstractAsyncContextManager[Proof]:
        """The claim of the same account at a service beside the endpoint that let it in, such as Autodiscover. A refusal there bars it there alone.

        Until that service has let the account in during this run, one sign-in at a time goes there.
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
