"""From conversations to attempts: one task each, a deadline each, and one place where a bug is called a bug."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from probe.config.secrets import SecretUnavailable
from probe.engine.accounts import Accounts, Credential
from probe.engine.addresses import at_each_address
from probe.engine.secrets import Secrets
from probe.engine.select import Conversation
from probe.memory import Memory
from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Attempt, Outcome
from probe.model.estate import Endpoint
from probe.model.facts import Fact, Missing, Why
from probe.net.dial import Dial, Network
from probe.net.failures import CertificateNotTrusted, OffProtocol, PlaintextInsteadOfTls, TlsFailed, expected
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.threads import in_thread
from probe.net.transcript import Budget, Recorder
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
    warn: Callable[[str], None] = field(default=lambda text: None)
    """Is told in one sentence what the operator should know of the run beside its result."""
    progress: Progress = field(default=lambda attempt, of: None)
    memory: Memory | None = None
    """Where refused credentials are remembered from run to run; None where they are not, as in the demo."""
    redactor: Redactor = field(default_factory=Redactor)
    """Knows the secrets of the run, from before the first conversation on."""
    budget: Budget = field(default_factory=Budget)
    """What the transcripts of the run may take."""
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ATTEMPTS_AT_ONCE))
    """What an attempt waits for before it begins."""


SAID_WITHOUT_BEING_TOLD = (
    "a password of this run is a word that servers say by themselves, or that one was told before; *** stands for it in all of the run, so that no gap "
    "tells which word it is; another password would make the report easier to read, and be harder to guess"
)


async def observe(conversations: Sequence[Conversation], terms: Terms) -> tuple[tuple[Attempt, ...], bool]:
    """Hold the conversations. Gives an attempt for each, in their order, and whether the run was interrupted before its end.

    The names are looked up within the run, so that its deadline and an interrupt end a resolver that hangs.
    """
    attempts: dict[int, Attempt] = {}
    if (
        terms.memory is not None
        and any(c.login is not None and not c.not_held for c in conversations)
        and (passes := terms.memory.passes_away())
    ):
        terms.warn(passes)
    accounts = Accounts(terms.memory, terms.clock, timedelta(seconds=terms.timeout))

    async def hold(number: int, conversation: Conversation) -> None:
        attempt = await _hold(f"a{number + 1}", conversation, terms, accounts, secrets, lambda done: attempts.__setitem__(number, done))
        attempts[number] = attempt
        terms.progress(attempt, len(conversations))

    ended_by, detail = None, ""
    try:
        async with asyncio.timeout(terms.deadline):
            secrets = await Secrets.read((c.login.password for c in conversations if c.login and not c.not_held), terms.timeout)
            await in_thread(lambda: terms.redactor.add(secret.reveal() for secret in secrets.all()), "probe-redactor")
            if terms.all_addresses:
                conversations = await at_each_address(conversations, terms.network.resolver, terms.timeout)
            quiet = _Quiet(c for c in conversations if not c.prober.asks_tls)

            async def hold_hellos(number: int, conversation: Conversation) -> None:
                await quiet.come(conversation.endpoint)
                await hold(number, conversation)

            async def hold_first(number: int, conversation: Conversation) -> None:
                await hold(number, conversation)
                quiet.ended(conversation)

            async with asyncio.TaskGroup() as last:
                for number, conversation in enumerate(conversations):
                    if conversation.prober.asks_tls:
                        last.create_task(hold_hellos(number, conversation))
                async with asyncio.TaskGroup() as group:
                    for number, conversation in enumerate(conversations):
                        if conversation.incoming is None and not conversation.prober.asks_tls:
                            group.create_task(hold_first(number, conversation))
                let_in = _let_in(attempts.values())
                async with asyncio.TaskGroup() as group:
                    for number, conversation in enumerate(conversations):
                        if conversation.incoming is not None:
                            group.create_task(hold_first(number, _once_let_in(conversation, conversation.incoming, let_in)))
    except TimeoutError:
        ended_by, detail = Outcome.TIMED_OUT, f"the run's deadline of {terms.deadline:g} s had come"
    except asyncio.CancelledError:
        # Ctrl-C: what was learnt until now is still told.
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        ended_by, detail = Outcome.INTERRUPTED, "the run was interrupted"
    if terms.redactor.was_said_untold:
        terms.warn(SAID_WITHOUT_BEING_TOLD)
    for number, conversation in enumerate(conversations):
        done = attempts.get(number)
        if ended_by is not None and (done is None or done.outcome is Outcome.INTERRUPTED):
            attempts[number] = _cut_short(done, f"a{number + 1}", conversation, terms.clock(), ended_by, detail)
    return tuple(attempts[number] for number in range(len(conversations))), ended_by is Outcome.INTERRUPTED


class _Quiet:
    """When a server's port is done with but for hellos, which give way: a server that counts connections must not count them against a conversation."""

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
    endpoints = (conversation.endpoint, conversation.incoming)
    return {(endpoint.host, endpoint.port) for endpoint in endpoints if endpoint is not None}


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


def _cut_short(done: Attempt | None, name: str, conversation: Conversation, at: datetime, outcome: Outcome, detail: str) -> Attempt:
    """An attempt that the run's end overtook, with the reason why its gaps are gaps."""
    if done is None:
        return _unheld(name, conversation, at, outcome, detail)
    why = WHY_AFTER[outcome]
    readings = tuple(
        replace(r, why=why, detail=detail) if isinstance(r, Missing) and r.why is Why.INTERRUPTED else r for r in done.readings
    )
    return replace(done, outcome=outcome, detail=detail, readings=readings)


def _unheld(name: str, conversation: Conversation, at: datetime, outcome: Outcome, detail: str, why: Why | None = None) -> Attempt:
    """An attempt that was not begun."""
    subject, mailbox = conversation.subject, None if conversation.prober.about_mailbox else conversation.mailbox
    # What is unknown because nobody tried is told once, by the attempt; each key is missing for that reason.
    readings = tuple(
        Missing(subject=subject, mailbox=mailbox, key=key, why=why or WHY_AFTER[outcome], detail=detail)
        for key in conversation.prober.collects
    )
    return Attempt(
        id=name,
        at=at,
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
    name: str, conversation: Conversation, terms: Terms, accounts: Accounts, secrets: Secrets, keep: Callable[[Attempt], None]
) -> Attempt:
    if conversation.not_held:
        why = Why.NO_CREDENTIALS if conversation.mailbox is not None and conversation.login is None else Why.NOT_ATTEMPTED
        return _unheld(name, conversation, terms.clock(), Outcome.NOT_SCHEDULED, conversation.not_held, why)
    login = conversation.login
    if login is None or conversation.mailbox is None:
        async with terms.turns:
            return await _try(name, conversation, None, terms, keep)
    try:
        password = secrets.of(login.password)
    except SecretUnavailable as unavailable:
        return _unheld(name, conversation, terms.clock(), Outcome.NOT_SCHEDULED, str(unavailable), Why.NO_CREDENTIALS)
    account = Account(
        mailbox=conversation.mailbox,
        username=login.username,
        password=password,
        authentication=login.authentication,
        impersonates=login.impersonates,
        synchronizes_appointments=login.synchronizes_appointments,
        application=login.application,
        authorities=login.authorities,
        cloud=login.cloud,
    )
    # The same user with the same credential, wherever it signs in: what counts is what a server would count.
    identity = (login.username.lower(), password.reveal())
    held = partial(_signed_in, name, conversation, account, identity, terms, accounts, keep)
    if conversation.incoming is not None:
        # A POP3 mailbox is open to one session at a time (RFC 1939 section 4).
        async with accounts.lock(identity, "round trip"):
            return await held()
    async with accounts.lock(identity):
        if not accounts.may_sign_in_beside(identity, conversation.endpoint):
            return await held()
    return await held()


async def _signed_in(
    name: str,
    conversation: Conversation,
    account: Account,
    identity: Credential,
    terms: Terms,
    accounts: Accounts,
    keep: Callable[[Attempt], None],
) -> Attempt:
    """One attempt with an account, unless it is barred."""
    async with terms.turns:
        # Asked now, and by each proof again: while it waited for its turn another login of the account may have been refused.
        if (barred := await accounts.barred(identity, conversation.endpoint.url)) is not None:
            return _unheld(name, conversation, terms.clock(), Outcome.NOT_SCHEDULED, barred.reason, barred.why)
        proof = accounts.proof(identity, conversation.endpoint.url)
        try:
            attempt = await _try(name, conversation, replace(account, proof=proof), terms, keep)
        finally:
            proof.close()
    await accounts.rest(identity, attempt)
    return attempt


async def _try(name: str, conversation: Conversation, account: Account | None, terms: Terms, keep: Callable[[Attempt], None]) -> Attempt:
    prober, endpoint = conversation.prober, conversation.endpoint
    recorder = Recorder(terms.redactor, terms.budget)
    deadline = Deadline(terms.timeout)
    dial = Dial(endpoint, terms.network, deadline, recorder, conversation.only_address)
    mailbox = None if prober.about_mailbox else conversation.mailbox
    clean = terms.redactor.clean_sentence
    notes = Notebook(name, conversation.subject, mailbox, terms.clock, clean)
    loop = asyncio.get_running_loop()
    began = loop.time()

    def written(outcome: Outcome, detail: str) -> Attempt:
        if account is None and recorder.peer_said_secret:
            terms.redactor.was_said_untold = True
            recorder.note("*** stands for a secret of this run")
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
            at=notes.began,
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
