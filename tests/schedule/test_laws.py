"""Laws of the schedule, whatever happens: tasks end in any way and at any time, the process is killed, the clock is set, the estate changes."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections import Counter
from datetime import time, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from probe.model.watching import Hours
from probe.schedule import Ended, Task, TaskKind
from tests.schedule.world import BERLIN, HOUR, World, look, sign_in

MAIL, BRANCH = "imaps://mail.contoso.test:993", "pop3s://branch.contoso.test:995"
NIGHT = Hours(start=time(1), end=time(5))
SATURDAY = (Hours(start=time(22), end=time(2), weekday=5), Hours(start=time(12), end=time(12, 30)))
EVERYTHING = (
    look(MAIL),
    look(BRANCH),
    look(MAIL, TaskKind.POSTURE, timedelta(hours=6)),
    look("https://crm.contoso.test", TaskKind.DYNAMICS),
    sign_in("a@contoso.test", account="svc", url=MAIL, never=SATURDAY),
    sign_in("a@contoso.test", TaskKind.ROUNDTRIP, timedelta(hours=3), account="svc", url=MAIL, never=SATURDAY),
    *(
        sign_in(f"{letter}@contoso.test", TaskKind.LOGINS, timedelta(days=1), account, MAIL, NIGHT, SATURDAY)
        for letter, account in zip("bcdefg", ("svc", "svc", None, None, None, None), strict=True)
    ),
)
_IN_MEMORY = Path("/dev/shm")
SECONDS = st.sampled_from((0.5, 7.0, 61.0, 290.0, 1900.0, 4000.0, 20_000.0))


class Machine(RuleBasedStateMachine):
    """Drives a schedule and remembers what began, in seconds that pass and not by the clock that is set."""

    def __init__(self) -> None:
        super().__init__()
        # In memory where there is such a place: each sign-in waits for the disk.
        self.path = Path(tempfile.mkdtemp(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
        self.running: list[Task] = []
        self.began: dict[tuple[str, str], float] = {}
        self.signed_in: dict[str, float] = {}

    @initialize()
    def begin(self) -> None:
        """Begin with everything."""
        self.world = World(self.path, EVERYTHING, zone=BERLIN)

    def teardown(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.path)

    def look_what_is_due(self) -> None:
        """Begin what is due, and hold it against the laws."""
        for task in self.world.due():
            assert task not in self.running, "a task runs twice"
            self.running.append(task)
            looks = Counter(url for one in self.running if not one.is_of_a_mailbox for url in one.loads)
            mailboxes = Counter(url for one in self.running if one.is_of_a_mailbox for url in one.loads)
            accounts = Counter(account for one in self.running for account in one.accounts)
            assert max((*looks.values(), *accounts.values()), default=0) <= 1, "two looks at one endpoint, or two sign-ins of one account"
            assert max(mailboxes.values(), default=0) <= 3, "more sign-ins at an endpoint than connections"
            if task.is_of_a_mailbox:
                key, passed = (task.kind, task.subject), self.world.passed
                interval = task.interval.total_seconds()
                spacing = interval * 11 / 12 if task.between else interval
                assert passed - self.began.get(key, -math.inf) > spacing - 3, "a sign-in within its interval"
                assert passed - self.signed_in.get(task.subject, -math.inf) > 897, (
                    "two sign-ins for one mailbox within a quarter of an hour"
                )
                self.began[key] = self.signed_in[task.subject] = passed
                assert not any(_within(hours, self.world) for hours in task.never), "a sign-in during maintenance"
                assert task.between is None or _within(task.between, self.world), "a sign-in outside its hours"

    @rule(seconds=SECONDS, how=st.sampled_from(Ended))
    def time_passes(self, seconds: float, how: Ended) -> None:
        """Time passes, and what is due begins when it is due; looks end at once, sign-ins as somebody says."""
        until = self.world.now + timedelta(seconds=seconds)
        while self.world.wait_until_due(until):
            self.look_what_is_due()
            for task in [one for one in self.running if not one.is_of_a_mailbox]:
                self.end(task, how)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), how=st.sampled_from(Ended))
    def one_ends(self, data: st.DataObject, how: Ended) -> None:
        """One of those that run ends."""
        self.end(data.draw(st.sampled_from(self.running)), how)
        self.look_what_is_due()

    @rule()
    def nobody_asks(self) -> None:
        """The machine sleeps for an hour, or the process hangs."""
        self.world.wait(HOUR)
        self.look_what_is_due()

    @rule(forward=st.booleans(), by=st.sampled_from((5, 30, 60)))
    def the_clock_is_set(self, forward: bool, by: int) -> None:
        """The clock is set by up to an hour."""
        self.world.set_clock(timedelta(minutes=by if forward else -by))
        before = len(self.running)
        self.look_what_is_due()
        assert len(self.running) - before <= 2, "a clock that is set lets a storm go"

    @rule(at_rest=st.booleans())
    def the_process_is_killed(self, at_rest: bool) -> None:
        """The process begins anew, with what is on the disk, at once or after an hour."""
        self.running = []
        if at_rest:
            self.world.wait(HOUR)
        self.world.restart()
        before = len(self.running)
        self.look_what_is_due()
        assert len(self.running) == before, "a restart lets everything go at once"

    @rule(keep=st.sets(st.sampled_from(range(len(EVERYTHING)))))
    def the_estate_changes(self, keep: set[int]) -> None:
        """The estate has some of the tasks, and later others."""
        self.world.tasks = [EVERYTHING[number] for number in sorted(keep)]
        self.world.schedule.reload(self.world.tasks, self.world.now)

    @rule()
    def the_estate_is_whole_again(self) -> None:
        """The estate has everything."""
        self.world.tasks = EVERYTHING
        self.world.schedule.reload(self.world.tasks, self.world.now)

    @invariant()
    def everything_has_its_turn(self) -> None:
        """What does not run is due within its interval, or waits for what runs."""
        if not hasattr(self, "world"):
            return
        schedule = self.world.schedule
        due = schedule.next_due()
        if len(self.world.tasks) > schedule.running + schedule.waiting:
            assert due is not None, "a task is never due again"
            most = max(task.interval for task in self.world.tasks if task not in self.running)
            assert due - self.world.now <= most + timedelta(hours=26), "a task stands still"

    def end(self, task: Task, how: Ended) -> None:
        """End one."""
        self.running.remove(task)
        self.world.end(task, how)


def _within(hours: Hours, world: World) -> bool:
    """Whether the clock of the wall shows one of these hours, by minutes alone."""
    local = world.now.astimezone(BERLIN)
    minute, start, end = (at.hour * 60 + at.minute for at in (local, hours.start, hours.end))
    if end > start:
        return start <= minute < end and hours.weekday in (None, local.weekday())
    day = local.weekday() if minute >= start else (local.weekday() - 1) % 7
    return (minute >= start or minute < end) and hours.weekday in (None, day)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
