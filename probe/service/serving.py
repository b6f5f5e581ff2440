"""The process of `probe serve`: it joins what watches, what is told and what is shown, for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from probe.schedule import Schedule, tasks_of
from probe.web import Watch

from probe import app
from probe.alerts import Alerts
from probe.config import EstateError, load_estate
from probe.history import HistoryUnavailable, open_history
from probe.memory import Folder, Locked, MemoryUnavailable
from probe.model.estate import Estate, Secret
from probe.model.values import dataclass
from probe.net.service_manager import ServiceManager
from probe.net.threads import in_thread
from probe.service.clock import Clock, SystemClock
from probe.service.keeping import KeptLooks
from probe.service.view import View
from probe.service.watcher import Judges, Watcher

_log = logging.getLogger(__name__)

Shown = Callable[[Watch, asyncio.Event], Awaitable[None]]
"""Shows the service to others until the stop is set."""

_LOCK = "service.lock"
_ESTATE_SECONDS = 2.0
"""How often the estate's file is looked at."""
_LIVES_SECONDS = 10.0
"""How often the service manager hears of us, where it does not want to more often."""
_SWEEP_SECONDS = 3600.0


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
    shown: Shown
    clock: Clock | None = None


async def serve(settings: ServiceSettings, estate: Estate, stop: asyncio.Event, reload: asyncio.Event) -> None:
    """Watch an estate until `stop` is set. `reload`, once set, has the estate's file read again. Raises CannotServe."""
    manager, clock = ServiceManager(), settings.clock or SystemClock(settings.options.clock)
    try:
        async with AsyncExitStack() as stack:
            stack.enter_context(settings.folder.locked(_LOCK))
            history = await stack.enter_async_context(open_history(settings.database or settings.folder, estate.deployment.name))
            probing = await stack.enter_async_context(app.Probing(settings.options))
            alerts = await stack.enter_async_context(Alerts.opened(settings.folder, estate, settings.options.clock))
            schedule = Schedule(settings.folder, estate.deployment.name, tasks_of(estate), clock.now())
            watcher = Watcher(
                estate,
                judges=judges(settings.options),
                observer=probing,
                kept=KeptLooks(settings.folder, estate.deployment.name),
                history=history,
                schedule=schedule,
                alerts=alerts,
                clock=clock,
            )
            await watcher.begin()
            view = View(watcher, schedule, probing)
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(_following(settings.estate_file, watcher, alerts, reload)),
                    group.create_task(_telling_that_it_lives(manager, view)),
                    group.create_task(_sweeping(watcher)),
                ]
                shown = group.create_task(settings.shown(view, stop))
                manager.ready(view.standby().words)
                await watcher.run(stop)
                manager.stopping()
                await shown
                for task in beside:
                    task.cancel()
    except Locked:
        raise CannotServe(f"another `probe serve` uses {settings.folder.path}; two would sign in twice") from None
    except (HistoryUnavailable, MemoryUnavailable) as unavailable:
        raise CannotServe(str(unavailable)) from None


def judges(options: app.Options) -> Judges:
    """By what a service of these options looks and judges."""
    from dataclasses import replace
    from platform import node

    from probe.engine.judge import Ruleset

    def plan(estate: Estate, on: date) -> Plan:
        depth = "none" if estate.schedule.posture is None else "full"
        return app.plan_check(estate, estate.mailboxes, replace(options, tls=depth), on)

    return Judges(
        plan=plan,
        ruleset=Ruleset(inferences=app.inferences(), rules=app.rules()),
        probers=app.probers(),
        host=node() or "unknown",
    )


async def _following(file: Path, watcher: Watcher, alerts: Alerts, reload: asyncio.Event) -> None:
    """Take up the estate's file whenever it is another, or somebody asks; a wrong one is refused, and the old one kept."""
    known = await in_thread(lambda: _content(file), "probe-estate")
    while True:
        try:
            async with asyncio.timeout(_ESTATE_SECONDS):
                await reload.wait()
        except TimeoutError:
            pass
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
            await watcher.reload(estate)
            alerts.reload(estate)
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


async def _sweeping(watcher: Watcher) -> None:
    """Drop what of the history is too old or too much, once an hour."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            await watcher.history.sweep(watcher.estate.history, watcher.now())
        except HistoryUnavailable as unavailable:
            _log.error("the history was not swept: %s", unavailable)
