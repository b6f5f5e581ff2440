"""A service over a driven clock: everything but the sockets is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from probe import app
from probe.alerts import Alerts, Delivered, DeliveryEnding, Telling, recipients_of
from probe.alerts.wording import Message
from probe.config import read_estate
from probe.engine.judge import Ruleset
from probe.engine.work import work_of
from probe.history import open_history
from probe.memory import Folder
from probe.model.estate import Estate, Secret
from probe.model.runs import Run
from probe.model.watching import are_within
from probe.schedule import Schedule, tasks_of
from probe.service.instruments import Judges
from probe.service.judging import joined
from probe.service.keeping import KeptLooks
from probe.service.watcher import Watcher
from tests.service.world import World

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
OPTIONS = app.Options(tls="full")
JUDGES = Judges(
    plan=lambda estate, on: app.plan_check(estate, estate.mailboxes, OPTIONS, on),
    tasks=lambda estate, plan: tasks_of(estate, work_of(plan, app.probers())),
    ruleset=Ruleset(inferences=app.inferences(), rules=app.rules()),
    probers=app.probers(),
    host="probe.contoso.test",
)


def telling(estate: Estate) -> Telling:
    """Who is told of what by an estate: its targets, and the log."""
    return Telling(
        settings=estate.alerts,
        recipients=recipients_of(estate, ("log",)),
        in_maintenance=lambda now: are_within(estate.schedule.maintenance, now, UTC),
        zone=UTC,
    )


class DrivenClock:
    """Time passes when whoever it is for has nothing left to do."""

    def __init__(self, at: datetime = START, tick: timedelta = timedelta(seconds=1)) -> None:
        self._now = at
        self._tick = tick
        self._set_by = timedelta(0)
        self._events: list[tuple[datetime, Callable[[], None]]] = []
        self.until: datetime | None = None
        self.is_idle: Callable[[], bool] = lambda: True
        self.stop = asyncio.Event()
        self.works: list[Callable[[], Awaitable[None]]] = []
        """What is to be done once, and waited for, before more time passes."""

    def now(self) -> datetime:
        """This moment."""
        return self._now

    @property
    def passed(self) -> datetime:
        """The time that it would be had nobody set the clock."""
        return self._now - self._set_by

    def set_by(self, ahead: timedelta) -> None:
        """Somebody sets the clock, forward or back: no time passes by that."""
        self._now += ahead
        self._set_by += ahead

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Do something once it is that late."""
        self._events.append((when, do))
        self._events.sort(key=lambda event: event[0])

    async def sleep(self, until: datetime, wake: asyncio.Event) -> None:
        """Let the time pass, once everything that is under way has ended."""
        while not self.is_idle():
            wake.clear()
            await wake.wait()
        self._now = max(until, self._now + self._tick)
        while self._events and self._events[0][0] <= self._now:
            self._events.pop(0)[1]()
        while self.works:
            await self.works.pop(0)()
        if self.until is not None and self._now >= self.until:
            self.stop.set()

    async def pause(self) -> None:
        """There is nothing to gather: what was found at one time has come."""


class Driven:
    """A service, and all that it told."""

    def __init__(self, folder: Path, estate: Estate, clock: DrivenClock, world: World, database: Secret | None = None) -> None:
        """`database` has the history; without one the folder has it."""
        self.clock, self.world, self.estate = clock, world, estate
        self._folder = Folder(folder)
        self._database = database
        self.told: list[tuple[datetime, Message]] = []
        self.targets: list[str] = []
        """To whom each of them was told."""
        self.sent: list[tuple[str, str, bool]] = []
        """Id and title of each event as it was sent, and whether it was marked as a possible repetition."""
        self.watcher: Watcher
        self.schedule: Schedule

    async def _send(self, target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
        self.told.append((self.clock.now(), message))
        self.targets.append(target)
        self.sent.append((event, message.title, is_repetition))
        return Delivered(DeliveryEnding.TAKEN)

    @asynccontextmanager
    async def begun(self, *, stands_by: bool = False) -> AsyncIterator[Watcher]:
        """The service, begun from what is kept."""
        name, estate = self.estate.deployment.name, self.estate
        async with open_history(self._database or self._folder, name) as history:
            plan = JUDGES.plan(estate, self.clock.now().date())
            self.schedule = Schedule(
                self._folder,
                name,
                JUDGES.tasks(estate, plan),
                self.clock.now(),
                monotonic=lambda: self.clock.passed.timestamp(),
                zone=UTC,
            )
            self.watcher = Watcher(
                estate,
                judges=JUDGES,
                observer=self.world,
                kept=KeptLooks(self._folder, name),
                history=history,
                schedule=self.schedule,
                alerts=Alerts(self._folder, name, self._send, telling(estate)),
                telling=telling,
                clock=self.clock,
            )
            self.clock.is_idle = lambda: self.watcher.is_idle
            await self.watcher.begin(stands_by=stands_by)
            yield self.watcher

    async def run(self, until: datetime, *, stands_by: bool = False) -> None:
        """Begin the service, and end it at a time."""
        self.clock.until, self.clock.stop = until, asyncio.Event()
        async with self.begun(stands_by=stands_by) as watcher:
            await watcher.run(self.clock.stop)

    def reload_with(self, estate: Estate) -> None:
        """Have another estate watched from now on, at the next moment at which the service does something."""
        self.clock.works.append(lambda: self.watcher.reload(estate))

    def titles(self) -> list[str]:
        """What was told, in order."""
        return [message.title for _, message in self.told]


def driven(folder: Path, text: str, tick: timedelta = timedelta(seconds=1)) -> Driven:
    """A service of an estate, which begins at noon."""
    clock = DrivenClock(tick=tick)
    return Driven(folder, read_estate(text, "estate.toml"), clock, World(clock.now))


def again(folder: Path, before: Driven, text: str) -> Driven:
    """The service of a text after a restart, in the world as it is."""
    return Driven(folder, read_estate(text, "estate.toml"), before.clock, before.world)


def run_now(watcher: Watcher) -> Run:
    """All that a watcher shows, as one run."""
    shown = watcher.shown.now
    return joined([part.known.run() for _, part in sorted(shown.parts.items())], shown.whole)
