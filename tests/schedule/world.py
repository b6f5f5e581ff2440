"""A schedule over a clock that a test drives, and what it keeps in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from probe.memory import Folder
from probe.model.watching import Hours, Load
from probe.schedule import Ended, Schedule, Task, TaskKind

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)


def look(url: str = "imaps://mail.contoso.test:993", kind: TaskKind = TaskKind.QUICK, every: timedelta = timedelta(minutes=5)) -> Task:
    """A task of an endpoint."""
    return Task(kind=kind, subject=url, interval=every, loads={url: Load(connections=1)})


def sign_in(
    address: str = "a@contoso.test",
    kind: TaskKind = TaskKind.CANARY,
    every: timedelta = HOUR,
    account: str | None = None,
    url: str = "imaps://mail.contoso.test:993",
    between: Hours | None = None,
    never: tuple[Hours, ...] = (),
) -> Task:
    """A task of a mailbox, with an account of its own where none is named."""
    accounts = frozenset({account or address})
    loads = {url: Load(connections=1, sign_ins=1)}
    return Task(kind=kind, subject=address, interval=every, loads=loads, accounts=accounts, between=between, never=never)


@dataclass
class World:
    """A machine: its disk, its clock, which can be set, and the seconds that pass in it."""

    path: Path
    tasks: Sequence[Task]
    now: datetime = MORNING
    passed: float = 0.0
    zone: tzinfo | None = UTC
    name: str = "contoso-crm"
    schedule: Schedule = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew with what is on the disk, as after a kill."""
        self.schedule = Schedule(Folder(self.path), self.name, self.tasks, self.now, monotonic=lambda: self.passed, zone=self.zone)

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time
        self.passed += time.total_seconds()

    def set_clock(self, by: timedelta) -> None:
        """Set the clock forward, or back."""
        self.now += by

    def due(self) -> list[Task]:
        """What begins now."""
        return self.schedule.due(self.now)

    def end(self, task: Task, how: Ended = Ended.AS_EXPECTED) -> None:
        """End a task that runs."""
        self.schedule.ended(task, self.now, how)

    def wait_until_due(self, until: datetime) -> bool:
        """Let time pass until something is due, or else until then; whether something is."""
        due = self.schedule.next_due()
        self.wait(max(timedelta(0), min(until, due or until) - self.now))
        return due is not None and due <= self.now

    def run(self, time: timedelta, takes: timedelta = timedelta(0)) -> list[tuple[datetime, Task]]:
        """Do what is due for some time, each at once or, one after another, in a time that it takes; gives what began, and when."""
        until, begun = self.now + time, []
        while self.wait_until_due(until) and self.now <= until:
            for task in self.due():
                begun.append((self.now, task))
                if takes:
                    self.wait(takes)
                self.end(task)
        return begun
