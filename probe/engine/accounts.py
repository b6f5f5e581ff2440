"""The sign-in ledger of a run, in front of the machine's: who may sign in where, and what came of it.

A server counts proofs of a credential. So an account sends one proof at a time, and the next only after the last was accepted. An account that
was not accepted at one server is not tried at another. At an EWS endpoint that has let the account in, several may run side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from probe.memory import LEFT_ALONE, Identity, LastSignIn, MailboxSignIn, Memory, MemoryUnavailable
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Endpoint, Service
from probe.model.facts import Fact, Why
from probe.model.values import dataclass
from probe.probing.proofs import Ending, NotClaimed

LedgerKey = tuple[str, str]
"""User name, lower-case, and password: what a server would count as one."""


Locks = WeakValueDictionary[tuple[LedgerKey, str], asyncio.Lock]
"""The lock that a sign-in holds, so that an account signs in once at a time across all runs. The credential is kept only while the lock is held."""


_ASKED_AGAIN_SECONDS = 0.2
"""After which it is looked again for the answer of a sign-in that another run, here or in another program, makes just now."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Why an account does not sign in."""

    reason: str
    why: Why


class Accounts:
    """The accounts of one run."""

    def __init__(
        self, memory: Memory | None, clock: Callable[[], datetime], longest: timedelta, locks: Locks, *, regardless: bool = False
    ) -> None:
        """`longest` is what one attempt may take. `locks` are those of the process. Without a memory nothing else outlives the run.

        `regardless`: a person wants the accounts to sign in, however short a time ago they did.
        """
        self._memory = memory
        self._clock = clock
        self._longest = longest
        self._locks = locks
        self._regardless = regardless
        self._occasion = secrets.token_bytes(16)
        """Of the run: a login and the round trip that follows it are one sign-in."""
        self._let_in: set[tuple[LedgerKey, str]] = set()
        self._barred: dict[tuple[LedgerKey, str], str] = {}
        self._known: dict[LedgerKey, Identity] = {}

    def lock(self, account: LedgerKey, what: str = "") -> asyncio.Lock:
        """What to hold while signing in, or while finding out that it need not be held; `what` names one for something else."""
        return self._locks.setdefault((account, what), asyncio.Lock())

    def may_sign_in_beside(self, account: LedgerKey, endpoint: Endpoint) -> bool:
        """Whether logins of the account may go on side by side there: at an EWS endpoint that has let it in during this run.

        One account opens many mailboxes there. A mail server opens the account's own, and some let one session in at a time.
        """
        return endpoint.service is Service.EWS and (account, endpoint.url) in self._let_in

    async def barred(self, account: LedgerKey, subject: str, *, regardless: bool = False) -> Barred | None:
        """Why the account does not sign in there now; None where it may. Claims nothing. `regardless`: as if a person wanted it to."""
        if (reason := self._barred.get((account, ""))) is not None:
            return Barred(reason, Why.DENIED)
        if self._memory is None:
            return None
        try:
            identity = await self._identity(self._memory, account)
            if reason := await asyncio.to_thread(self._memory.resting, identity, subject, self._clock()):
                return Barred(reason, Why.THROTTLED)
            if reason := await self._barred_in(self._memory, identity, regardless=regardless):
                return Barred(reason, Why.DENIED)
        except MemoryUnavailable as unavailable:
            return Barred(_unremembered(unavailable), Why.NOT_ATTEMPTED)
        return None

    async def _barred_in(self, memory: Memory, identity: Identity, *, regardless: bool) -> str | None:
        """Why the ledger bars credentials. Where a person wants them sent, a sign-in that may be under way elsewhere is waited for."""

        async def ask(longest: timedelta | None) -> str | None:
            return await asyncio.to_thread(memory.barred, identity, self._clock(), longest=longest)

        if not (regardless or self._regardless):
            return await ask(None)
        reason = await ask(timedelta(0))
        if reason is None and self._regardless:
            loop = asyncio.get_running_loop()
            patience = loop.time() + self._longest.total_seconds()
            while True:
                reason = await ask(self._longest)
                if reason is None or loop.time() >= patience:
                    break
                await asyncio.sleep(_ASKED_AGAIN_SECONDS)
        return reason

    async def last_sign_in(self, account: LedgerKey, sign_in: MailboxSignIn) -> LastSignIn | Barred | None:
        """The sign-in in whose place there is no other now, once its answer is there or will not come; None where the account may sign in.

        Barred where that cannot be known.
        """
        memory = self._memory
        if memory is None or self._regardless:
            return None
        loop = asyncio.get_running_loop()
        patience = loop.time() + self._longest.total_seconds()
        try:
            identity = (await self._identity(memory, account)).identity
            while True:
                last = await asyncio.to_thread(memory.sign_ins.last, identity, sign_in, self._occasion, self._clock())
                if last is None or not last.is_under_way(self._clock()) or loop.time() >= patience:
                    return last
                await asyncio.sleep(_ASKED_AGAIN_SECONDS)
        except MemoryUnavailable as unavailable:
            return Barred(_unremembered(unavailable), Why.NOT_ATTEMPTED)

    def proof(self, account: LedgerKey, subject: str, sign_in: MailboxSignIn | None = None, *, has_password: bool = True) -> AttemptProof:
        """The claims of an account in one attempt at an endpoint; `sign_in` is for which mailbox, where it is for one.

        Without a password, as by a ticket, there is none that a server could count as wrong: the ledger has no entry of it, the table of sign-ins has.
        """
        of = None if sign_in is None else SignInClaim(sign_in)
        return AttemptProof(self, account, subject, of) if has_password else TicketProof(self, account, subject, of)

    async def claim(self, account: LedgerKey, subject: str, place: str, of: SignInClaim | None) -> None:
        """A proof is about to leave. Raises NotClaimed."""
        if reason := self._barred.get((account, place)) or self._barred.get((account, "")):
            raise NotClaimed(reason)
        if self._memory is None:
            return
        try:
            identity = await self._identity(self._memory, account)
            if of is not None and not of.is_begun:
                await self._begin(self._memory, identity, of)
            try:
                refused = await asyncio.to_thread(
                    self._memory.claim, identity, subject, self._clock(), self._longest, place, by_a_person=self._regardless
                )
            except MemoryUnavailable:
                await self._cancel(self._memory, identity, of)
                raise
            if refused:
                await self._cancel(self._memory, identity, of)
        except MemoryUnavailable as unavailable:
            raise NotClaimed(_unremembered(unavailable)) from unavailable
        if refused:
            raise NotClaimed(refused)

    async def begin(self, account: LedgerKey, of: SignInClaim | None) -> None:
        """An account without a password is about to sign in. Raises NotClaimed."""
        if self._memory is None or of is None or of.is_begun:
            return
        try:
            await self._begin(self._memory, await self._identity(self._memory, account), of)
        except MemoryUnavailable as unavailable:
            raise NotClaimed(_unremembered(unavailable)) from unavailable

    async def cancel(self, account: LedgerKey, of: SignInClaim | None) -> None:
        """It did not sign in after all."""
        if self._memory is not None and account in self._known:
            with contextlib.suppress(MemoryUnavailable):
                await self._cancel(self._memory, self._known[account], of)

    def let_in(self, account: LedgerKey, where: str) -> None:
        """A proof of the account was accepted there."""
        self._let_in.add((account, where))

    async def _begin(self, memory: Memory, identity: Identity, of: SignInClaim) -> None:
        """Write down that an account signs in for a mailbox. Raises NotClaimed where another run does."""
        work = memory.sign_ins.begin
        whose = (identity.identity, identity.account, of.sign_in, self._occasion)
        last = await asyncio.to_thread(work, *whose, self._clock(), self._longest, regardless=self._regardless)
        if last is not None:
            of.is_forestalled = True
            raise NotClaimed("the account signs in here for this mailbox for somebody else")
        of.is_begun = True

    async def _cancel(self, memory: Memory, identity: Identity, of: SignInClaim | None) -> None:
        """Take that back, unless a proof of the attempt has left. What a person wanted sent stands in the place of a sign-in before it, which counts on."""
        if of is not None and of.is_begun and not of.has_left and not self._regardless:
            of.is_begun = False
            await asyncio.to_thread(memory.sign_ins.cancel, identity.identity, of.sign_in, self._occasion, self._clock())

    async def keep(self, account: LedgerKey, sign_in: MailboxSignIn, answer: Callable[[], bytes]) -> None:
        """Keep the answer of a sign-in for whoever asks again. Where that fails, it is one whose answer was not kept."""
        memory = self._memory
        if memory is not None:
            identity = self._known[account].identity
            with contextlib.suppress(MemoryUnavailable):
                await asyncio.to_thread(lambda: memory.sign_ins.keep(identity, sign_in, self._occasion, answer(), self._clock()))

    async def release(self, account: LedgerKey, place: str, of: SignInClaim | None) -> None:
        """No proof left after all."""
        if self._memory is not None:
            # If the memory fails now, it still holds the claim, which bars the account.
            with contextlib.suppress(MemoryUnavailable):
                await asyncio.to_thread(self._memory.release, self._known[account], place)
                await self._cancel(self._memory, self._known[account], of)

    async def end(self, account: LedgerKey, subject: str, ending: Ending, place: str) -> None:
        """What came of a proof."""
        if ending is Ending.ACCEPTED:
            self.let_in(account, place or subject)
        elif ending is Ending.REFUSED:
            self._barred[account, place] = "the account was refused a moment ago; it is not tried again"
        else:
            self.doubt(account, place)
        if self._memory is not None:
            with contextlib.suppress(MemoryUnavailable):
                await asyncio.to_thread(self._memory.end, self._known[account], ending, self._clock(), place)

    def doubt(self, account: LedgerKey, place: str) -> None:
        """A proof was sent, and whether it was accepted is not known."""
        self._barred[account, place] = "how a login of the account ended a moment ago is not certain; it is not tried again"

    def was_let_in(self, account: LedgerKey, where: str) -> bool:
        """Whether a proof of the account was accepted there during this run."""
        return (account, where) in self._let_in

    async def rest(self, account: LedgerKey, attempt: Attempt) -> None:
        """Keep what a server said of when it wants to be asked again."""
        memory = self._memory
        if memory is None:
            return
        known = {r.key: r.value for r in attempt.readings if isinstance(r, Fact)}
        now = self._clock()
        with contextlib.suppress(MemoryUnavailable):
            if v.AUTH_ACCEPTED in known and (delay := known.get(v.POP3_LOGIN_DELAY_SECONDS)):
                identity = await self._identity(memory, account)
                reason = f"the server wants {delay} s between logins of one account"
                await asyncio.to_thread(memory.rest, identity, attempt.subject, timedelta(seconds=delay), reason, now)
            if attempt.outcome is Outcome.THROTTLED:
                reason = f"the server asked to be left alone: {attempt.detail[:100]}"
                pause = max(LEFT_ALONE, timedelta(seconds=attempt.pause_seconds or 0))
                await asyncio.to_thread(memory.rest, None, attempt.subject, pause, reason, now)

    async def _identity(self, memory: Memory, account: LedgerKey) -> Identity:
        if account not in self._known:
            self._known[account] = await asyncio.to_thread(memory.identity, *account)
        return self._known[account]


class SignInClaim:
    """A sign-in for a mailbox, over all claims of the attempt that makes it."""

    __slots__ = ("has_left", "is_begun", "is_forestalled", "sign_in")

    def __init__(self, sign_in: MailboxSignIn) -> None:
        self.sign_in = sign_in
        self.is_begun = False
        """Whether it is written down."""
        self.has_left = False
        """Whether a proof of it has left."""
        self.is_forestalled = False
        """Whether another run signed in between the question and the claim."""


class AttemptProof:
    """The claims of one account in one attempt, as `probe.probing.proofs.Proof` has them."""

    def __init__(self, accounts: Accounts, account: LedgerKey, subject: str, of: SignInClaim | None = None, place: str = "") -> None:
        self._accounts = accounts
        self._account = account
        self._subject = subject
        self._place = place
        self._of = of
        self._is_claimed = False

    @property
    def is_sign_in(self) -> bool:
        """Whether the attempt signed in for its mailbox: a proof has left, or may have."""
        return self._of is not None and self._of.is_begun

    @property
    def is_forestalled(self) -> bool:
        """Whether no proof was claimed since another run signs in for the mailbox."""
        return self._of is not None and self._of.is_forestalled

    async def claim(self) -> None:
        """As in Proof."""
        assert not self._is_claimed, "the claim before this one has not ended"
        await self._claim()
        self._is_claimed = True

    async def release(self) -> None:
        """As in Proof."""
        if self._is_claimed:
            self._is_claimed = False
            await self._release()

    async def end(self, ending: Ending) -> None:
        """As in Proof."""
        if self._is_claimed:
            self._is_claimed = False
            if self._of is not None:
                self._of.has_left = True
            await self._end(ending)

    async def _claim(self) -> None:
        await self._accounts.claim(self._account, self._subject, self._place, self._of)

    async def _release(self) -> None:
        await self._accounts.release(self._account, self._place, self._of)

    async def _end(self, ending: Ending) -> None:
        await self._accounts.end(self._account, self._subject, ending, self._place)

    @contextlib.asynccontextmanager
    async def at(self, place: str) -> AsyncIterator[AttemptProof]:
        """As in Proof."""
        proof = type(self)(self._accounts, self._account, place, self._of, place)
        async with contextlib.AsyncExitStack() as stack:
            lock = self._accounts.lock(self._account, place)
            await lock.acquire()
            if self._accounts.was_let_in(self._account, place):
                lock.release()
            else:
                stack.callback(lock.release)
            try:
                yield proof
            finally:
                proof.close()

    def close(self) -> None:
        """The attempt is over. A claim that was not ended is one whose end was not seen."""
        if self._is_claimed:
            self._accounts.doubt(self._account, self._place)


class TicketProof(AttemptProof):
    """The same of an account without a password. A refusal bars nothing: the next ticket may be another."""

    async def _claim(self) -> None:
        await self._accounts.begin(self._account, self._of)

    async def _release(self) -> None:
        await self._accounts.cancel(self._account, self._of)

    async def _end(self, ending: Ending) -> None:
        if ending is Ending.ACCEPTED:
            self._accounts.let_in(self._account, self._place or self._subject)

    def close(self) -> None:
        """As above; nothing is in doubt."""


def _unremembered(unavailable: MemoryUnavailable) -> str:
    return f"a refusal could not be remembered, so that no login is tried: {unavailable}"
