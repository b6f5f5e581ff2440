"""The process of `probe serve`: it joins what watches, what is told and what is shown, for as long as it lives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import field, replace
from datetime import date
from functools import partial
from pathlib import Path

from probe import app
from probe.alerts import (
    AT_ONCE,
    Alerts,
    Heartbeat,
    TargetSender,
    Telling,
    logs_of_this_machine,
    recipients_of,
)
from probe.alerts.heartbeat import AT_MOST_EVERY
from probe.config import EstateError, load_estate
from probe.engine.judge import Ruleset
from probe.engine.plan import Plan
from probe.engine.work import work_of
from probe.history import DeploymentClaim, HistoryUnavailable, open_history
from probe.memory import Folder, Locked, MemoryUnavailable
from probe.memory.state_file import RETRY_SECONDS
from probe.model.defaults import TlsDepth
from probe.model.estate import Estate, Secret, SecretReference
from probe.model.log_lines import log_form
from probe.model.values import dataclass
from probe.model.watching import are_within
from probe.net.killable import Children
from probe.net.service_manager import ServiceManager
from probe.net.threads import in_thread
from probe.schedule import Schedule, tasks_of
from probe.service.bugs import log_bug
from probe.service.clock import Clock, SystemClock
from probe.service.enabling import FOLLOWED_EACH, PageEnabling
from probe.service.instruments import Judges
from probe.service.keeping import KeptLooks
from probe.service.view import View
from probe.service.watcher import Watcher
from probe.service.writing import unwritten
from probe.web.listener import CannotListen, ListenSettings, listening
from probe.web.tokens import Tokens

_log = logging.getLogger(__name__)

SERVICE_LOCK = "service.lock"
"""Held by the service of a state folder, and by whoever must not meet it."""
_ESTATE_SECONDS = 2.0
"""How often the estate's file is looked at."""
_LIVES_SECONDS = 10.0
"""How often the service manager hears of us, where it does not want to more often."""
_SWEEP_SECONDS = 3600.0
_SWITCH_SECONDS = 0.0002
"""Between two threads of Python; its own 5 ms made a page of 12 ms take up to a second while everything was judged."""
_CLAIM_SECONDS = 15.0
"""How often it is looked whether this is the service that watches; a second one takes over within a minute."""


class CannotServe(Exception):
    """The service does not start; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How a service runs."""

    estate_file: Path
    options: app.Options
    folder: Folder
    """The state folder."""
    database: Secret | None
    """URL of a PostgreSQL database for the history; None: SQLite in the state folder."""
    listen: ListenSettings
    say: Callable[[str], None] = field(default=lambda line: None)
    """Writes a line to standard error."""
    logs_json: bool = False
    """Whether what is logged there is JSON."""
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Clock | None = None


async def serve(settings: ServiceSettings, estate: Estate, stop: asyncio.Event, reload: asyncio.Event) -> None:
    """Watch an estate until `stop` is set. `reload`, once set, has the estate's file read again. Raises CannotServe."""
    # What judges in a thread lets the loop wait that long, again and again, for each page that somebody asks for.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        async with AsyncExitStack() as stack:
            stack.enter_context(settings.folder.locked(SERVICE_LOCK))
            await _ServiceProcess(settings, estate, stop).run(stack, reload)
    except Locked:
        raise CannotServe(f"another `probe serve` uses {settings.folder.path}; two would sign in twice") from None
    except (HistoryUnavailable, MemoryUnavailable, CannotListen) as unavailable:
        raise CannotServe(str(unavailable)) from None


class _ServiceProcess:
    """What a service is made of."""

    def __init__(self, settings: ServiceSettings, estate: Estate, stop: asyncio.Event) -> None:
        self._settings = settings
        self._estate = estate
        self._stop = stop
        self._clock = settings.clock or SystemClock(settings.options.clock)
        self._manager = ServiceManager(settings.environment)

    async def run(self, stack: AsyncExitStack, reload: asyncio.Event) -> None:
        settings, estate, name = self._settings, self._estate, self._estate.deployment.name
        history = await stack.enter_async_context(open_history(settings.database or settings.folder, name))
        probing = await stack.enter_async_context(app.Probing(settings.options))
        children = await stack.enter_async_context(Children(AT_ONCE))
        ca_file = None if settings.options.ca_file is None else str(settings.options.ca_file)
        logs = logs_of_this_machine(settings.environment, settings.say, self._clock.now if settings.logs_json else None)
        targets = TargetSender(children, logs=logs, ca_file=ca_file)
        alerts = Alerts(settings.folder, name, targets.send, telling(estate, targets))
        by = judges(settings.options)
        loop = asyncio.get_running_loop()
        tasks = by.tasks(estate, by.plan(estate, self._clock.now().date()))
        schedule = Schedule(settings.folder, name, tasks, self._clock.now(), monotonic=loop.time)
        watcher = Watcher(
            estate,
            judges=by,
            observer=probing,
            kept=KeptLooks(settings.folder, name),
            history=history,
            schedule=schedule,
            alerts=alerts,
            telling=partial(telling, targets=targets),
            clock=self._clock,
        )
        claim = await stack.enter_async_context(history.claim())
        await watcher.begin(stands_by=not claim.is_held)
        view = View(watcher, schedule, probing, PageEnabling(settings.folder, probing, self._clock))
        tokens = Tokens(settings.folder)
        url = await stack.enter_async_context(listening(view, settings.listen, tokens, clock=self._clock.now, monotonic=loop.time))
        by_another = "" if claim.is_held else " by another service, and this one stands by"
        began = f"{name} is watched{by_another}; {url}"
        settings.say(json.dumps(log_form(self._clock.now(), "info", __name__, began, {})) if settings.logs_json else began)
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(work)
                for work in (
                    _following(settings.estate_file, watcher, reload),
                    _telling_that_it_lives(self._manager, view),
                    beating(targets, view, self._clock),
                    _sweeping(watcher),
                    _following_up(view),
                    _claiming(claim, watcher),
                )
            ]
            watching = group.create_task(watcher.run(self._stop))
            self._manager.ready(view.standby().words)
            await self._stop.wait()
            self._manager.stopping()
            # Now: one that waits for a database that hangs takes seconds to end.
            for task in beside:
                task.cancel()
            await watching


def telling(estate: Estate, targets: TargetSender) -> Telling:
    """Who is told of what, by an estate."""
    return Telling(
        settings=estate.alerts,
        recipients=recipients_of(estate, targets.logs),
        in_maintenance=lambda now: are_within(estate.schedule.maintenance, now, None),
    )


def judges(options: app.Options) -> Judges:
    """By what a service of these options looks and judges."""

    def plan(estate: Estate, on: date) -> Plan:
        depth: TlsDepth = "quick" if estate.schedule.posture is None else "full"
        return app.plan_check(estate, estate.mailboxes, replace(options, tls=depth), on)

    return Judges(
        plan=plan,
        tasks=lambda estate, plan: tasks_of(estate, work_of(plan, app.probers())),
        ruleset=Ruleset(inferences=app.inferences(), rules=app.rules()),
        probers=app.probers(),
        host=platform.node() or "unknown",
    )


async def _following(file: Path, watcher: Watcher, reload: asyncio.Event) -> None:
    """Take up the estate's file whenever it is another, or somebody asks; a wrong one is refused, and the old one kept."""
    known = await in_thread(lambda: _content(file), "probe-estate")
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ESTATE_SECONDS):
                await reload.wait()
        is_asked, content = reload.is_set(), await in_thread(lambda: _content(file), "probe-estate")
        reload.clear()
        if content == known and not is_asked:
            continue
        known = content
        try:
            estate = await in_thread(lambda: load_estate(file), "probe-estate")
        except EstateError as wrong:
            for problem in wrong.problems:
                _log.error("the estate is not taken up: %s", problem)
            continue
        if estate.deployment.name != watcher.estate.deployment.name:
            _log.error("the estate is not taken up: its deployment has another name; stop the service and start it again")
        elif estate != watcher.estate or is_asked:
            try:
                await watcher.reload(estate)
            except Exception as failure:  # noqa: BLE001 - the service goes on with what it has
                log_bug(failure, {"kind": "taking the estate up"})
                continue
            _log.info("the estate is taken up", extra={"endpoints": len(estate.endpoints), "mailboxes": len(estate.mailboxes)})


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


async def _telling_that_it_lives(manager: ServiceManager, view: View) -> None:
    seconds = _LIVES_SECONDS if manager.watchdog_seconds is None else min(_LIVES_SECONDS, manager.watchdog_seconds / 2)
    while True:
        manager.lives(view.standby().words)
        await asyncio.sleep(seconds)


async def beating(targets: TargetSender, view: View, clock: Clock) -> None:
    """Call the heartbeat's URL after each minute in which the schedule was kept."""
    beat: Heartbeat | None = None
    known: SecretReference | None = None
    while True:
        await asyncio.sleep(AT_MOST_EVERY.total_seconds())
        reference = view.estate.alerts.heartbeat
        if reference != known:
            known, beat = reference, None if reference is None else Heartbeat(reference, targets.beat)
        if beat is not None and view.standby().is_ready:
            await beat.beat(clock.now())


async def _claiming(claim: DeploymentClaim, watcher: Watcher) -> None:
    """Watch where no other service does, and stand by where one does."""
    while True:
        await asyncio.sleep(_CLAIM_SECONDS)
        is_held = await claim.renew()
        if is_held is not watcher.is_standing_by:
            continue
        try:
            await watcher.stand_by(not is_held)
        except (HistoryUnavailable, MemoryUnavailable) as unavailable:
            _log.error("this service does not watch yet: %s", unavailable)
        except Exception as failure:  # noqa: BLE001 - it is tried again
            log_bug(failure, {"kind": "taking over"})
        else:
            _log.warning("this service %s", "watches from now on" if is_held else "stands by: another watches this deployment")


async def _following_up(view: View) -> None:
    """See what came of Test & Enable that was asked for from the page, be it by a service before this one."""
    while True:
        try:
            await view.follow_up()
        except Exception as failure:  # noqa: BLE001 - the service goes on without it
            log_bug(failure, {"kind": "following Test & Enable up"})
        await asyncio.sleep(FOLLOWED_EACH)


async def _sweeping(watcher: Watcher) -> None:
    """Drop what of the history is too old or too much, once an hour."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        if watcher.is_standing_by:
            continue
        try:
            await watcher.history.sweep(watcher.estate.history, watcher.now(), RETRY_SECONDS)
        except HistoryUnavailable as unavailable:
            _log.error(unwritten("what is too old or too much of it is dropped in an hour", unavailable))
