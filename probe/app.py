"""Joins the parts; the only room with a clock."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from probe import catalogue
from probe.document import NotADocument, read_run
from probe.engine import run as engine
from probe.engine import select
from probe.engine.accounts import Locks
from probe.engine.again import judge_again
from probe.engine.interrupts import complete as complete
from probe.engine.interrupts import unless_stopped
from probe.engine.judge import Ruleset
from probe.engine.observe import ATTEMPTS_AT_ONCE, Progress, RunContext, observe, until
from probe.engine.plan import Plan
from probe.engine.struck import struck_attempts, struck_readings
from probe.memory import Memory
from probe.model import defaults
from probe.model.attempts import Attempt
from probe.model.defaults import TlsDepth
from probe.model.estate import DynamicsAccess, Effect, Endpoint, Estate, Mailbox, Service
from probe.model.facts import Reading
from probe.model.inferences import Inference
from probe.model.rules import Rule
from probe.model.runs import Asked, Run
from probe.model.values import dataclass
from probe.net.dial import Network
from probe.net.killable import Children
from probe.net.limits import Limits
from probe.net.names import NameServer
from probe.net.tls import TlsPolicies
from probe.probing import Prober, TlsQuestion

if TYPE_CHECKING:
    from probe.doctor import Symptom
    from probe.dynamics import Client
    from probe.dynamics.state import StateRecords
    from probe.enabling import Audit, Books, Job, Pressed
    from probe.gate import Accept, DynamicsRecords, Gated, Unread
    from probe.importing import ImportedRecords
    from probe.organization import DynamicsState, NotRead
    from probe.outlook import Coming

    Narrow = Callable[[Sequence[Mailbox], DynamicsRecords | Unread], Sequence[Mailbox]]

# Who wants to hear what the program does sets up a handler; nobody else is told.
logging.getLogger("probe").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run is held."""

    timeout: float = defaults.TIMEOUT_SECONDS
    """Seconds for one attempt."""
    deadline: float | None = None
    allow: frozenset[Effect] = frozenset()
    """Effects beyond those that the estate allows."""
    ca_file: Path | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Names with an address of their own, as `address`, or `address:port` where 443 is listened on elsewhere; only demo and tests have them."""
    system_anchors: Path | None = None
    """PEM in place of the system's own trust anchors where those alone vouch for a peer, which is Entra ID; only tests have it."""
    name_server: NameServer | None = None
    """Whom to ask for DNS records other than addresses, in place of the system's name servers."""
    all_addresses: bool = False
    tls: TlsDepth = defaults.TLS_DEPTH
    fips_client: str = defaults.FIPS_CLIENT
    """FIPS profile of a look; a check asks about the Windows that the deployment runs on."""
    progress: Progress = field(default=lambda left, of: None)
    """Told of the conversations that have not ended, and of how many there are, each time one ends."""
    rows_progress: Callable[[int], None] = field(default=lambda count: None)
    """Told how many mailboxes of Dynamics have come, a page at a time, where all of them are read."""
    report_bug: Callable[[str], None] = field(default=lambda text: None)
    state: Path | Callable[[], Path] | None = None
    """Folder of what must outlive the run, or what names it when it is wanted: refused logins. None: nothing is remembered, as in the demo."""
    sign_in_now: bool = False
    """Whether an account signs in for a mailbox however short a time ago it did: a person says so on the terminal."""
    estate_file: str | None = None
    """The file that the estate was read from, for commands that name it; None where it is not known."""
    warn: Callable[[str], None] = field(default=lambda text: None)
    """Is told in one sentence what the operator should know of the run beside its result."""
    clock: Callable[[], datetime] = field(default=lambda: now())


IMPORT_SECONDS = 3600.0
"""For all records of an organization; 50,000 mailboxes are a hundred pages, and a server may ask for pauses between them."""
ENABLING_SECONDS = 24 * 3600.0
"""For all that is asked while Test & Enable goes on: as long as a batch is open. Each request has a bound of its own."""


def rules() -> dict[str, Rule]:
    """Every rule, by id."""
    return catalogue.load("probe.rules.on_premises", "RULE", Rule)


def probers() -> dict[str, Prober]:
    """Every prober, by id."""
    return catalogue.load("probe.probers", "PROBER", Prober)


def inferences() -> dict[str, Inference]:
    """Every inference, by id."""
    return catalogue.load("probe.inferences", "INFERENCE", Inference)


def today() -> date:
    """The date of judgement when none is named: today in UTC, as every time in a document."""
    return now().date()


def plan_check(
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    options: Options,
    on: date | None = None,
    newer_than: Mapping[str, datetime] | None = None,
) -> Plan:
    """What a check of an estate or of some of its mailboxes does: every conversation, and those that are not held, with the reason.

    It is judged for that date, or for today. Of the mailboxes with these addresses the messages are counted that came after the time.
    """
    deployment = estate.deployment
    tls = _tls_question(options, deployment.runs_on, fips=deployment.fips)
    is_whole = tuple(mailboxes) == estate.mailboxes
    return Plan(
        estate=estate,
        mailboxes=tuple(mailboxes),
        conversations=select.for_estate(estate, mailboxes, probers(), options.allow | deployment.allow, tls, newer_than),
        tls=tls,
        on=on or today(),
        asked=_asked(options, None if is_whole else tuple(mailbox.address for mailbox in mailboxes), deployment.runs_on),
    )


def plan_look(endpoints: Iterable[Endpoint], options: Options, on: date | None = None) -> Plan:
    """What a look at some endpoints does, each once. What follows from it is inferred for that date, or for today; nothing is judged."""
    # With no deployment to ask, the client named is meant with its FIPS policy on.
    tls = _tls_question(options, options.fips_client, fips=True)
    return Plan(
        estate=None,
        mailboxes=(),
        conversations=select.for_look(endpoints, probers(), options.allow, tls),
        tls=tls,
        on=on or today(),
        asked=_asked(options, None, options.fips_client),
    )


class Probing:
    """Holds runs, and what they share: connection limits, turns, TLS contexts, child processes. `async with` it, for as long as there are runs.

    A command opens it once, a service for as long as it lives. Any number of runs may be held side by side: together they make as many
    connections to one port as one would.
    """

    def __init__(self, options: Options) -> None:
        """`options` say how each of its runs is held."""
        self._options = options
        self._children = Children()
        self._limits = Limits()
        self._policies = TlsPolicies(options.ca_file, options.system_anchors)
        self._turns = asyncio.Semaphore(ATTEMPTS_AT_ONCE)
        self._locks = Locks()
        self._memory = None if options.state is None else Memory(options.state)

    async def __aenter__(self) -> Probing:
        await self._children.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._children.__aexit__(kind, error, trace)

    async def check(self, plan: Plan, stop: asyncio.Event | None = None) -> Run:
        """One run of a plan, be it of an estate or of a look.

        Once `stop` is set, the run ends and tells what it has learnt. Cancelled, it tells nothing, and leaves nothing behind.
        """
        context = self._context(stop or asyncio.Event())
        if plan.estate is None or plan.estate.dynamics is None:
            return await self._run(plan, context)

        async def beside() -> tuple[Reading, ...]:
            return (await self._dynamics_state(plan, context)).readings

        return await self._run(plan, context, beside)

    async def hold(self, plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        """The conversations of a plan, an attempt each, of which nothing is inferred or judged; where it was stopped, what was not held says so."""
        context = self._context(stop, progress)
        attempts, _ = await observe(plan, context)
        return struck_attempts(attempts, context.redactor)

    async def state_of_dynamics(self, estate: Estate, stop: asyncio.Event) -> DynamicsState:
        """What Dynamics' own records say of an estate that has `[dynamics]`, or said last, where they cannot be read."""
        context = self._context(stop)
        state = await self._dynamics_state(plan_check(estate, estate.mailboxes, self._options), context)
        return state._replace(readings=struck_readings(state.readings, context.redactor))

    async def last_of_dynamics(self, estate: Estate) -> tuple[Reading, ...]:
        """What Dynamics' own records said last of an estate that has `[dynamics]`, as far as it is kept. Nobody is asked."""
        from probe.organization import last_readings

        return await last_readings(estate, estate.mailboxes, self._context(asyncio.Event()))

    async def unlisted_mailboxes(self, estate: Estate) -> tuple[str, ...] | None:
        """Of an estate that has `[dynamics]`, as `probe.importing.read_unlisted`."""
        from probe.importing import read_unlisted

        assert estate.dynamics is not None
        return await read_unlisted(estate, self.organization(estate.dynamics, estate.deployment.authorities))

    async def _run(
        self, plan: Plan, context: RunContext, beside: Callable[[], Awaitable[tuple[Reading, ...]]] = engine.nothing_beside
    ) -> Run:
        # A look judges nothing, and starts sooner without the rules.
        ruleset = Ruleset(inferences=inferences(), rules={} if plan.estate is None else rules())
        identity = engine.RunIdentity(id=secrets.token_hex(16), host=platform.node() or "unknown")
        return await engine.run(identity, plan, ruleset, context, beside)

    async def _dynamics_state(self, plan: Plan, context: RunContext) -> DynamicsState:
        """What Dynamics' own records say of the mailboxes of a plan, or said last, where they cannot be read."""
        from probe.organization import told_state

        assert plan.estate is not None
        assert plan.estate.dynamics is not None
        network, progress = self._network_to(plan.estate.dynamics), self._options.rows_progress
        return await told_state(plan.estate, plan.mailboxes, context, network, all_of_them=plan.asked.mailboxes is None, progress=progress)

    async def gate(
        self,
        estate: Estate,
        mailboxes: Sequence[Mailbox],
        accept: frozenset[Accept] = frozenset(),
        stop: asyncio.Event | None = None,
        narrow: Narrow | None = None,
        progress: Progress | None = None,
    ) -> Gated | None:
        """The answer of the gate for some mailboxes: Dynamics' rows are read first, then they are probed. Nothing is written in Dynamics.

        `narrow` leaves of the mailboxes those that are meant, once the rows are there; where it leaves none, there is no answer. `progress` is as in `Options`.
        """
        from probe import gate

        context = self._context(stop or asyncio.Event(), progress)
        state: StateRecords | NotRead | None = None
        records: DynamicsRecords | Unread = gate.NOT_DECLARED
        if estate.dynamics is not None:
            from probe.organization import NotRead, read_state

            network, rows_progress = self._network_to(estate.dynamics), self._options.rows_progress
            state = await read_state(estate, mailboxes, context, network, every_alert=True, progress=rows_progress)
            records = gate.Unread(state.detail) if isinstance(state, NotRead) else gate.records_of(state)
        asked = {mailbox.address for mailbox in mailboxes}
        meant = mailboxes if narrow is None else narrow(mailboxes, records)
        if not meant:
            return None

        async def read_before() -> tuple[Reading, ...]:
            from probe.organization import readings_of

            if state is None:
                return ()
            addresses = {mailbox.address for mailbox in meant}
            told = await readings_of(state, estate, meant, context)
            return tuple(reading for reading in told if reading.subject in addresses or reading.subject not in asked)

        newer_than = {} if isinstance(records, gate.Unread) else records.mail_since(meant)
        plan = plan_check(estate, meant, self._options, newer_than=newer_than)
        run = await self._run(plan, context, read_before)
        # By now it knows every secret of the run too.
        return gate.gated(estate, meant, run, records, accept, context.redactor.clean_sentence, self._options.estate_file)

    async def enable(self, job: Job, audit: Audit, books: Books, say: Callable[[str], None], stop: asyncio.Event) -> Pressed:
        """Ask Dynamics for Test & Enable of the mailboxes of a job, and wait for what comes of it. Once `stop` is set it ends, and tells how far it is.

        `say` is told in one sentence of each step. `audit` is open, so that nobody else asks meanwhile.
        """
        from probe.enabling import Enabler
        from probe.organization import organization

        access, context = job.estate.dynamics, self._context(stop)
        assert access is not None
        network, authorities = self._network_to(access), job.estate.deployment.authorities
        asking = Enabler(
            job,
            lambda: organization(access, authorities, context, network, seconds=ENABLING_SECONDS),
            audit,
            books,
            clock=context.clock,
            say=say,
            clean=context.redactor.clean_sentence,
        )
        with contextlib.suppress(TimeoutError):  # which is how the stop ends it; all other time-outs are told in its notes
            async with asyncio.timeout(None) as patience, until(stop, patience):
                await asking.run()
        return asking.pressed(is_interrupted=stop.is_set())

    def _network_to(self, access: DynamicsAccess) -> Network:
        """The network with the anchors that vouch for Dynamics alone, where the estate names such."""
        if access.ca is None:
            return self._network(self._options.ca_file, self._policies)
        anchors = Path(access.ca)
        return self._network(anchors, TlsPolicies(anchors, self._options.system_anchors))

    def _network(self, ca_file: Path | None, policies: TlsPolicies) -> Network:
        options = self._options
        return Network(
            hosts=options.hosts,
            ca_file=ca_file,
            children=self._children,
            name_server=options.name_server,
            system_anchors=options.system_anchors,
            limits=self._limits,
            policies=policies,
        )

    @contextlib.asynccontextmanager
    async def organization(self, access: DynamicsAccess, authorities: tuple[str, ...] = ()) -> AsyncIterator[Client]:
        """The organization that an estate names. `authorities` are those of the deployment. Raises as `probe.organization.organization` does."""
        # Brought where somebody asks for it: a look starts sooner without.
        from probe.organization import organization

        async with organization(
            access, authorities, self._context(asyncio.Event()), self._network_to(access), seconds=IMPORT_SECONDS
        ) as client:
            yield client

    async def doctor(self, estate: Estate | None) -> list[Symptom]:
        """What is wrong with the set-up of this machine, and of an estate on it."""
        from probe.doctor import Instruments, examine
        from probe.memory import Folder, default_folder

        options = self._options
        look, to_organization = None, None
        if estate is not None:
            if https := [endpoint for endpoint in estate.endpoints if endpoint.service is Service.EWS]:
                look = partial(self.check, plan_look(https, replace(options, tls="none")))
            if (access := estate.dynamics) is not None:
                to_organization = partial(self.organization, access, estate.deployment.authorities)
        instruments = Instruments(
            folder=Folder(options.state or default_folder),
            resolver=self._network(options.ca_file, self._policies).resolver,
            ca_file=options.ca_file,
            system_anchors=options.system_anchors,
            timeout=options.timeout,
            deadline=options.deadline,
            look=look,
            to_organization=to_organization,
        )
        return await examine(estate, instruments)

    def _context(self, stop: asyncio.Event, progress: Progress | None = None) -> RunContext:
        options = self._options
        return RunContext(
            probers=probers(),
            network=self._network(options.ca_file, self._policies),
            clock=options.clock,
            timeout=options.timeout,
            deadline=options.deadline,
            report_bug=options.report_bug,
            progress=progress or options.progress,
            warn=options.warn,
            memory=self._memory,
            signs_in_now=options.sign_in_now,
            turns=self._turns,
            locks=self._locks,
            stop=stop,
        )


async def check(estate: Estate, mailboxes: Sequence[Mailbox], options: Options, stop: asyncio.Event | None = None) -> Run:
    """One run over an estate, or over some of its mailboxes, with all that it needs opened for it alone."""
    async with Probing(options) as probing:
        return await probing.check(plan_check(estate, mailboxes, options), stop)


async def gate(
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    options: Options,
    accept: frozenset[Accept] = frozenset(),
    narrow: Narrow | None = None,
    stop: asyncio.Event | None = None,
) -> Gated | None:
    """The answer of the gate for some mailboxes of an estate, each of which server-side synchronization serves; as in `Probing.gate`."""
    async with Probing(options) as probing:
        return await probing.gate(estate, mailboxes, accept, stop, narrow)


async def enable(job: Job, options: Options, audit: Audit, books: Books, say: Callable[[str], None], stop: asyncio.Event) -> Pressed:
    """Ask Dynamics for Test & Enable of the mailboxes of a job; as in `Probing.enable`."""
    async with Probing(options) as probing:
        return await probing.enable(job, audit, books, say, stop)


def moment_of(text: str) -> datetime:
    """The moment that somebody on this machine means, in local time. Raises ValueError with one sentence."""
    from probe.gate import moment_of

    return moment_of(text, now().astimezone(), datetime.astimezone)


async def look(endpoints: Iterable[Endpoint], options: Options, stop: asyncio.Event | None = None) -> Run:
    """Facts of some endpoints, each once; nothing is judged."""
    async with Probing(options) as probing:
        return await probing.check(plan_look(endpoints, options), stop)


async def read_organization(
    access: DynamicsAccess, authorities: tuple[str, ...], options: Options, progress: Callable[[int], None], stop: asyncio.Event
) -> ImportedRecords:
    """The records of an organization of which an estate can be made. `progress` is told how many mailboxes have come.

    Once `stop` is set it raises KeyboardInterrupt: a part of the records is none. Else it raises as `Probing.organization` does.
    """
    from probe.importing import read_records

    async def read() -> ImportedRecords:
        async with Probing(options) as probing, probing.organization(access, authorities) as client:
            if client.risk is not None:
                options.warn(client.risk)
            return await read_records(client, progress)

    return await unless_stopped(read, stop)


async def demo(options: Options, stop: asyncio.Event | None = None) -> Run:
    """Start the simulated estate on loopback, check it for real, and stop it."""
    from probe.simulation.estate import Simulation

    async with Simulation.start() as simulation:
        simulated = replace(options, hosts=simulation.hosts, ca_file=simulation.ca_file)
        return await check(simulation.estate, simulation.estate.mailboxes, simulated, stop)


def judge(document: Mapping[str, Any], estate: Estate | None = None, on: date | None = None) -> Run:
    """A stored run judged again under the rules of this version: under its own estate where none is given, for its own day where none is named.

    Raises NotADocument.
    """
    stored = read_run(document)
    if estate is None:
        estate = stored.estate
    if estate is None:
        raise NotADocument("the run holds no estate, as a look does; name one")
    asked = stored.asked.mailboxes
    if asked is not None and not any(mailbox.address in asked for mailbox in estate.mailboxes):
        raise NotADocument(f"the estate has none of the mailboxes that the run was asked for: {', '.join(asked)}")
    on = on or (stored.judged_at if document.get("judged_at") else today())
    return judge_again(stored, estate, Ruleset(inferences=inferences(), rules=rules()), on)


async def doctor(estate: Estate | None, options: Options, stop: asyncio.Event | None = None) -> list[Symptom]:
    """What is wrong with the set-up; as in `Probing.doctor`. Once `stop` is set it raises KeyboardInterrupt."""

    async def examined() -> list[Symptom]:
        async with Probing(options) as probing:
            return await probing.doctor(estate)

    return await unless_stopped(examined, stop or asyncio.Event())


def outlook(run: Run, until: date) -> list[Coming]:
    """What comes for the mailboxes of a run to a day: what begins to fail by itself."""
    from probe.outlook import outlook as ahead_of

    return ahead_of(run, Ruleset(inferences=inferences(), rules=rules()), until)


def _tls_question(options: Options, client: str, *, fips: bool) -> TlsQuestion | None:
    return None if options.tls == "none" else TlsQuestion(client=client, fips=fips, is_full=options.tls == "full")


def _asked(options: Options, mailboxes: tuple[str, ...] | None, client: str) -> Asked:
    return Asked(mailboxes=mailboxes, tls=options.tls, fips=client, allow=options.allow, all_addresses=options.all_addresses)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
