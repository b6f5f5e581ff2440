"""What the pages of the service cost: each path first and later, at 50 requests a second beside the schedule, with the loop's longest stall.

    python -m tests.benchmarks.pages serve FOLDER ESTATE.toml CA

is the service that is asked, in a process of its own: it writes the listener's URL, and for each line that it reads the longest stall of its loop since the
line before, in seconds, how late the schedule was at most, and how many slots it missed so far.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from probe import app
from probe.config import load_estate
from probe.memory import Folder
from probe.model.endpoints import endpoint_id
from probe.schedule import Schedule
from probe.service import ServiceSettings, serve, serving
from probe.web.listener import listen_settings
from tests.benchmarks.estate_of_many import DEPLOYMENT

A_SECOND = 50
LIMIT = 0.1
"""Seconds of a page, whichever and whenever."""
_AT_ONCE = 16
_SOME = 40
"""Answers by which the CPU of one is reckoned."""
_TICK = 0.005
"""Seconds that the loop is asked to sleep, again and again, to see how late it wakes."""
_SCHEDULE = """[schedule]
quick = "1m"
posture = "off"
"""
_PROFILE = """
[[profile]]
name = "p{number}"
server_type = "pop3-smtp"
incoming = "pop3://{host}:{pop3}"
outgoing = "smtp://{host}:{smtp}"
credentials = "mailbox"
"""
_MAILBOX = """
[[mailbox]]
address = "m{number}@contoso.test"
profile = "p{profile}"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


def estate(mailboxes: int, endpoints: int, ports: dict[str, int]) -> str:
    """So many mailboxes behind so many endpoints, two of a profile."""
    profiles = endpoints // 2
    hosts = (f"127.1.{n // 250}.{n % 250 + 1}" for n in range(profiles))
    return "".join(
        (
            DEPLOYMENT,
            _SCHEDULE,
            *(_PROFILE.format(number=n, host=host, **ports) for n, host in enumerate(hosts)),
            *(_MAILBOX.format(number=n, profile=n % profiles) for n in range(mailboxes)),
        )
    )


def paths(mailboxes: int, ports: dict[str, int]) -> list[str]:
    """What is asked for: each page, the API, metrics; and a search as one types it."""
    url = f"pop3://127.1.0.1:{ports['pop3']}"
    typed = f"m{mailboxes - 1}@con"
    return [
        "/",
        f"/m/m{mailboxes // 2}@contoso.test",
        f"/e/{endpoint_id(url)}",
        "/changes",
        "/calendar",
        "/v1/summary",
        "/v1/mailboxes?readiness=undetermined&q=9",
        f"/v1/mailboxes/m{mailboxes // 3}@contoso.test",
        "/v1/endpoints",
        "/metrics",
        "/?profile=p1&verdict=UNKNOWN",
        *(f"/?q={typed[:length].replace('@', '%40')}" for length in range(1, len(typed) + 1)),
    ]


def measure(mailboxes: int, endpoints: int, change: Path, ports: dict[str, int], ca: Path, seconds: float) -> Iterator[str]:
    """Lines that tell what was measured. POP3 changes what it says once the file `change` is there."""
    yield f"  {mailboxes} mailboxes, {endpoints} endpoints; limit of each figure {LIMIT * 1000:.0f} ms; milliseconds as a client sees them"
    asked = paths(mailboxes, ports)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "estate.toml"
        file.write_text(estate(mailboxes, endpoints, ports))
        told: dict[str, _Phase] = {}
        with _Service(folder, file, ca) as service:
            told["start"] = service.ask(asked, min(seconds, 30), from_first=True)
            service.settle(asked[5])
        with _Service(folder, file, ca) as service:
            told["restart"] = service.ask(asked, min(seconds, 30), from_first=True)
            service.settle(asked[5])
            change.touch()
            # Within two rounds of looks each endpoint is found otherwise, and found so again.
            told["change"] = service.ask(asked, 120 if seconds >= 60 else seconds)
            service.settle(asked[5])
            file.write_text(estate(mailboxes + 1, endpoints, ports))
            told["reload"] = service.ask(asked, min(seconds, 30))
            service.settle(asked[5])
            told["steady"] = service.ask(asked, seconds)
            cpu = {path: service.cpu_of(path) for path in asked}
            megabytes = service.megabytes()
    for phase, of_it in told.items():
        yield (
            f"  {phase}: {of_it.number} requests, longest stall of the loop {of_it.stall * 1000:.0f} ms, "
            f"schedule at most {of_it.late:.1f} s late, {of_it.missed} slots missed{of_it.begun}"
        )
    yield f"  peak of memory {megabytes:.0f} MB"
    yield f"  {'path':48} {'start':>13} {'restart':>13} {'change':>13} {'reload':>13} {'steady':>20} {'CPU':>6}"
    yield f"  {'':48} {'first worst':>13} {'first worst':>13} {'first worst':>13} {'first worst':>13} {'median 99% worst':>20} {'each':>6}"
    keystrokes = [path for path in asked if path.startswith("/?q=")]
    for line, some in [*((path, [path]) for path in asked if path not in keystrokes), (f"{len(keystrokes)} keystrokes", keystrokes)]:
        worst = " ".join(of_it.worst_of(some) for name, of_it in told.items() if name != "steady")
        yield f"  {line:48} {worst} {told['steady'].spread_of(some)} {max(cpu[path] for path in some) * 1000:6.1f}"


@dataclass(slots=True)
class _Phase:
    """What was measured in one time."""

    took: dict[str, list[float]]
    stall: float = 0.0
    late: float = 0.0
    missed: int = 0
    begun: str = ""

    @property
    def number(self) -> int:
        return sum(map(len, self.took.values()))

    def worst_of(self, some: Sequence[str]) -> str:
        first, every = (self.took[path][0] for path in some), (one for path in some for one in self.took[path])
        return f"{max(first) * 1000:6.0f} {max(every) * 1000:6.0f}"

    def spread_of(self, some: Sequence[str]) -> str:
        every = sorted(one for path in some for one in self.took[path])
        at_most = every[min(int(len(every) * 0.99), len(every) - 1)]
        return f"{statistics.median(every) * 1000:6.0f} {at_most * 1000:6.0f} {every[-1] * 1000:6.0f}"


@dataclass(slots=True)
class _Service:
    """A service in a process of its own."""

    folder: Path
    file: Path
    ca: Path
    _process: subprocess.Popen[str] = field(init=False)
    _url: str = field(init=False)
    _began: float = field(init=False)
    _own: threading.local = field(init=False, default_factory=threading.local)
    _refused: list[str] = field(init=False, default_factory=list)

    def __enter__(self) -> _Service:
        command = [sys.executable, "-m", "tests.benchmarks.pages", "serve", str(self.folder), str(self.file), str(self.ca)]
        self._began = time.monotonic()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._url = self._process.stdout.readline().strip()
        if not self._url:
            raise RuntimeError("the service did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def ask(self, asked: Sequence[str], seconds: float, *, from_first: bool = False) -> _Phase:
        """Ask for each path in turn, so many times a second, and give how long each answer took from the moment at which it was due."""
        phase = _Phase({path: [] for path in asked})
        self._report()
        if from_first:
            listened = time.monotonic() - self._began
            phase.took[asked[0]].append(self._timed(asked[0], time.monotonic()))
            phase.begun = (
                f"; listening {listened:.1f} s after the process began, the first page {phase.took[asked[0]][0] * 1000:.0f} ms later"
            )
        began = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waiting = []
            for number in range(int(seconds * A_SECOND)):
                due = began + number / A_SECOND
                time.sleep(max(due - time.monotonic(), 0.0))
                path = asked[number % len(asked)]
                waiting.append((path, pool.submit(self._timed, path, due)))
            for path, answer in waiting:
                phase.took[path].append(answer.result())
        if self._refused:
            sys.stdout.write(f"  refused: {len(self._refused)}, first {self._refused[0]}\n")
            self._refused.clear()
        phase.stall, phase.late, phase.missed = self._report()
        return phase

    def settle(self, summary: str) -> None:
        """Wait until nothing new was judged for 15 seconds, or long enough."""
        before, since = None, time.monotonic()
        until = since + 100
        while time.monotonic() < until and time.monotonic() - since < 15:
            now = json.loads(self._got(summary)).get("as_of")
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(1)

    def cpu_of(self, path: str) -> float:
        """Seconds of CPU that the service takes for one answer, with what it does besides: it means something on a busy machine too."""
        before = cpu_of(self._process.pid)
        for _ in range(_SOME):
            self._got(path)
        return (cpu_of(self._process.pid) - before) / _SOME

    def megabytes(self) -> float:
        """The peak of memory until now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    def _report(self) -> tuple[float, float, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        stall, late, missed = self._process.stdout.readline().split()
        return float(stall), float(late), int(missed)

    def _timed(self, path: str, due: float) -> float:
        self._got(path)
        return time.monotonic() - due

    def _got(self, path: str) -> bytes:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            where = urlsplit(self._url)
            connection = self._own.connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=300)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
        except http.client.RemoteDisconnected:  # idle for too long
            connection.close()
            connection.request("GET", path)
            response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            self._refused.append(f"{response.status} {path}")
        return body


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process took until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Watched:
    """How late the loop wakes, and how late the schedule is."""

    def __init__(self) -> None:
        self.stall, self.late = 0.0, timedelta()
        self.schedule: Schedule | None = None

    def scheduled(self, *given: Any, **named: Any) -> Schedule:
        self.schedule = Schedule(*given, **named)
        return self.schedule

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(_TICK)
            self.stall = max(self.stall, loop.time() - began - _TICK)
            if self.schedule is not None:
                self.late = max(self.late, self.schedule.lag(app.now()))

    def report(self) -> None:
        if not sys.stdin.readline():  # whoever asks is gone
            asyncio.get_running_loop().remove_reader(sys.stdin)
            signal.raise_signal(signal.SIGTERM)
            return
        missed = 0 if self.schedule is None else self.schedule.missed
        sys.stdout.write(f"{self.stall} {self.late.total_seconds()} {missed}\n")
        sys.stdout.flush()
        self.stall, self.late = 0.0, timedelta()


def main() -> None:
    """Serve, as the module says."""
    folder, file, ca = map(Path, sys.argv[2:])
    read = load_estate(file)

    def say(line: str) -> None:
        if " is watched; " in line:  # alerts are said so too
            sys.stdout.write(f"{line.rpartition(' ')[2]}\n")
            sys.stdout.flush()

    settings = ServiceSettings(
        estate_file=file,
        options=app.Options(ca_file=ca, state=folder / "state"),
        folder=Folder(folder / "state"),
        database=None,
        listen=listen_settings("127.0.0.1:0"),
        say=say,
    )
    watched = _Watched()
    setattr(serving, "Schedule", watched.scheduled)  # noqa: B010 - so that it can be asked

    async def begun(stop: asyncio.Event) -> None:
        watching = asyncio.ensure_future(watched.watch())
        asyncio.get_running_loop().add_reader(sys.stdin, watched.report)
        try:
            await serve(settings, read, stop, asyncio.Event())
        finally:
            watching.cancel()

    done: Callable[[asyncio.Event], Any] = begun
    app.complete(done)


if __name__ == "__main__":
    main()
