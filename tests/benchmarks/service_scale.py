"""`probe serve` over many endpoints, for real: a process of its own, which tells how it kept its schedule and what it took.

    python -m tests.benchmarks.service_scale POP3_PORT SMTP_PORT CA ENDPOINTS ROUNDS

It serves for so many rounds of five minutes. From the second on a twelfth of the mailboxes is signed in to in each; "last" is written to standard output
when the last begins, and what was measured, as one line of JSON, at the end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import resource
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.error import HTTPError

from probe import app
from probe.config import load_estate
from probe.memory import Folder
from probe.model.watching import Hours
from probe.net.threads import in_thread
from probe.schedule import Schedule, TaskKind
from probe.schedule.due import _Waiting
from probe.service import ServiceSettings, serve, serving
from probe.web.listener import ListenSettings
from tests.benchmarks import estate_of_servers

ROUND = timedelta(minutes=5)
_NIGHT = timedelta(hours=1)
"""In which every mailbox is signed in to: a quarter of what it has by default."""
_TICK = 0.05
_LAG_EVERY = 20
"""Ticks between two looks at the lag of the schedule, which goes through all that is late."""


class _Timed(Schedule):
    """A schedule that notes how late each look begins."""

    made: _Timed

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        _Timed.made = self
        self.late: list[float] = []
        self.lags: list[float] = []

    def _begin(self, entry: _Waiting, moment: float) -> None:
        if entry.task.kind is TaskKind.QUICK:
            self.late.append(moment - entry.due)
        super()._begin(entry, moment)


class _Stalls:
    """How long the loop did not come to us, at worst."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self, schedule_of: type[_Timed]) -> None:
        for tick in itertools.count():
            began = time.monotonic()
            await asyncio.sleep(_TICK)
            self.worst = max(self.worst, time.monotonic() - began - _TICK)
            if tick % _LAG_EVERY == 0 and (schedule := getattr(schedule_of, "made", None)) is not None:
                schedule.lags.append(schedule.lag(app.now()).total_seconds())


def _at_percent(of: Sequence[float], percent: float) -> float:
    ordered = sorted(of)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def _memory(pid: str = "self") -> float:
    """Megabytes that are resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _children() -> float:
    """Megabytes of the processes that this one has begun and that live."""
    files = Path("/proc/self/task").glob("*/children")
    return sum(_memory(pid) for file in files for pid in file.read_text().split())


def _asked(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


async def _measured(pop3: str, smtp: str, ca: str, number: int, rounds: int, stop: asyncio.Event) -> None:
    began = datetime.now().astimezone()
    second = began + ROUND + timedelta(minutes=1)
    night = Hours(start=second.time(), end=(second + _NIGHT).time())
    stalls, told = _Stalls(), list[dict[str, float]]()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "estate.toml")
        file.write_text(estate_of_servers.text(number, {"pop3": int(pop3), "smtp": int(smtp)}, night))
        state, said = Path(name, "state"), asyncio.Event()
        urls: list[str] = []

        def say(line: str) -> None:
            urls.append(line.rpartition(" ")[2])
            said.set()

        settings = ServiceSettings(
            estate_file=file,
            options=app.Options(ca_file=Path(ca), state=state),
            folder=Folder(state),
            database=None,
            listen=ListenSettings(port=0),
            say=say,
        )
        with patch.object(serving, "Schedule", _Timed):
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(stalls.watch(_Timed))
                service = group.create_task(serve(settings, load_estate(file), stop, asyncio.Event()))
                await said.wait()
                _say(f"begun after {(datetime.now().astimezone() - began).total_seconds():.1f} s, {_memory():.0f} MB")
                for which in range(1, rounds + 1):
                    if which == rounds:
                        _say("last")
                    cpu, at, stalls.worst = time.process_time(), time.monotonic(), 0.0
                    _Timed.made.late, _Timed.made.lags, missed = [], [], _Timed.made.missed
                    while (left := ROUND.total_seconds() - (time.monotonic() - at)) > 0:
                        await asyncio.sleep(min(left, 60))
                        if which < rounds:
                            ready = await in_thread(partial(_asked, f"{urls[0]}/readyz"), "bench")
                            _say(f"  {which}: {_memory():.0f} MB, {time.process_time() - cpu:.0f} s CPU, {ready[0]} {ready[1]}")
                    late = _Timed.made.late
                    told.append(
                        {
                            "looks": len(late),
                            "cpu": time.process_time() - cpu,
                            "late_99": _at_percent(late, 99),
                            "late_worst": max(late, default=0.0),
                            "lag_worst": max(_Timed.made.lags, default=0.0),
                            "missed": _Timed.made.missed - missed,
                            "stall": stalls.worst,
                            "megabytes": _memory(),
                            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                            "children": _children(),
                            "disk": sum(one.stat().st_size for one in state.iterdir()) / 1e6,
                        }
                    )
                    _say(json.dumps(told[-1]))
                for path in ("/metrics", "/"):
                    cpu = time.process_time()
                    status, text = await in_thread(partial(_asked, f"{urls[0]}{path}"), "bench")
                    _say(f"{path}: {status}, {len(text) / 1e6:.1f} MB, {time.process_time() - cpu:.1f} s CPU, {_memory():.0f} MB")
                told.append({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
                watching.cancel()
                stop.set()
                await service
    _say(json.dumps(told))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure."""
    pop3, smtp, ca, number, rounds = sys.argv[1:]
    os.environ[estate_of_servers.PASSWORD] = "anything"
    app.complete(lambda stop: _measured(pop3, smtp, ca, int(number), int(rounds), stop))


if __name__ == "__main__":
    main()
