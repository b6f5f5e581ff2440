"""What the service keeps of each endpoint: many endpoints over a driven clock, without sockets, in minutes.

    python -m tests.benchmarks.service_memory [--own] [--rooms] ENDPOINTS

What a look finds is what the mail server of these measurements says once, under another name, and made anew each time, as it would come off a wire.
With `--own` each endpoint has a greeting and a certificate of its own. `--rooms` asks tracemalloc, which takes some times as long, and memory itself.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from probe import app
from probe.alerts import Alerts, Delivered, DeliveryEnding, Recipients, Telling
from probe.alerts.wording import Message
from probe.config import read_estate
from probe.engine.observe import Progress
from probe.engine.plan import Conversation, Plan
from probe.history import open_history
from probe.memory import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, packed
from probe.model.estate import Estate
from probe.model.facts import Fact, Reading
from probe.model.watching import Hours
from probe.organization import DynamicsState
from probe.schedule import Schedule
from probe.service import judges
from probe.service.keeping import KeptLooks
from probe.service.watcher import Watcher
from tests.benchmarks import estate_of_servers, mail_server
from tests.service.driven import START, DrivenClock
from tests.service.world import under_another_name

_NIGHT = Hours(start=(START + timedelta(minutes=6)).time(), end=(START + timedelta(minutes=11)).time())
_ROUNDS = 3


class _Model:
    """Answers as the mail server did, whoever is asked."""

    def __init__(self, found: dict[tuple[str, str], Attempt], clock: DrivenClock, *, has_own: bool) -> None:
        self._found = found
        self._clock = clock
        self._has_own = has_own
        self.looks = 0

    async def hold(self, plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        """An attempt for each conversation."""
        self.looks += 1
        return tuple(self._attempt(one) for one in plan.conversations)

    async def state_of_dynamics(self, estate: Estate, stop: asyncio.Event) -> DynamicsState:
        """Nothing."""
        return DynamicsState(())

    async def last_of_dynamics(self, estate: Estate) -> tuple[Reading, ...]:
        """Nothing."""
        return ()

    async def unlisted_mailboxes(self, estate: Estate) -> tuple[str, ...] | None:
        """None of them."""
        return ()

    def _attempt(self, one: Conversation) -> Attempt:
        found = under_another_name(self._found[one.prober, one.endpoint.service], one.told_of, one.account_of, one.name)
        at = self._clock.now()
        known: dict[object, Any] = {}
        readings = tuple(self._made_anew(reading, one, at, known) for reading in found.readings)
        words = packed([replace(line, text=_copy(line.text)) for line in found.transcript])
        return replace(found, at=at, mailbox=one.mailbox, readings=readings, transcript=words, address=_copy(found.address or ""))

    def _made_anew(self, reading: Reading, one: Conversation, at: Any, known: dict[object, Any]) -> Reading:
        if not isinstance(reading, Fact):
            return replace(reading, detail=_copy(reading.detail), at=at)
        value = reading.key.kind.decode(reading.key.kind.encode(reading.value))
        value = _copy(value) if isinstance(value, str) else tuple(map(_copy, value)) if _is_text(value) else value
        # What rests on the same lines holds them once, as in a notebook.
        lines = known.setdefault(
            reading.provenance,
            replace(
                reading.provenance,
                evidence=tuple(known.setdefault(line, replace(line, excerpt=_copy(line.excerpt))) for line in reading.provenance.evidence),
            ),
        ).evidence
        if self._has_own and reading.key in (v.PROTOCOL_GREETING, v.CERTIFICATE_SUBJECT):
            value = f"{value} {one.endpoint.host}"
            lines = tuple(replace(line, excerpt=f"{line.excerpt} {one.endpoint.host}") for line in lines)
            return replace(reading, value=value, at=at, provenance=replace(reading.provenance, evidence=lines))
        return replace(reading, value=value, at=at, provenance=known[reading.provenance])


def _is_text(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


def _copy(text: str) -> str:
    return f"{text} "[:-1]


async def _found(folder: Path, ports: dict[str, int]) -> dict[tuple[str, str], Attempt]:
    """What the mail server says, by prober and service."""
    estate = read_estate(estate_of_servers.text(2, ports, _NIGHT), "bench.toml")
    options = app.Options(ca_file=folder / "ca.pem")
    async with app.Probing(options) as probing:
        plan = judges(options).plan(estate, app.today())
        attempts = await probing.hold(plan, asyncio.Event())
    of_name = {one.name: one for one in plan.conversations}
    return {(attempt.prober, of_name[attempt.id].endpoint.service): attempt for attempt in attempts}


async def _taken(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
    return Delivered(DeliveryEnding.TAKEN)


def _telling(estate: Estate) -> Telling:
    return Telling(settings=estate.alerts, recipients=Recipients())


async def _measured(number: int, *, has_own: bool, wants_rooms: bool) -> None:
    os.environ[estate_of_servers.PASSWORD] = "anything"
    with tempfile.TemporaryDirectory() as name:
        with mail_server.running(Path(name), "own") as ports:
            found = await _found(Path(name), ports)
        clock = DrivenClock(tick=timedelta(seconds=2))
        model = _Model(found, clock, has_own=has_own)
        folder, options = Folder(Path(name, "state")), app.Options()
        by = judges(options)
        if wants_rooms:
            tracemalloc.start(3)
        before = _resident()
        estate = read_estate(estate_of_servers.text(number, ports, _NIGHT), "bench.toml")
        _say(f"the estate: {_resident() - before:.1f} MB")
        async with open_history(folder, "bench") as history:
            plan = by.plan(estate, clock.now().date())
            monotonic = lambda: clock.now().timestamp()  # noqa: E731 - as the schedule wants it
            schedule = Schedule(folder, "bench", by.tasks(estate, plan), clock.now(), monotonic=monotonic)
            del plan
            watcher = Watcher(
                estate,
                judges=by,
                observer=model,
                kept=KeptLooks(folder, "bench"),
                history=history,
                schedule=schedule,
                alerts=Alerts(folder, "bench", _taken, _telling(estate)),
                telling=_telling,
                clock=clock,
            )
            clock.is_idle = lambda: watcher.is_idle
            await watcher.begin()
            _say(f"begun: {_resident() - before:.1f} MB")
            for number_of_round in range(1, _ROUNDS + 1):
                cpu, looks = time.process_time(), model.looks
                clock.until, clock.stop = START + number_of_round * timedelta(minutes=5), asyncio.Event()
                await watcher.run(clock.stop)
                cpu, looks = time.process_time() - cpu, model.looks - looks
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
                gc.collect()
                _say(
                    f"round {number_of_round}: {looks} looks, {cpu / max(looks, 1) * 1000:.2f} ms CPU each with the model's own, "
                    f"{_resident() - before:.1f} MB, peak {peak:.1f} MB: {(_resident() - before) / number * 1000:.1f} kB for each endpoint, "
                    f"at peak {peak / number * 1000:.1f}; missed {schedule.missed}"
                )
                if wants_rooms and number_of_round == _ROUNDS:
                    _say_rooms(number)


def _say_rooms(number: int) -> None:
    """What each room, and each line, has made that is there still."""
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(False, "*/lexers/*"), tracemalloc.Filter(False, "*importlib*")]
    )
    statistics = snapshot.statistics("lineno")
    rooms: Counter[str] = Counter()
    for one in statistics:
        rooms["/".join(Path(one.traceback[0].filename).parts[-2:])] += one.size
    for room, size in rooms.most_common(25):
        _say(f"    {size / number / 1000:6.2f} kB  {room}")
    for one in statistics[:50]:
        place = one.traceback[0]
        _say(
            f"      {one.size / number / 1000:6.2f} kB  {one.count / number:6.1f} x  {'/'.join(Path(place.filename).parts[-2:])}:{place.lineno}"
        )


def _resident() -> float:
    """Megabytes."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(prog="python -m tests.benchmarks.service_memory")
    arguments.add_argument("endpoints", type=int)
    arguments.add_argument("--own", action="store_true")
    arguments.add_argument("--rooms", action="store_true")
    given = arguments.parse_args()
    asyncio.run(_measured(given.endpoints, has_own=given.own, wants_rooms=given.rooms))


if __name__ == "__main__":
    main()
