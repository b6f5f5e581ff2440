"""A listener over a watch that is made of a run: small, real, and with a clock that tests drive."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from probe import app
from probe.enabling import Pressed, RecordedRequest
from probe.gate import Gated
from probe.history import History, open_history
from probe.memory.folder import Folder
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.runs import Run
from probe.net.listening import ClientLimits
from probe.service.clock import SystemClock
from probe.service.enabling import PageEnabling
from probe.service.resting import RestingRun
from probe.web import CannotCheck, EnableOrder, LastLook, LookUnderWay, Standby, Watch, WatchedState
from probe.web.connections import ClientPatience
from probe.web.listener import CLIENTS, PATIENCE, ListenSettings, listening
from probe.web.parts import PartState, PublishedPart
from probe.web.tokens import Tokens, TokenScope
from tests.looking import LOOKS, authority
from tests.runs import NOON, a_checked_run, a_mailbox, an_estate
from tests.web.client import Asker


class DrivenTime:
    """A clock and a count of seconds that stand still until a test drives them."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def drive(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class RunWatch:
    """A service that holds nothing by itself: it knows a run, and looks, checks and gates where it is asked to, for real."""

    def __init__(self, run: Run, history: History, time: DrivenTime, options: app.Options, state: Folder | None = None) -> None:
        assert run.estate is not None
        self.folder = state
        self.answers: dict[str, Gated] = {}
        """What the gate says of mailboxes without asking, by address."""
        self.recorded: dict[str, RecordedRequest] = {}
        """What the audit has besides."""
        self.looking: list[LookUnderWay] = []
        """What its schedule has done now."""
        self._run, self._history, self._time = run, history, time
        self._state = watched(run)
        self._news, self._is_drawn = asyncio.Event(), asyncio.Event()
        self.options = options
        self.started = time.now
        self.looks: dict[str, LastLook] = {}
        self.held: Counter[str] = Counter()
        """How often each endpoint was looked at, and each subject checked or gated."""
        self.ended: Counter[tuple[str, str]] = Counter((attempt.prober, attempt.outcome.value) for attempt in run.attempts)
        self.sign_ins: dict[str, datetime] = {}
        """When accounts signed in last, by mailbox."""
        self.next_sign_ins: dict[str, datetime] = {}
        """When the schedule has them sign in next, by mailbox."""
        self.late = timedelta()
        self.news = "1 of 2 conversations have ended"
        """What is told of how far a check and an answer of the gate are."""
        self.says: list[Callable[[str], None]] = []
        """By which each of them tells it, in the order in which they began."""
        self.ready = Standby(True, "3 endpoints and 7 mailboxes are watched")
        self.go = asyncio.Event()
        """What looks, checks and answers of the gate wait for."""
        self.go.set()
        self._looking = asyncio.Lock()

    @property
    def estate(self) -> Estate:
        assert self._run.estate is not None
        return self._run.estate

    @property
    def history(self) -> History:
        return self._history

    def run(self) -> Run:
        """The newest state, as one run."""
        return self._run

    def state(self) -> WatchedState:
        return self._state

    async def changed(self, known: WatchedState | None) -> None:
        while self._state is known:
            self._is_drawn.set()
            await self._news.wait()
            self._news.clear()

    async def show(self, run: Run) -> None:
        """Have another run be the newest state, and return once it is drawn."""
        self._take_up(run)
        await self._is_drawn.wait()

    async def pass_midnight(self) -> None:
        """Have the next day begin, for which no part is judged yet, and return once that is drawn."""
        whole = self._state.whole
        self.show_state(replace(self._state, whole=replace(whole, judged_at=whole.judged_at + timedelta(days=1))))
        await self._is_drawn.wait()

    def show_state(self, state: WatchedState) -> None:
        """Have another state be the newest."""
        self._state = state
        self._is_drawn.clear()
        self._news.set()

    def _take_up(self, run: Run) -> None:
        self._run = run
        self.show_state(watched(run))

    def last_look(self, endpoint: str) -> LastLook | None:
        return self.looks.get(endpoint)

    def standby(self) -> Standby:
        return self.ready

    def lag(self) -> timedelta:
        return self.late

    def under_way(self) -> Sequence[LookUnderWay]:
        return self.looking

    def attempts(self) -> Mapping[tuple[str, str], int]:
        return self.ended

    def dynamics(self) -> Mapping[tuple[str, str], int]:
        return {("corp", "enabled"): 3, ("corp", "disabled"): 1}

    async def look(self, endpoint: Endpoint) -> None:
        async with self._looking:
            last, interval = self.looks.get(endpoint.url), self.estate.schedule.quick
            if last is not None and interval is not None and self._time.now - last.at < interval:
                return
            await self._turn(endpoint)
            plan = app.plan_look([endpoint], self.options)
            plan = replace(plan, conversations=tuple(one for one in plan.conversations if one.prober in LOOKS))
            async with app.Probing(self.options) as probing:
                seen = await probing.check(plan)
            self._take(seen, endpoint.url)
            self.looks[endpoint.url] = LastLook(self._time.now, _seconds(seen.attempts))

    def signed_in(self, mailbox: str) -> datetime | None:
        return self.sign_ins.get(mailbox)

    def next_sign_in(self, mailbox: str, last: datetime | None) -> datetime | None:
        return self.next_sign_ins.get(mailbox)

    async def check(self, subject: Mailbox | Endpoint, run_id: str, say: Callable[[str], None]) -> Run:
        self.says.append(say)
        say(self.news)
        await self._turn(subject)
        plan = (
            app.plan_check(self.estate, [subject], self.options) if isinstance(subject, Mailbox) else app.plan_look([subject], self.options)
        )
        async with app.Probing(self.options) as probing:
            run = replace(await probing.check(plan), id=run_id)
        await self.history.record_run(run)
        return run

    async def gate(self, mailbox: Mailbox, run_id: str, say: Callable[[str], None]) -> Gated:
        self.says.append(say)
        say(self.news)
        await self._turn(mailbox)
        if mailbox.address in self.answers:
            return self.answers[mailbox.address]
        async with app.Probing(self.options) as probing:
            gated = await probing.gate(self.estate, [mailbox])
        assert gated is not None
        run = replace(gated.run, id=run_id)
        await self.history.record_run(run)
        return replace(gated, run=run)

    async def enable(self, gated: Gated, order: EnableOrder, say: Callable[[str], None]) -> Pressed:
        say("Dynamics was asked")
        await self._turn(next(one for one in self.estate.mailboxes if one.address == gated.verdicts[0].mailbox))
        async with app.Probing(self.options) as probing:
            return await self._enabling(probing).enable(self.estate, gated, order, say)

    async def enabling(self) -> Mapping[str, RecordedRequest]:
        async with app.Probing(self.options) as probing:
            return {**self.recorded, **await self._enabling(probing).requests()}

    async def follow_up(self) -> None:
        """See what came of what was asked from the page, as a service does once a minute."""
        async with app.Probing(self.options) as probing:
            await self._enabling(probing).follow_up(self.estate, lambda address: {})

    def _enabling(self, probing: app.Probing) -> PageEnabling:
        assert self.folder is not None
        return PageEnabling(self.folder, probing, SystemClock(app.now))

    async def _turn(self, subject: Mailbox | Endpoint) -> None:
        self.held[subject.address if isinstance(subject, Mailbox) else subject.url] += 1
        await self.go.wait()
        if not self.ready.is_ready:
            raise CannotCheck("the service is about to end")

    def _take(self, seen: Run, url: str) -> None:
        attempts = (*(one for one in self._run.attempts if one.subject != url), *seen.attempts)
        readings = (*(one for one in self._run.readings if one.subject != url), *(one for one in seen.readings if one.subject == url))
        self._take_up(replace(self._run, attempts=attempts, readings=readings))


def watched(run: Run) -> WatchedState:
    """The state of a watch that knows a run."""
    return WatchedState(
        whole=replace(run, attempts=(), readings=(), assessments=()), parts={0: PartState(RestingRun(run), PublishedPart.of(run))}
    )


def _seconds(attempts: tuple[Attempt, ...]) -> float:
    return attempts[0].seconds if attempts and attempts[0].outcome is Outcome.COMPLETED else 0.0


@dataclass
class World:
    """A listener, and what stands behind it."""

    asker: Asker
    """Asks as somebody without a token."""
    watch: RunWatch
    time: DrivenTime
    tokens: Tokens
    asked: dict[str, Asker] = field(default_factory=dict)

    def of(self, scope: TokenScope) -> Asker:
        """Asks with a token of that scope, which is made once."""
        if scope not in self.asked:
            token = self.tokens.create(f"of-{scope}", scope, self.time.now)
            self.asked[scope] = replace(self.asker, token=token)
        return self.asked[scope]

    async def worked_out(self) -> dict[str, Any]:
        """The estate in short, once what comes is worked out."""
        while True:
            told: dict[str, Any] = json.loads((await self.asker.ask("/v1/summary")).body)
            if told["coming_as_of"] is not None:
                return told
            await asyncio.sleep(0.25)  # the budget of requests does not fill up


@asynccontextmanager
async def world(
    folder: Path,
    run: Run | None = None,
    settings: ListenSettings | None = None,
    clients: ClientLimits = CLIENTS,
    patience: ClientPatience = PATIENCE,
    monotonic: Callable[[], float] | None = None,
    options: app.Options | None = None,
) -> AsyncIterator[World]:
    """A listener on a free port of loopback over a run, with its state in a folder. Budgets fill up as the driven time passes, or by `monotonic`."""
    time, state = DrivenTime(), Folder(folder / "state")
    made = app.Options(timeout=5.0, ca_file=authority().ca_file, tls="none")
    async with open_history(state, "contoso-crm") as history:
        watch = RunWatch(run or a_checked_run(), history, time, options or made, state)
        shown: Watch = watch
        tokens = Tokens(state)
        where = settings or ListenSettings(port=0)
        async with listening(
            shown, where, tokens, clock=time.clock, monotonic=monotonic or time.monotonic, clients=clients, patience=patience
        ) as url:
            yield World(Asker(url, authority().ca_file), watch, time, tokens)
    # What a page had drawn beside the loop goes on without it, and would slow down the tests that follow.
    for thread in threading.enumerate():
        if thread.name.startswith("probe-web-"):
            await asyncio.to_thread(thread.join)


def estate_at(incoming: str, outgoing: str, *addresses: str) -> Estate:
    """An estate of one profile whose two endpoints are these, in which nobody signs in."""
    estate = an_estate(*map(a_mailbox, addresses or ("sales@branch.test",)))
    branch = replace(estate.profiles[1], incoming=Endpoint.parse(incoming), outgoing=Endpoint.parse(outgoing))
    return replace(estate, deployment=replace(estate.deployment, allow=frozenset()), profiles=(branch,), dynamics=None)


async def checked(estate: Estate) -> Run:
    """A run of a whole estate, for real."""
    return await app.check(estate, estate.mailboxes, app.Options(timeout=5.0, ca_file=authority().ca_file, tls="none"))
