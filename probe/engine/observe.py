"""Holds conversations, each as a task with a deadline, and records attempts. The one place where an unexpected exception is called a bug."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from functools import partial

from probe.config.secrets import SecretUnavailable
from probe.engine.accounts import Accounts, Barred, LedgerKey, Locks
from probe.engine.addresses import at_each_address
from probe.engine.plan import Anonymous, Conversation, NotHeld, Plan, PlannedRoundTrip, SignsIn
from probe.engine.secrets import Secrets
from probe.engine.sign_ins import answer_of, not_again, sign_in_of, taken
from probe.memory import MailboxSignIn, Memory
from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Attempt, Outcome, packed
from probe.model.estate import Endpoint, Secret
from probe.model.facts import Fact, Missing, Why
from probe.model.values import dataclass
from probe.net.dial import Dial, Network
from probe.net.failures import CertificateNotTrusted, OffProtocol, PlaintextInsteadOfTls, Throttled, TlsFailed, expected
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.threads import in_thread
from probe.net.transcript import Budget, Recorder
from probe.probing import EndpointSubject, LoginSubject, Notebook, Prober, RoundTripSubject, TlsSubject
from probe.wire.lines import WireError

_log = logging.getLogger(__name__)

Subject = Anonymous | LoginSubject | RoundTripSubject
"""What a prober is handed."""

Progress = Callable[[Collection[Conversation], int], None]
"""Called before the first conversation and each time one has ended, with those that have not, and the number of all."""


ATTEMPTS_AT_ONCE = 200
"""Attempts under way at a time. A handshake costs milliseconds of CPU, so a thousand at once would all run into their deadline. The clock of an
attempt that waits for its turn stands still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What holds for every attempt of a run."""

    probers: Mapping[str, Prober]
    """By id; a plan names them."""
    network: Network
    clock: Callable[[], datetime]
    timeout: float
    """Seconds for one attempt."""
    deadline: float | None = None
    """Seconds for all of them; None for no end."""
    report_bug: Callable[[str], None] = field(default=lambda text: None)
    """Called with the traceback of a bug."""
    warn: Callable[[str], None] = field(default=lambda text: None)
    """Called with one sentence that the operator should read besides the result."""
    progress: Progress = field(default=lambda left, of: None)
    memory: Memory | None = None
    """Where refused credentials are remembered from run to run; None where they are not, as in the demo."""
    signs_in_now: bool = False
    """Whether an account signs in for a mailbox however short a time ago it did, since a person says so."""
    redactor: Redactor = field(default_factory=Redactor)
    """Knows the secrets of the run, from before the first conversation on."""
    budget: Budget = field(default_factory=Budget)
    """The limit for the size of the run's transcripts."""
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ATTEMPTS_AT_ONCE))
    """Limits the attempts under way; runs of one process share it."""
    locks: Locks = field(default_factory=Locks)
    """Locks of the accounts that sign in; runs of one process share them."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it to end the run early and keep what was learnt until then."""


SAID_WITHOUT_BEING_TOLD = (
    "a password of this run is a word that servers say by themselves, or that one was told before; *** stands for it in all of the run, so that no gap "
    "tells which word it is; another password would make the report easier to read, and be harder to guess"
)


async def observe(plan: Plan, context: RunContext) -> tuple[tuple[Attempt, ...], bool]:
    """Hold the conversations of a plan. Gives an attempt for each, in their order, and whether the run was interrupted before its end.

    The names are looked up within the run, so that its deadline and its stop end a resolver that hangs. Where the task is cancelled, nothing is
    given: CancelledError passes through, and no task, child or connection of the run is left.
    """
    conversations: Sequence[Conversation] = plan.conversations
    attempts: dict[str, Attempt] = {}
    left: dict[str, Conversation] = {}
    sign_ins = [c.login for c in conversations if c.login is not None and c.not_held is None]
    if context.memory is not None and sign_ins and (passes := context.memory.passes_away()):
        context.warn(passes)
    longest = timedelta(seconds=context.timeout)
    accounts = Accounts(context.memory, context.clock, longest, context.locks, regardless=context.signs_in_now)

    async def hold(conversation: Conversation) -> None:
        attempt = await _hold(conversation, context, accounts, secrets, lambda done: attempts.__setitem__(done.id, done))
        attempts[attempt.id] = attempt
        _log_end(attempt)
        del left[conversation.name]
        context.progress(left.values(), len(conversations))

    ended_by, detail = None, ""
    try:
        async with asyncio.timeout(context.deadline) as patience, until(context.stop, patience):
            secrets = await Secrets.read((login.password for login in sign_ins if login.password is not None), context.timeout)
            await in_thread(lambda: context.redactor.add(secret.reveal() for secret in secrets.all()), "probe-redactor")
            if plan.asked.all_addresses:
                conversations = await at_each_address(conversations, context.network.resolver, context.timeout)
            left.update((conversation.name, conversation) for conversation in conversations)
            context.progress(left.values(), len(conversations))
            first, trips, hellos = _by_turn(conversations)
            quiet = _Quiet((*first, *trips))

            async def hold_hellos(conversation: Conversation) -> None:
                await quiet.come(conversation.endpoint)
                await hold(conversation)

            async def hold_first(conversation: Conversation) -> None:
                await hold(conversation)
                quiet.ended(conversation)

            async with asyncio.TaskGroup() as last:
                for conversation in hellos:
                    last.create_task(hold_hellos(conversation))
                async with asyncio.TaskGroup() as group:
                    for conversation in first:
                        group.create_task(hold_first(conversation))
                let_in = _let_in(attempts.values())
                async with asyncio.TaskGroup() as group:
                    for conversation in trips:
                        group.create_task(hold_first(_once_let_in(conversation, let_in)))
    except TimeoutError:
        if context.stop.is_set():
            ended_by, detail = Outcome.INTERRUPTED, "the run was interrupted"
        else:
            ended_by, detail = Outcome.TIMED_OUT, f"the run's deadline of {context.deadline:g} s had come"
    if ended_by is not None:
        _log.warning(detail, extra={"outcome": ended_by, "ended": len(attempts), "conversations": len(conversations)})
    if context.redactor.was_said_untold:
        context.warn(SAID_WITHOUT_BEING_TOLD)
    if ended_by is not None:
        for conversation in conversations:
            done = attempts.get(conversation.name)
            if done is None or done.outcome is Outcome.INTERRUPTED:
                attempts[conversation.name] = _cut_short(done, conversation, context, ended_by, detail)
    return tuple(attempts[conversation.name] for conversation in conversations), ended_by is Outcome.INTERRUPTED


def _log_end(attempt: Attempt) -> None:
    what = {"attempt": attempt.id, "outcome": attempt.outcome, "detail": attempt.detail}
    if attempt.outcome is Outcome.NOT_SCHEDULED:
        _log.info("attempt is not made", extra=what)
    else:
        _log.info("attempt ends", extra={**what, "connections": attempt.connections, "seconds": attempt.seconds})


@asynccontextmanager
async def until(stop: asyncio.Event, patience: asyncio.Timeout) -> AsyncIterator[None]:
    """A context within which setting the stop ends the timeout `patience` at once."""

    async def end() -> None:
        await stop.wait()
        if not patience.expired():
            patience.reschedule(asyncio.get_running_loop().time())

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(end())
        yield
        waiting.cancel()


def _by_turn(conversations: Iterable[Conversation]) -> tuple[list[Conversation], list[Conversation], list[Conversation]]:
    """Three groups: those held at once; the round trips, which wait for the logins; the TLS hellos, which wait for all else at their port."""
    first: list[Conversation] = []
    trips: list[Conversation] = []
    hellos: list[Conversation] = []
    for conversation in conversations:
        match conversation.subject:
            case TlsSubject():
                hellos.append(conversation)
            case PlannedRoundTrip():
                trips.append(conversation)
            case _:
                first.append(conversation)
    return first, trips, hellos


class _Quiet:
    """Knows when a port has only TLS hellos left. They wait for that, so that a server which limits connections refuses no conversation for them."""

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        self._left: dict[tuple[str, int], int] = {}
        self._events: dict[tuple[str, int], asyncio.Event] = {}
        for conversation in conversations:
            for place in _places(conversation):
                self._left[place] = self._left.get(place, 0) + 1

    async def come(self, endpoint: Endpoint) -> None:
        """Wait until no conversation is to be held there."""
        place = (endpoint.host, endpoint.port)
        if self._left.get(place):
            await self._events.setdefault(place, asyncio.Event()).wait()

    def ended(self, conversation: Conversation) -> None:
        """One of those conversations has been held, or will not be."""
        for place in _places(conversation):
            self._left[place] -= 1
            if not self._left[place] and place in self._events:
                self._events[place].set()


def _places(conversation: Conversation) -> set[tuple[str, int]]:
    """Host and port of the servers that a conversation is held with."""
    return {(endpoint.host, endpoint.port) for endpoint in conversation.endpoints}


def _let_in(attempts: Iterable[Attempt]) -> frozenset[tuple[str, str | None]]:
    """Where each mailbox's account was let in: endpoint and mailbox."""
    return frozenset(
        (attempt.subject, attempt.mailbox)
        for attempt in attempts
        if any(isinstance(r, Fact) and r.key == v.AUTH_ACCEPTED and r.value for r in attempt.readings)
    )


def _once_let_in(conversation: Conversation, let_in: frozenset[tuple[str, str | None]]) -> Conversation:
    """A conversation with two endpoints, held only if both let the account in during this run."""
    refused = [e.url for e in conversation.endpoints if (e.url, conversation.mailbox) not in let_in]
    if conversation.not_held or not refused:
        return conversation
    reason = f"the account was not let in at {' and '.join(refused)} before"
    return replace(conversation, not_held=NotHeld(Why.NOT_ATTEMPTED, reason))


def _cut_short(done: Attempt | None, conversation: Conversation, context: RunContext, outcome: Outcome, detail: str) -> Attempt:
    """An attempt that was cut short by the end of the run, which is the reason for its gaps."""
    why = WHY_AFTER[outcome]
    if done is None:
        return _unheld(conversation, context, NotHeld(why, detail), outcome)
    readings = tuple(
        replace(r, why=why, detail=detail) if isinstance(r, Missing) and r.why is Why.INTERRUPTED else r for r in done.readings
    )
    return replace(done, outcome=outcome, detail=detail, readings=readings)


def _unheld(conversation: Conversation, context: RunContext, not_held: NotHeld, outcome: Outcome = Outcome.NOT_SCHEDULED) -> Attempt:
    return unheld(conversation, not_held, context.probers[conversation.prober], context.clock(), outcome)


def unheld(
    conversation: Conversation, not_held: NotHeld, prober: Prober, at: datetime, outcome: Outcome = Outcome.NOT_SCHEDULED
) -> Attempt:
    """An attempt that was not begun."""
    # What is unknown because nobody tried is told once, by the attempt; each key is missing for that reason.
    readings = tuple(
        Missing(subject=conversation.told_of, mailbox=conversation.account_of, key=key, why=not_held.why, detail=not_held.detail)
        for key in prober.collects
    )
    return Attempt(
        id=conversation.name,
        at=at,
        prober=conversation.prober,
        subject=conversation.told_of,
        mailbox=conversation.mailbox,
        address=None,
        outcome=outcome,
        detail=not_held.detail,
        connections=0,
        seconds=0.0,
        transcript=(),
        readings=readings,
    )


async def _hold(
    conversation: Conversation, context: RunContext, accounts: Accounts, secrets: Secrets, keep: Callable[[Attempt], None]
) -> Attempt:
    if conversation.not_held is not None:
        return _unheld(conversation, context, conversation.not_held)
    subject = conversation.subject
    if not isinstance(subject, SignsIn):
        async with context.turns:
            return await _try(conversation, subject, context, keep)
    login = subject.login
    try:
        password = Secret("") if login.password is None else secrets.of(login.password)
    except SecretUnavailable as unavailable:
        return _unheld(conversation, context, NotHeld(Why.NO_CREDENTIALS, str(unavailable)))
    # The same user with the same credential, wherever it signs in: what counts is what a server would count.
    identity = (login.username.lower(), password.reveal())
    held = partial(_signed_in, conversation, subject, password, identity, context, accounts, keep)
    if isinstance(subject, PlannedRoundTrip):
        # A POP3 mailbox is open to one session at a time (RFC 1939 section 4).
        async with accounts.lock(identity, "round trip"):
            return await held()
    async with accounts.lock(identity):
        if not accounts.may_sign_in_beside(identity, conversation.endpoint):
            return await held()
    return await held()


async def _signed_in(
    conversation: Conversation,
    subject: SignsIn,
    password: Secret,
    identity: LedgerKey,
    context: RunContext,
    accounts: Accounts,
    keep: Callable[[Attempt], None],
) -> Attempt:
    """One attempt with an account, unless it is barred, or signed in for the mailbox so short a time ago that the answer of then counts."""
    sign_in = sign_in_of(conversation, subject.login)

    async def instead() -> Attempt | None:
        return await _of_before(conversation, sign_in, identity, context, accounts)

    if (before := await instead()) is not None:
        return before
    async with context.turns:
        # Asked now, and by each proof again: while it waited for its turn another login of the account may have been refused.
        if (barred := await accounts.barred(identity, conversation.endpoint.url)) is not None:
            # What bars it may be that another program signs in for this very mailbox, from a moment ago on.
            return await instead() or _unheld(conversation, context, NotHeld(barred.why, barred.reason))
        proof = accounts.proof(identity, conversation.endpoint.url, sign_in, has_password=subject.login.password is not None)
        try:
            attempt = await _try(conversation, subject.signed_in(subject.login.account(password, proof)), context, keep)
        finally:
            proof.close()
    if proof.is_forestalled:
        return await instead() or attempt
    keep(attempt)
    if proof.is_sign_in:
        await accounts.keep(identity, sign_in, lambda: answer_of(attempt, context.redactor))
    await accounts.rest(identity, attempt)
    return attempt


async def _of_before(
    conversation: Conversation, sign_in: MailboxSignIn, identity: LedgerKey, context: RunContext, accounts: Accounts
) -> Attempt | None:
    """What is told in place of an attempt that would sign in for a mailbox again within 15 minutes; None where it may sign in."""
    last = await accounts.last_sign_in(identity, sign_in)
    if last is None:
        return None
    if isinstance(last, Barred):
        return _unheld(conversation, context, NotHeld(last.why, last.reason))
    now = context.clock()
    attempt = taken(last, sign_in, conversation, context.probers[conversation.prober], context.redactor, now)
    if attempt is not None:
        _log.info("the answer of a sign-in before is taken", extra={"attempt": attempt.id, "signed_in": attempt.at.isoformat()})
        return attempt
    url = conversation.endpoint.url
    barred, stays = await accounts.barred(identity, url), await accounts.barred(identity, url, regardless=True)
    return _unheld(conversation, context, not_again(last, now, None if barred is None else barred.reason, is_free=stays is None))


async def _try(conversation: Conversation, subject: Subject, context: RunContext, keep: Callable[[Attempt], None]) -> Attempt:
    prober, endpoint = context.probers[conversation.prober], conversation.endpoint
    recorder = Recorder(context.redactor, context.budget)
    deadline = Deadline(context.timeout)
    dial = Dial(endpoint, context.network, deadline, recorder, conversation.only_address)
    clean = context.redactor.clean_sentence
    notes = Notebook(conversation.name, conversation.told_of, conversation.account_of, context.clock, clean)
    loop = asyncio.get_running_loop()
    began = loop.time()
    _log.info(
        "attempt begins",
        extra={"attempt": conversation.name, "prober": prober.id, "endpoint": endpoint.url, "mailbox": conversation.mailbox},
    )

    def written(outcome: Outcome, detail: str, pause_seconds: float | None = None) -> Attempt:
        if isinstance(subject, Anonymous) and recorder.peer_said_secret:
            context.redactor.was_said_untold = True
            recorder.note("*** stands for a secret of this run")
        if isinstance(subject, EndpointSubject | TlsSubject):
            if dial.addresses is not None:
                notes.observed(v.NET_ADDRESSES, dial.addresses)
            if dial.connected is not None:
                notes.observed(v.NET_CONNECTED, dial.connected)
            if dial.distrust is not None and not notes.knows(v.CERTIFICATE_TRUSTED):
                # The verified handshake decided it, however the unverified one after it ended.
                notes.observed(v.CERTIFICATE_TRUSTED, False)
                notes.observed(v.CERTIFICATE_DISTRUSTED_BECAUSE, dial.distrust)
        return Attempt(
            id=conversation.name,
            at=notes.began,
            prober=prober.id,
            subject=conversation.told_of,
            mailbox=conversation.mailbox,
            address=dial.address,
            outcome=outcome,
            detail=clean(detail),
            connections=dial.connections,
            seconds=round(loop.time() - began, 3),
            transcript=packed(recorder.lines()),
            readings=notes.close(prober.collects, WHY_AFTER[outcome], detail or "the peer did not say"),
            pause_seconds=pause_seconds,
        )

    try:
        async with deadline:
            await prober.probe(subject, dial, notes)
    except asyncio.CancelledError:
        keep(written(Outcome.INTERRUPTED, "interrupted"))
        raise
    except Exception as failure:  # noqa: BLE001 - the one place where what nobody expected is called a bug
        named = expected(failure)
        if named is None:
            # The exception's own text may hold what it was given; the traceback's places cannot.
            places = "".join(traceback.format_tb(failure.__traceback__))
            _log.error("bug", extra={"attempt": conversation.name, "error": type(failure).__name__, "places": places})
            context.report_bug(f"{prober.id} at {endpoint.url}: {type(failure).__name__}\n{places}")
            return written(Outcome.BUG, f"a bug in probe: {type(failure).__name__}; please report it")
        _note_failure(failure, prober, notes)
        return written(*named, failure.pause_seconds if isinstance(failure, Throttled) else None)
    return written(Outcome.COMPLETED, "")


def _note_failure(failure: Exception, prober: Prober, notes: Notebook) -> None:
    """Some failures are themselves an answer."""
    collects = prober.collects
    if (
        isinstance(failure, TlsFailed)
        and not isinstance(failure, CertificateNotTrusted | PlaintextInsteadOfTls)
        and v.TLS_COMPLETED in collects
    ):
        notes.observed(v.TLS_COMPLETED, False)
        notes.observed(v.TLS_FAILURE, str(failure))
    is_foreign = isinstance(failure, OffProtocol | WireError)
    if is_foreign and v.PROTOCOL_SPOKEN in collects and not notes.knows(v.PROTOCOL_SPOKEN):
        notes.observed(v.PROTOCOL_SPOKEN, False)
