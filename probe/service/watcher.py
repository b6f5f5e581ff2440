"""Watches one estate: holds what is due, takes in what was found, judges it, records it, and says what is wrong.

Time comes from a clock, conversations are held by an observer, so that a test can drive a week through it without a socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

from probe.alerts import Alerts, Telling
from probe.engine.again import StillKnown
from probe.engine.observe import Progress
from probe.history import History, Sighting
from probe.memory import MemoryUnavailable
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate
from probe.model.facts import Fact, Reading
from probe.model.runs import Run
from probe.net.failures import Throttled
from probe.net.threads import in_thread
from probe.schedule import Ended, Schedule, Task, TaskEnding, TaskKind
from probe.service.bugs import log_bug
from probe.service.clock import Clock
from probe.service.concluding import Conclusions
from probe.service.delivering import Delivering
from probe.service.handover import Handover
from probe.service.instruments import Judges, Observer
from probe.service.judging import under
from probe.service.keeping import KeptLooks
from probe.service.known import BelievedLook, KnownLooks, Taken
from probe.service.listing import UnlistedMailboxes
from probe.service.looks import Look, LookKey, Topic, is_unanswered, sorted_by_look
from probe.service.part_queue import AT_ONCE, PartQueue
from probe.service.parts import PORTION, in_portions, in_portions_within
from probe.service.recording import Recorded, otherwise_in_dynamics
from probe.service.showing import ShownState
from probe.service.taking_up import TakenUp, known_before, taken_up_after
from probe.service.teller import Teller
from probe.service.writing import HistoryWriter, LookKeeper

_log = logging.getLogger(__name__)

_LAST = timedelta(seconds=2)
"""How long each step of what follows from looks may go on once the service ends."""
_AT_MOST_SECONDS = 4.0
"""How long all of it may take then, whatever holds the files, or the database, that it is written to."""


class Watcher:
    """Watches one estate."""

    def __init__(
        self,
        estate: Estate,
        *,
        judges: Judges,
        observer: Observer,
        kept: KeptLooks,
        history: History,
        schedule: Schedule,
        alerts: Alerts,
        telling: Callable[[Estate], Telling],
        clock: Clock,
    ) -> None:
        """`telling` is who is told of what by an estate that is taken up later; of this one the alerts know it."""
        self._judges = judges
        self._observer = observer
        self._kept = kept
        self.history = history
        self._schedule = schedule
        self._alerts = alerts
        self._telling = telling
        self._clock = clock
        self._recorded = Recorded()
        self._of_dynamics: tuple[Reading, ...] = ()
        self._handover = Handover(history, kept, alerts, clock, self._lost)
        self._keeper = LookKeeper(kept, clock, self._handover.are_kept)
        self._writer = HistoryWriter(self._handover.record, clock)
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._stop = asyncio.Event()
        self._locks: WeakValueDictionary[LookKey, asyncio.Lock] = WeakValueDictionary()
        self._one_estate = asyncio.Lock()
        """Held while conclusions are drawn, so that no part of an estate is told under another one."""
        self._running = 0
        self._is_settling = False
        self._delivering = Delivering(alerts, self._handover, clock, self._wake, lambda: not self.is_standing_by)
        self._settled = asyncio.Event()
        """Set once what was known when somebody took it is judged; each judgement has its own."""
        self._unlisted = UnlistedMailboxes(observer, clock)
        self._teller = Teller(alerts, kept, history, judges.ruleset, clock.now())
        self.attempts: Counter[tuple[str, str]] = Counter()
        """Attempts that ended, by prober and outcome."""
        self.last_looks: dict[str, tuple[datetime, float]] = {}
        """When each endpoint was looked at last, and what the conversation took, by URL."""
        self.last_sign_ins: dict[str, datetime] = {}
        """When an account signed in last, and found what is known of it, by the mailbox's address."""
        self.started = clock.now()
        self.is_standing_by = True
        """Whether another service watches this deployment, or this one has not begun to: nothing begins here, is recorded or is told."""
        self._taken_up = TakenUp.of(estate, judges, clock.now())
        self._load(self._taken_up, self._taken_up.known((), self._taken_up.bare))
        self.shown = ShownState(self._bare)

    @property
    def estate(self) -> Estate:
        assert self._plan.estate is not None
        return self._plan.estate

    def now(self) -> datetime:
        """The time that it goes by, in UTC."""
        return self._clock.now()

    @property
    def unconfirmed(self) -> int:
        """How often a second look did not find what the first had."""
        return self._known.unconfirmed

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing waits to be judged, written or told."""
        return not (self._running or self._is_settling or self._news.is_set()) and self._delivering.is_idle

    def _load(self, made: TakenUp, known: KnownLooks) -> None:
        self._taken_up, self._known = made, known
        self._plan, self._bare, self._parts, self._looks = made.plan, made.bare, made.parts, made.looks
        self.concluded = Conclusions(made, self._judges, self._recorded)
        self._queue = PartQueue(len(self._parts.all))

    async def begin(self, *, stands_by: bool = False) -> None:
        """Take up what was known before a restart, and watch from now on, or stand by. Raises HistoryUnavailable and MemoryUnavailable."""
        await (self._know_again(dict(self._known.believed)) if stands_by else self.stand_by(False))

    async def stand_by(self, stands_by: bool) -> None:
        """Stand by from now on, or watch, and go on with what the last service knew and told that did. Nothing else changes which of both it is.

        A service that stands by looks where somebody asks for it, and shows that; nothing of it is recorded or told.
        Raises HistoryUnavailable and MemoryUnavailable: then it stands by, and this can be done again.
        """
        self._handover.stop()
        self._lost()
        if not stands_by:
            async with self._one_estate:
                await self._take_over()
            self.is_standing_by = False
        self._wake.set()

    def _lost(self) -> None:
        """Stand by: another service may have taken over."""
        self.is_standing_by = True
        # Whoever watches now has looked since, and what waits would come behind that.
        self._writer.forget()

    async def _take_over(self) -> None:
        now, before = self._clock.now(), dict(self._known.believed)
        source = await self._handover.take_over()
        if self.history.is_shared:
            # Whoever watched until now has signed in, and knows when from a folder of its own.
            self._schedule.take_in(await self.history.last_seen_by_accounts())
        self._recorded = Recorded()
        # Until it is read, what it said before stands: a restart changes nothing there.
        self._of_dynamics = await self._observer.last_of_dynamics(self.estate) if self.estate.watches_dynamics else ()
        self._unlisted = UnlistedMailboxes(self._observer, self._clock)
        await self._know_again(before)
        self._teller = Teller(self._alerts, self._kept, self.history, self._judges.ruleset, now)
        await self._teller.begin(self.estate, source, now, self._known.is_told_by_the_endpoint)

    async def _know_again(self, before: Mapping[LookKey, BelievedLook]) -> None:
        """Know what is kept, and what is believed otherwise than `before` it was read."""
        kept = await in_thread(partial(known_before, self._kept, self._taken_up, self._known), "probe-kept-looks")
        known, self.last_looks, other = kept.with_what_came(self._known, before, self.last_looks)
        self._load(self._taken_up, known)
        self._take_what_nobody_holds()
        await self._keeper.begin(self._bare, self._looks.keys(), other)
        self._handover.estate_is_kept()

    async def reload(self, estate: Estate) -> None:
        """Watch another estate from now on, keeping what of it is known, and tell whom it names. What is under way meanwhile goes on."""
        before, known, now, shared = self._bare, dict(self._known.believed), self._clock.now(), self._known.shared
        looks = (one.look.get() for one in known.values())
        made, still, tasks = await in_thread(lambda: taken_up_after(estate, self._judges, now, looks, before, shared), "probe-reload")
        async with self._one_estate:
            # Nothing of the new estate is judged or told before, and nothing of the old one after.
            await in_thread(partial(self._alerts.reload, self._telling(estate)), "probe-alerts")
            since = [one.look.get() for key, one in self._known.believed.items() if one is not known.get(key) and key in made.looks]
            still.unconfirmed = self._known.unconfirmed
            self._load(made, still)
            # What came meanwhile comes last, and counts.
            for look in under(self._plan, since, before):
                self._known.believe(look)
            # What nobody reads any more would last for ever.
            still_said = self._of_dynamics if estate.watches_dynamics else ()
            self._of_dynamics = tuple(StillKnown(before.estate, estate).of(still_said))
            self._recorded.forget(estate)
            self._schedule.reload(tasks, self._clock.now())
            self._news.set()
            self._wake.set()
            self._take_what_nobody_holds()
            other = self._known.otherwise_than({key: one.quickly for key, one in known.items()})
            await self._keeper.keep_estate(self._bare, self._looks.keys(), other)
            self._handover.estate_is_kept()

    def _take_what_nobody_holds(self) -> None:
        for key in self._taken_up.unheld.keys() - self._looks.keys():
            self._known.take(Look.of(key, [*self._taken_up.unmade(key, self._judges.probers)], self._clock.now()))

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set; what is under way then ends, and is taken in."""
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(one) for one in (self._stopping(stop), self._settling(), self._delivering.run())]
            while not stop.is_set():
                self._wake.clear()
                for task in () if self.is_standing_by else self._schedule.due(self._clock.now()):
                    self._running += 1
                    group.create_task(self._do(task))
                if self._is_anything_new():
                    self._news.set()
                if not self.is_standing_by:
                    self._delivering.want_what_is_due()
                await self._clock.sleep(self._next_due(), self._wake)
            while self._running:
                self._wake.clear()
                await self._wake.wait()
            for work in beside:
                work.cancel()
        try:
            async with asyncio.timeout(_AT_MOST_SECONDS):
                await self._settle(is_last=True)
                await self._handover.leave_told()
        except TimeoutError:
            _log.error("what was found last is not written: that takes longer than the service has to end; it is looked at again")
        # Whoever waits for what follows from a look has what is known.
        self._settled.set()
        try:
            self._schedule.flush()
        except MemoryUnavailable as unavailable:
            _log.error("what was due when is not kept for a restart: %s", unavailable)

    async def _settling(self) -> None:
        """Draw the conclusions whenever something was found. Meanwhile what is due goes on."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._is_settling = True
            settled, self._settled = self._settled, asyncio.Event()
            try:
                await self._settle()
            except Exception as failure:  # noqa: BLE001 - what nobody expected is called a bug, and the service goes on
                log_bug(failure, {})
            finally:
                self._is_settling = False
                settled.set()
            self._wake.set()
            # What comes meanwhile is judged and written together.
            await self._clock.pause()

    def _next_due(self) -> datetime:
        """When something is due by time alone."""
        times: list[datetime | None] = [self._clock.now() + timedelta(minutes=1)]
        if not self.is_standing_by:
            times += [self._schedule.next_due(), self._teller.next_due, self._delivering.next_due]
        return min(time for time in times if time is not None)

    def _is_anything_new(self) -> bool:
        """Whether something is to be judged, written or told."""
        now = self._clock.now()
        is_unwritten = self._writer.has_something(now) or self._keeper.has_something(now)
        is_untold = not self.is_standing_by and self._teller.has_something(now)
        return self._queue.has_something or is_unwritten or is_untold or now.date() != self._bare.judged_at

    async def _stopping(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop.set()
        self._wake.set()

    # ---- looking --------------------------------------------------------------------------------------------------

    async def _do(self, task: Task) -> None:
        """Do what is due, and say how it ended."""
        ended = TaskEnding(Ended.FAILED)
        try:
            ended = await self._held(task)
        except Exception as failure:  # noqa: BLE001 - what nobody expected is called a bug, and costs the service nothing else
            log_bug(failure, {"kind": task.kind, "subject": task.subject})
        finally:
            self._running -= 1
            self._schedule.ended(task, self._clock.now(), *ended)
            self._wake.set()

    async def _held(self, task: Task) -> TaskEnding:
        match task.kind:
            case TaskKind.DYNAMICS:
                return await self._read_dynamics()
            case TaskKind.QUICK:
                return await self._look_quickly(task.subject)
            case TaskKind.POSTURE:
                keys = [LookKey(Topic.TLS, task.subject)]
            case TaskKind.CANARY | TaskKind.LOGINS:
                keys = [LookKey(Topic.ACCOUNT, task.subject)]
            case TaskKind.ROUNDTRIP:
                keys = [LookKey(Topic.ACCOUNT, task.subject), LookKey(Topic.ROUND_TRIP, task.subject)]
        return await self.look(keys)

    async def _look_quickly(self, url: str) -> TaskEnding:
        """Look at an endpoint. Where no posture is held, the question about TLS is asked at once where it was not, or something of TLS is otherwise."""
        before = self._known.believed.get(LookKey(Topic.ENDPOINT, url))
        ended = await self.look([LookKey(Topic.ENDPOINT, url)])
        if self.estate.schedule.posture is None and self._known.calls_for_posture(url, before):
            await self.look([LookKey(Topic.TLS, url)])
        return ended

    async def look(self, keys: Sequence[LookKey], progress: Progress | None = None) -> TaskEnding:
        """Hold the conversations of some looks together, and take in what they found."""
        plan, bare, taken_up = self._plan, self._bare, self._taken_up
        conversations = [one for key in keys for one in self._looks.get(key, ())]
        if not conversations:
            return TaskEnding(Ended.AS_EXPECTED)
        async with AsyncExitStack() as stack:
            for key in sorted(keys):
                # One look of a kind at a time, whoever asks for it.
                await stack.enter_async_context(self._locks.setdefault(key, asyncio.Lock()))
            began = self._clock.now().replace(microsecond=0)
            attempts = await self._observer.hold(replace(plan, conversations=tuple(conversations)), self._stop, progress)
        now = self._clock.now()
        self.attempts.update(
            # What is older was made by somebody else, or for somebody else.
            (attempt.prober, attempt.outcome.value)
            for attempt in attempts
            if attempt.outcome is not Outcome.NOT_SCHEDULED and attempt.at >= began
        )
        looks = [
            Look.of(key, (*of_look, *taken_up.unmade(key, self._judges.probers)), now)
            for key, of_look in sorted_by_look(attempts, conversations, self._judges.probers).items()
            if not (key.topic is Topic.ACCOUNT and key in self._known.believed and is_unanswered(of_look))
        ]
        if plan.estate is not self.estate:
            # Taken up anew meanwhile: what was asked for another account, say, tells nothing under this one.
            looks = [*under(self._plan, (look for look in looks if look.key in self._looks), bare)]
        ended = [self._take(look, began, now) for look in looks]
        how = next((one for one in (Ended.SLOW_DOWN, Ended.FAILED, Ended.CHANGED) if one in ended), Ended.AS_EXPECTED)
        return TaskEnding(how, max((now + look.pause for look in looks if look.pause is not None), default=None))

    async def look_now(self, keys: Sequence[LookKey], progress: Progress | None = None) -> None:
        """Hold some looks because somebody asks, and return once what follows from them is known. What only one look says is said by a second.

        `progress` is told how far the conversations of each are.
        """
        self._running += 1
        try:
            if (await self.look(keys, progress)).how in (Ended.CHANGED, Ended.FAILED):
                await self.look([key for key in keys if key.topic is Topic.ENDPOINT], progress)
        finally:
            self._running -= 1
            self._wake.set()
        await self._conclusions(key.subject for key in keys)

    async def judged_of(self, subject: str) -> Run:
        """All that is known of the part of the estate that has an endpoint or a mailbox.

        Right after an estate was taken up it is waited for until that is judged, so that a part is missing only for a bug.
        """
        if not self.concluded.has(subject):
            await self._conclusions((subject,))
        return self.run_of(subject)

    def run_of(self, subject: str) -> Run:
        """What is known now of that part, as one run."""
        return self.concluded.run_of(subject, self._bare)

    async def _conclusions(self, subjects: Iterable[str]) -> None:
        """Wait until what is known now of the parts that have some subjects is judged."""
        self._queue.ask(self._parts.with_some(subjects))
        settled = self._settled
        self._news.set()
        await settled.wait()

    def _take(self, look: Look, began: datetime, now: datetime) -> Ended:
        if look.was_interrupted or look.key not in self._looks:
            return Ended.AS_EXPECTED
        before = self._known.believed.get(look.key)
        taken = self._known.take(look)
        if look.key.topic is Topic.ENDPOINT:
            self.last_looks[look.key.subject] = (now, look.seconds or 0.0)
        match taken:
            case Taken.REPEATED:
                if look.key.topic is Topic.ACCOUNT and (at := look.signed_in_at) is not None:
                    self.last_sign_ins[look.key.subject] = at
                # What was found before, for whoever asked then, was not found again now.
                self._record(self._recorded.repetition(look, now if look.since >= began else look.since))
            case Taken.BELIEVED:
                # Of what is new the state itself will have the time, once it is judged.
                self.last_sign_ins.pop(look.key.subject, None)
                self._keeper.add(look.key)
                self._queue.touch(self._parts.with_some((look.key.subject,)))
                if look.key.topic is Topic.ENDPOINT and before is not None and look.speaks_other_tls(before.look.get()):
                    self._schedule.hasten(TaskKind.POSTURE, look.key.subject, now)
            case Taken.DOUBTED:
                _log.info("to be confirmed by a second look", extra={"topic": look.key.topic, "subject": look.key.subject})
        if look.asks_for_a_pause:
            return Ended.SLOW_DOWN
        if taken is Taken.DOUBTED:
            return Ended.FAILED if look.has_failed else Ended.CHANGED
        return Ended.AS_EXPECTED

    def _record(self, sightings: Iterable[Sighting]) -> None:
        if not self.is_standing_by:
            self._writer.add(sightings)

    async def _read_dynamics(self) -> TaskEnding:
        estate = self.estate
        readings, pause = await self._observer.state_of_dynamics(estate, self._stop)
        if not self.estate.watches_dynamics:
            # The estate that was taken up meanwhile has it read no more.
            return TaskEnding(Ended.AS_EXPECTED)
        before = self._of_dynamics
        other = await in_thread(partial(otherwise_in_dynamics, before, readings), "probe-dynamics")
        if self.estate is not estate:
            readings = tuple(StillKnown(estate, self.estate).of(readings))
            other = otherwise_in_dynamics(self._of_dynamics, readings)
        self._of_dynamics = readings
        self._teller.take_dynamics(readings, self._clock.now())
        if DEPLOYMENT_SUBJECT in other:
            self._queue.touch_all()
        else:
            self._queue.touch(self._parts.with_some(other))
        if pause is not None:
            return TaskEnding.slowed(pause.seconds, self._clock.now())
        if any(isinstance(one, Fact) and one.key == v.DYNAMICS_ORGANIZATION_ID for one in readings):
            try:
                addresses = await self._unlisted.found(self.estate)
            except Throttled as wait:
                return TaskEnding.slowed(wait.pause_seconds, self._clock.now())
            if addresses is not None:
                self._teller.take_unlisted(addresses)
        return TaskEnding(Ended.AS_EXPECTED)

    # ---- what follows ---------------------------------------------------------------------------------------------

    async def _settle(self, *, is_last: bool = False) -> None:
        """Judge what is known where something of it is new, record it, and say what is wrong. `is_last`: as far as that is soon done."""
        async with self._one_estate:
            await self._settle_estate(is_last=is_last)

    async def _settle_estate(self, *, is_last: bool) -> None:
        now, concluded, queue = self._clock.now(), self.concluded, self._queue
        # The next start looks at all of them again.
        portions = partial(in_portions_within, clock=self._clock, span=_LAST) if is_last else in_portions
        if now.date() != self._bare.judged_at:
            self._plan = replace(self._plan, on=now.date())
            queue.touch_all()
        numbers = queue.take(partial(concluded.is_looked_at, known=self._known), None if is_last else AT_ONCE)
        if numbers:
            self._bare = replace(self._bare, finished=now, judged_at=now.date())
        try:
            # First: a start that knew an older look than the history would have it that everything changed back.
            await self._keeper.keep(self._known, self._bare, portions, at_once=is_last)
            # Some parts after the others: what is drawn up of each to be written and told takes many times the room of what is kept.
            of_dynamics = await in_thread(partial(self._parts.sort, self._of_dynamics), "probe-judging") if numbers else {}
            for some in portions(numbers):
                judging = in_thread(partial(concluded.judge, some, self._known, of_dynamics, self._bare, now), "probe-judging")
                await self.shown.show_while(judging, self._bare, concluded.drawn, len(self._parts.all))
                self._record(await judging)
                await self._writer.write(at_once=is_last)
            if numbers:
                self.shown.show_what_is(self._bare, concluded.drawn, is_partial=queue.is_partial)
            has_changed = await self._writer.write(at_once=is_last)
        except asyncio.CancelledError:
            # The service ends, and settles once more.
            queue.touch(numbers)
            raise
        if self.is_standing_by:
            return
        if numbers or has_changed or self._teller.has_something(now):
            wrong, tells = dict(concluded.wrong), self._known.is_told_by_the_endpoint
            is_late, is_partial = self._writer.is_late, queue.is_partial
            await self._teller.tell(self.estate, self._parts, wrong, now, tells, is_late=is_late, is_partial=is_partial)
            if not self.is_standing_by:
                self._delivering.want()
        queue.look_ahead_of(numbers)
        if not (queue.is_waiting or is_last):  # the next start looks ahead anew
            await self._look_ahead(queue.take_ahead(PORTION), now)

    async def _look_ahead(self, numbers: Sequence[int], now: datetime) -> None:
        """Say what ends soon at some parts, where no other service watches. One whose endpoints were not all looked at yet is judged again soon."""
        if self.is_standing_by or not numbers:
            return
        runs = (one.run() for one in self.concluded.looked_at(numbers))
        await self._teller.look_ahead(self.estate, runs, now)
        self._delivering.want()
