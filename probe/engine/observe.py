"""From conversations to attempts: one task each, a deadline each, and one place where a bug is called a bug."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from probe.config.secrets import SecretUnavailable
from probe.engine.addresses import at_each_address
from probe.engine.secrets import Secrets
from probe.engine.select import Conversation
from probe.memory import LEFT_ALONE, Identity, Memory, MemoryUnavailable
from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Attempt, Outcome
from probe.model.estate import Endpoint, Service
from probe.model.facts import Fact, Missing, Why
from probe.net.dial import Dial, Network
from probe.net.failures import CertificateNotTrusted, OffProtocol, PlaintextInsteadOfTls, TlsFailed, expected
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.transcript import Recorder
from probe.probing import Account, Notebook, Subject
from probe.wire.lines import WireError

Progress = Callable[[Attempt, int], None]
"""Told of each attempt as it ends, and of how many there will be."""


ATTEMPTS_AT_ONCE = 200
"""Attempts under way at a time: a handshake and its like cost milliseconds of this machine, and a thousand at once would all end at their
deadline. Those that wait for their turn have no clock running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for every attempt of a run."""

    network: Network
    clock: Callable[[], datetime]
    timeout: float
    """Seconds for one attempt."""
    deadline: float | None = None
    """Seconds for all of them; None for no end."""
    all_addresses: bool = False
    """Whether every address of a name is probed, not the first that answers."""
    report_bug: Callable[[str], None] = field(default=lambda text: None)
    """Is given the traceback of a bug."""
    progress: Progress = field(default=lambda attempt, of: None)
    memory: Memory | None = None
    """Where refused credentials are remembered from run to run; None where they are not, as in the demo."""
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ATTEMPTS_AT_ONCE))
    """What an attempt waits for before it begins."""


_LOGIN_MAY_HAVE_FAILED = (Outcome.TIMED_OUT, Outcome.CLOSED, Outcome.OFF_PROTOCOL, Outcome.TLS_FAILED, Outcome.INTERRUPTED, Outcome.BUG)
"""Ends of an attempt that may lie behind a password's having been sent."""


_NOT_THE_CREDENTIALS = frozenset(
    {"throttled", "temporary-failure", "tls-required", "protocol-disabled", "basic-auth-disabled", "blocked-by-policy"}
)
"""Causes of a refusal that say nothing against user name and password: they may work later, or elsewhere."""


class _Accounts:
    """One login at a time for an account, beside others only where it was let in; none after it was refused."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._let_in: set[tuple[tuple[str, str], Endpoint]] = set()
        self._barred: dict[tuple[str, str], str] = {}
        self._round_trips: dict[tuple[str, str], asyncio.Lock] = {}

    def lock(self, account: tuple[str, str]) -> asyncio.Lock:
        """What to hold while signing in, or while finding out that it need not be held."""
        return self._locks.setdefault(account, asyncio.Lock())

    def may_sign_in_beside(self, account: tuple[str, str], endpoint: Endpoint) -> bool:
        """Whether logins of the account may go on side by side there: at an EWS endpoint that has let it in during this run.

        One account opens many mailboxes there. A mail server opens the account's own, and some let one session in at a time.
        """
        return endpoint.service is Service.EWS and (account, endpoint) in self._let_in

    def round_trip(self, account: tuple[str, str]) -> asyncio.Lock:
        """What to hold while a message of the account is under way: a POP3 mailbox is open to one session at a time (RFC 1939 section 4)."""
        return self._round_trips.setdefault(account, asyncio.Lock())

    def bar(self, account: tuple[str, str], reason: str) -> None:
        """Try the account no more."""
        self._barred[account] = reason

    def barred(self, account: tuple[str, str]) -> str | None:
        """Why an account is not tried again; None where it may be."""
        return self._barred.get(account)

    def learn(self, account: tuple[str, str], endpoint: Endpoint, attempt: Attempt) -> None:
        """Remember what an attempt showed of an account. A login whose end was not seen may have been refused."""
        accepted = next((r.value for r in attempt.readings if isinstance(r, Fact) and r.key == v.AUTH_ACCEPTED), None)
        if accepted:
            self._let_in.add((account, endpoint))
        elif accepted is False:
            self._barred[account] = "the account was refused a moment ago; it is not tried again"
        elif attempt.outcome in _LOGIN_MAY_HAVE_FAILED:
            self._barred[account] = "how a login of the account ended a moment ago is not known; it is not tried again"


async def observe(conversations: Sequence[Conversation], terms: Terms) -> tuple[tuple[Attempt, ...], bool]:
    """Hold the conversations. Gives an attempt for each, in their order, and whether the run was interrupted before its end.

    The names are looked up within the run, so that its deadline and an interrupt end a resolver that hangs.
    """
    attempts: dict[int, Attempt] = {}
    accounts = _Accounts()

    async def hold(number: int, conversation: Conversation) -> None:
        attempt = await _hold(f"a{number + 1}", conversation, terms, accounts, secrets, lambda done: attempts.__setitem__(number, done))
        attempts[number] = attempt
        terms.progress(attempt, len(conversations))

    ended_by, detail = None, ""
    try:
        async with asyncio.timeout(terms.deadline):
            secrets = await Secrets.read((c.login.password for c in conversations if c.login and not c.not_held), terms.timeout)
            if terms.all_addresses:
                conversations = await at_each_address(conversations, terms.network.resolver, terms.timeout)
            async with asyncio.TaskGroup() as group:
                for number, conversation in enumerate(conversations):
                    if conversation.incoming is None:
                        group.create_task(hold(number, conversation))
            let_in = _let_in(attempts.values())
            async with asyncio.TaskGroup() as group:
                for number, conversation in enumerate(conversations):
                    if conversation.incoming is not None:
                        group.create_task(hold(number, _once_let_in(conversation, conversation.incoming, let_in)))
    except TimeoutError:
        ended_by, detail = Outcome.TIMED_OUT, f"the run's deadline of {terms.deadline:g} s had come"
    except asyncio.CancelledError:
        # Ctrl-C: what was learnt until now is still told.
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        ended_by, detail = Outcome.INTERRUPTED, "the run was interrupted"
    for number, conversation in enumerate(conversations):
        done = attempts.get(number)
        if ended_by is not None and (done is None or done.outcome is Outcome.INTERRUPTED):
            attempts[number] = _cut_short(done, f"a{number + 1}", conversation, ended_by, detail)
    return tuple(attempts[number] for number in range(len(conversations))), ended_by is Outcome.INTERRUPTED


def _let_in(attempts: Iterable[Attempt]) -> frozenset[tuple[str, str | None]]:
    """Where each mailbox's account was let in: endpoint and mailbox."""
    return frozenset(
        (attempt.subject, attempt.mailbox)
        for attempt in attempts
        if any(isinstance(r, Fact) and r.key == v.AUTH_ACCEPTED and r.value for r in attempt.readings)
    )


def _once_let_in(conversation: Conversation, incoming: Endpoint, let_in: frozenset[tuple[str, str | None]]) -> Conversation:
    """A conversation with two endpoints, held only if both let the account in during this run."""
    refused = [e.url for e in (conversation.endpoint, incoming) if (e.url, conversation.mailbox) not in let_in]
    if conversation.not_held or not refused:
        return conversation
    return replace(conversation, not_held=f"the account was not let in at {' and '.join(refused)} before")


def _cut_short(done: Attempt | None, name: str, conversation: Conversation, outcome: Outcome, detail: str) -> Attempt:
    """An attempt that the run's end overtook, with the reason why its gaps are gaps."""
    if done is None:
        return _unheld(name, conversation, outcome, detail)
    why = WHY_AFTER[outcome]
    readings = tuple(
        replace(r, why=why, detail=detail) if isinstance(r, Missing) and r.why is Why.INTERRUPTED else r for r in done.readings
    )
    return replace(done, outcome=outcome, detail=detail, readings=readings)


def _unheld(name: str, conversation: Conversation, outcome: Outcome, detail: str, why: Why | None = None) -> Attempt:
    """An attempt that was not begun."""
    subject, mailbox = conversation.subject, None if conversation.prober.about_mailbox else conversation.mailbox
    # What is unknown because nobody tried is told once, by the attempt; each key is missing for that reason.
    readings = tuple(
        Missing(subject=subject, mailbox=mailbox, key=key, why=why or WHY_AFTER[outcome], detail=detail)
        for key in conversation.prober.collects
    )
    return Attempt(
        id=name,
        prober=conversation.prober.id,
        subject=subject,
        mailbox=conversation.mailbox,
        address=None,
        outcome=outcome,
        detail=detail,
        connections=0,
        seconds=0.0,
        transcript=(),
        readings=readings,
    )


async def _hold(
    name: str, conversation: Conversation, terms: Terms, accounts: _Accounts, secrets: Secrets, keep: Callable[[Attempt], None]
) -> Attempt:
    if conversation.not_held:
        why = Why.NO_CREDENTIALS if conversation.mailbox is not None and conversation.login is None else Why.NOT_ATTEMPTED
        return _unheld(name, conversation, Outcome.NOT_SCHEDULED, conversation.not_held, why)
    login = conversation.login
    if login is None or conversation.mailbox is None:
        return await _in_turn(name, conversation, None, terms, keep)
    try:
        password = secrets.of(login.password)
    except SecretUnavailable as unavailable:
        return _unheld(name, conversation, Outcome.NOT_SCHEDULED, str(unavailable), Why.NO_CREDENTIALS)
    account = Account(
        mailbox=conversation.mailbox,
        username=login.username,
        password=password,
        authentication=login.authentication,
        impersonates=login.impersonates,
        synchronizes_appointments=login.synchronizes_appointments,
        application=login.application,
        authorities=login.authorities,
    )
    # The same user with the same credential, wherever it signs in: what counts is what a server would count.
    identity = (login.username.lower(), password.reveal())
    if conversation.incoming is not None:
        return await _round_trip(name, conversation, account, identity, terms, accounts, keep)
    async with accounts.lock(identity):
        if (reason := accounts.barred(identity)) is not None:
            return _unheld(name, conversation, Outcome.NOT_SCHEDULED, reason, Why.DENIED)
        if not accounts.may_sign_in_beside(identity, conversation.endpoint):
            try:
                claim = await _claimed(terms, identity, conversation.endpoint.url)
            except MemoryUnavailable as unavailable:
                detail = f"a refusal could not be remembered, so that no login is tried: {unavailable}"
                return _unheld(name, conversation, Outcome.NOT_SCHEDULED, detail, Why.NOT_ATTEMPTED)
            if isinstance(claim, _Barred):
                return _unheld(name, conversation, Outcome.NOT_SCHEDULED, claim.reason, claim.why)
            attempt = await _in_turn(name, conversation, account, terms, keep)
            accounts.learn(identity, conversation.endpoint, attempt)
            await _remember(terms, claim, attempt)
            return attempt
    return await _beside_others(name, conversation, account, identity, terms, accounts, keep)


async def _beside_others(
    name: str,
    conversation: Conversation,
    account: Account,
    identity: tuple[str, str],
    terms: Terms,
    accounts: _Accounts,
    keep: Callable[[Attempt], None],
) -> Attempt:
    """A login of an account that this endpoint has let in during this run, for another mailbox."""
    async with terms.turns:
        # Asked again now: while it waited for its turn another of the account may have been refused.
        if (reason := accounts.barred(identity)) is not None:
            return _unheld(name, conversation, Outcome.NOT_SCHEDULED, reason, Why.DENIED)
        attempt = await _try(name, conversation, account, terms, keep)
    accounts.learn(identity, conversation.endpoint, attempt)
    if terms.memory is not None:
        with contextlib.suppress(MemoryUnavailable):
            await _remember(terms, await asyncio.to_thread(terms.memory.identity, *identity), attempt)
    return attempt


async def _round_trip(
    name: str,
    conversation: Conversation,
    account: Account,
    identity: tuple[str, str],
    terms: Terms,
    accounts: _Accounts,
    keep: Callable[[Attempt], None],
) -> Attempt:
    """One with two endpoints, of an account that was let in; once that is no longer so, no other of the account follows."""
    async with accounts.round_trip(identity):
        if (reason := accounts.barred(identity)) is not None:
            return _unheld(name, conversation, Outcome.NOT_SCHEDULED, reason, Why.DENIED)
        attempt = await _in_turn(name, conversation, account, terms, keep)
        if attempt.outcome is Outcome.DENIED:
            accounts.bar(identity, f"the account was let in at first, and then no more: {attempt.detail[:200]}")
        return attempt


@dataclass(frozen=True, slots=True)
class _Barred:
    """That nobody may sign in, and why."""

    reason: str
    why: Why


async def _claimed(terms: Terms, account: tuple[str, str], subject: str) -> Identity | _Barred | None:
    """The claim to a login, or why nobody may log in; None where nothing is remembered."""
    memory = terms.memory
    if memory is None:
        return None
    identity = await asyncio.to_thread(memory.identity, *account)
    if rests := await asyncio.to_thread(memory.resting, identity, subject, terms.clock()):
        return _Barred(rests, Why.THROTTLED)
    if refused := await asyncio.to_thread(memory.begin, identity, subject, terms.clock()):
        return _Barred(refused, Why.DENIED)
    return identity


async def _remember(terms: Terms, identity: Identity | None, attempt: Attempt) -> None:
    """Keep a refusal for later runs. A login whose end was not seen stays begun, and bars the next for a while."""
    memory = terms.memory
    if memory is None or identity is None:
        return
    known = {r.key: r.value for r in attempt.readings if isinstance(r, Fact)}
    is_wrong = known.get(v.AUTH_ACCEPTED) is False and not set(known.get(v.AUTH_REFUSAL, ())) <= _NOT_THE_CREDENTIALS
    # A memory that fails now has the login down as begun, which bars enough.
    with contextlib.suppress(MemoryUnavailable):
        if is_wrong:
            await asyncio.to_thread(memory.refused, identity, attempt.subject, terms.clock())
        elif v.AUTH_ACCEPTED in known or attempt.outcome not in _LOGIN_MAY_HAVE_FAILED:
            await asyncio.to_thread(memory.ended, identity)
        now = terms.clock()
        if v.AUTH_ACCEPTED in known and (delay := known.get(v.POP3_LOGIN_DELAY_SECONDS)):
            reason = f"the server wants {delay} s between logins of one account"
            await asyncio.to_thread(memory.rest, identity, attempt.subject, timedelta(seconds=delay), reason, now)
        if set(known.get(v.AUTH_REFUSAL, ())) & {"throttled", "temporary-failure"}:
            reason = f"the server did not take a login for now: {known.get(v.AUTH_REPLY, '')[:100]}"
            await asyncio.to_thread(memory.rest, identity, attempt.subject, LEFT_ALONE, reason, now)
        elif attempt.outcome is Outcome.THROTTLED:
            await asyncio.to_thread(
                memory.rest, None, attempt.subject, LEFT_ALONE, f"the server asked to be left alone: {attempt.detail[:100]}", now
            )


async def _in_turn(
    name: str, conversation: Conversation, account: Account | None, terms: Terms, keep: Callable[[Attempt], None]
) -> Attempt:
    async with terms.turns:
        return await _try(name, conversation, account, terms, keep)


async def _try(name: str, conversation: Conversation, account: Account | None, terms: Terms, keep: Callable[[Attempt], None]) -> Attempt:
    prober, endpoint = conversation.prober, conversation.endpoint
    redactor = Redactor([account.password.reveal()] if account else ())
    recorder = Recorder(redactor)
    deadline = Deadline(terms.timeout)
    dial = Dial(endpoint, terms.network, deadline, recorder, conversation.only_address)
    mailbox = None if prober.about_mailbox else conversation.mailbox
    clean = partial(redactor.clean, said_by_us=False)
    notes = Notebook(name, conversation.subject, mailbox, terms.clock, clean)
    loop = asyncio.get_running_loop()
    began = loop.time()

    def written(outcome: Outcome, detail: str) -> Attempt:
        if not prober.signs_in and not prober.about_mailbox:
            if dial.addresses is not None:
                notes.observed(v.NET_ADDRESSES, dial.addresses)
            if dial.connected is not None:
                notes.observed(v.NET_CONNECTED, dial.connected)
            if dial.distrust is not None and not notes.knows(v.CERTIFICATE_TRUSTED):
                # The verified handshake decided it, however the unverified one after it ended.
                notes.observed(v.CERTIFICATE_TRUSTED, False)
                notes.observed(v.CERTIFICATE_DISTRUSTED_BECAUSE, dial.distrust)
        return Attempt(
            id=name,
            prober=prober.id,
            subject=conversation.subject,
            mailbox=conversation.mailbox,
            address=dial.address,
            outcome=outcome,
            detail=clean(detail),
            connections=dial.connections,
            seconds=round(loop.time() - began, 3),
            transcript=recorder.lines(),
            readings=notes.close(prober.collects, WHY_AFTER[outcome], detail or "the peer did not say"),
        )

    try:
        async with deadline:
            await prober.probe(
                Subject(endpoint, account, conversation.tls, conversation.incoming, conversation.identity, conversation.finds_server),
                dial,
                notes,
            )
    except asyncio.CancelledError:
        keep(written(Outcome.INTERRUPTED, "interrupted"))
        raise
    except Exception as failure:  # noqa: BLE001 - the one place where what nobody expected is called a bug
        named = expected(failure)
        if named is None:
            # The exception's own text may hold what it was given; the traceback's places cannot.
            places = "".join(traceback.format_tb(failure.__traceback__))
            terms.report_bug(f"{prober.id} at {endpoint.url}: {type(failure).__name__}\n{places}")
            return written(Outcome.BUG, f"a bug in probe: {type(failure).__name__}; please report it")
        _note_failure(failure, conversation, notes)
        return written(*named)
    return written(Outcome.COMPLETED, "")


def _note_failure(failure: Exception, conversation: Conversation, notes: Notebook) -> None:
    """Some failures are themselves an answer."""
    collects = conversation.prober.collects
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
