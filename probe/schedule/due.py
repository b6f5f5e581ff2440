"""What is due when: a heap of tasks over a clock that the caller drives. It sleeps nowhere and holds nothing itself.

A task has slots of its own (`slots`). It is done once for each slot: what was not done in time is late, then missed and counted, and never
made up for by two runs. Beside its slots it is done sooner once where the last run found something new, and later where the server asked
for that. What is held for a mailbox may sign in, so it never begins within its interval of the last time, and not before that is on the disk; nor within 15
minutes of any sign-in for the mailbox, whoever asked for it (`probe.memory.SignIns`).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from probe.memory import LONGEST_REST, SIGN_INS_APART, Folder, MemoryUnavailable, SignIns
from probe.memory.state_file import LOOP_SECONDS
from probe.schedule.book import KeptTask, ScheduleBook, TaskKey
from probe.schedule.slots import Slots, to_microseconds
from probe.schedule.tasks import OF_MAILBOXES, Ended, Task, TaskKind, room_of

SOON = 60.0
"""Seconds within which a task is done again to confirm what it found."""
CATCH_UP = 3600.0
"""Seconds over which what is overdue after a restart, or was never done, is spread; less where the interval is shorter."""
PAUSE = timedelta(minutes=15)
"""How long a server is left alone that asks for it without saying how long."""
_UNSEEN = 60.0
"""Seconds after which a task that became due meanwhile shows that nobody asked: the clock was set forward, or the machine slept."""
_CORRECTION = 1.0
"""Seconds by which a clock may be corrected without notice."""
_WRITTEN_EVERY = 30.0
"""Seconds for which what need not be on the disk at once waits to be written together."""
_AGAIN = 60.0
"""Seconds until a sign-in is tried again that could not be written down."""
_NIGHTLY_SPACING = 11 / 12
"""Of the interval: two nights in a row may be an hour less than a day apart, and the first of them may have begun late."""


class _Waiting:
    """A task with what the schedule knows of it. Moments are seconds since 1970."""

    __slots__ = (
        "began",
        "began_before",
        "claims",
        "due",
        "held",
        "is_extra",
        "is_gone",
        "is_second",
        "is_wanted",
        "key",
        "parked_at",
        "slots",
        "task",
        "turn",
    )

    def __init__(self, task: Task, slots: Slots) -> None:
        self.task = task
        self.key = TaskKey(task.kind, task.subject)
        self.claims = task.claims
        self.slots = slots
        self.due = math.inf
        self.began: float | None = None
        self.began_before: float | None = None
        """When it began before that, for as long as it is not written down that it began."""
        self.held: tuple[str, ...] = ()
        """What it holds while it runs."""
        self.is_extra = False
        """Whether it is due beside its slots."""
        self.is_second = False
        """Whether it is due to confirm what the last run found."""
        self.is_wanted = False
        """Whether somebody asked for it while it ran."""
        self.is_gone = False
        """Whether the estate does not have it any more."""
        self.parked_at: str | None = None
        """The claim that it waits for."""
        self.turn = 0
        """Which of its places in the heap counts."""

    @property
    def soon(self) -> float:
        """Seconds until it is done again to confirm something."""
        return min(self.slots.interval, SOON * (1 + self.slots.fraction) / 2)

    @property
    def earliest(self) -> float:
        """The moment before which it does not begin, be it due or not."""
        if not self.task.is_of_a_mailbox or self.began is None:
            return -math.inf
        return self.began + self.slots.interval * (_NIGHTLY_SPACING if self.slots.is_nightly else 1)

    def next(self, moment: float) -> float:
        """When it is due after a moment by itself; infinity where that is never."""
        if self.is_extra and self.began is not None:
            moment = max(moment, self.began + self.slots.interval / 2)
        return self.allowed(self.slots.after(moment))

    def allowed(self, due: float | None) -> float:
        """The moment, or the first after it at which the task may begin."""
        if due is None:
            return math.inf
        if due >= self.earliest:
            return due
        return self.earliest if self.slots.allows(self.earliest) else self.slots.after(self.earliest) or math.inf

    def spread(self, moment: float) -> float:
        """When it is due where it is overdue, or was never done: within the hour, each at its own moment."""
        end = self.slots.free_until(moment)
        if end is None:
            return self.next(moment)
        return self.allowed(moment + self.slots.fraction * min(self.slots.interval, CATCH_UP, end - moment))


class Schedule:
    """The tasks of one deployment. Not for several threads at once; `due`, `ended` and `flush` may write to the disk."""

    def __init__(
        self,
        folder: Folder,
        deployment: str,
        tasks: Iterable[Task],
        now: datetime,
        *,
        monotonic: Callable[[], float] | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        """`monotonic` tells seconds that pass however the clock is set; without it a clock that is set forward cannot be told from time that passed.

        `zone` is that of the hours in the estate; None: the system's. Raises MemoryUnavailable.
        """
        self._book = ScheduleBook(folder, deployment)
        self._sign_ins = SignIns(folder)
        self._deployment = deployment
        self._zone = zone
        self._monotonic = monotonic
        self._now = now.timestamp()
        self._ticks = 0.0 if monotonic is None else monotonic()
        self._entries: dict[TaskKey, _Waiting] = {}
        self._heap: list[tuple[float, int, int, _Waiting]] = []
        self._parked: dict[str, list[tuple[float, int, _Waiting]]] = {}
        self._running: dict[TaskKey, _Waiting] = {}
        self._busy: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._unwritten: set[TaskKey] = set()
        self._written = -math.inf
        """When it was written last. What is spread at the beginning is written at once: else who is killed again and again would never come to it."""
        self._signed_in: dict[str, float] | None = None
        """When each mailbox was signed in to, as the machine's table has it; None where it was not read since `due` was asked."""
        self._unread: str | None = None
        """Why that table could not be read; None where it could."""
        self.missed = 0
        """Slots for which nothing was done."""
        self.trouble: str | None = None
        """Why nothing can be written down at the moment, so that nobody is signed in to; None where it can."""
        self._kept, self._rests = self._book.read()
        """What is kept of tasks that the estate does not have."""
        wanted = list(tasks)
        longest = {place: task.longest_rest for task in wanted for place in task.loads}
        self._rests = {
            place: min(until, self._now + longest.get(place, LONGEST_REST).total_seconds()) for place, until in self._rests.items()
        }
        for task in wanted:
            self._take_up(task, self._now)
        self._forget_what_is_old()

    # ---- what the caller does ---------------------------------------------------------------------------------------

    def due(self, now: datetime) -> list[Task]:
        """The tasks that begin now, the earliest first; each of them ends by `ended`."""
        moment = now.timestamp()
        before = self._read_the_clock(moment)
        begun: list[_Waiting] = []
        self._signed_in = None
        while (entry := self._popped(moment)) is not None:
            if before < entry.due < moment - _UNSEEN:
                self._put_off(entry, moment)
            elif not entry.slots.allows(moment):
                self.missed += 1
                self._plan(entry, entry.next(moment))
            elif (until := self._left_alone_until(entry)) > moment:
                self._plan(entry, entry.next(until))
            elif (apart := self._apart_until(entry, moment)) > moment:
                self._plan(entry, apart)
            elif (claim := self._taken(entry)) is not None:
                entry.parked_at = claim
                heapq.heappush(self._parked.setdefault(claim, []), (entry.due, next(self._numbers), entry))
            else:
                self._begin(entry, moment)
                begun.append(entry)
                continue
            for claim in entry.claims:
                self._wake(claim)
        return [entry.task for entry in self._written_down(begun, moment)]

    def ended(self, task: Task, now: datetime, how: Ended, until: datetime | None = None) -> None:
        """Say how a task that was due ended. `until` is how long the server asked to be left alone."""
        moment = now.timestamp()
        entry = self._running.pop(TaskKey(task.kind, task.subject))
        self._release(entry)
        if entry.is_gone:
            return
        was_second, was_wanted = entry.is_second, entry.is_wanted
        entry.is_second = entry.is_wanted = False
        self.missed += max(0, int((moment - entry.due) // entry.slots.interval))
        due = entry.next(moment)
        is_news = how in (Ended.CHANGED, Ended.FAILED) and not was_second
        entry.is_extra = False
        if how is Ended.SLOW_DOWN:
            rest = min((until or now + PAUSE).timestamp(), (now + task.longest_rest).timestamp())
            for place in entry.task.loads:
                self._rests[place] = max(rest, self._rests.get(place, 0.0))
            due = entry.next(max(rest, moment))
        elif (is_news or was_wanted) and not entry.task.is_of_a_mailbox:
            entry.is_second = is_news
            due = min(due, moment + entry.soon)
        self._plan(entry, due)
        self._write_what_waited(moment)

    def hasten(self, kind: TaskKind, subject: str, now: datetime) -> None:
        """Have a task done soon, where there is such a task and it is not held for a mailbox."""
        entry, moment = self._entries.get(TaskKey(kind, subject)), now.timestamp()
        if entry is None or entry.task.is_of_a_mailbox:
            return
        if entry.key in self._running:
            entry.is_wanted = True
        elif entry.parked_at is None and entry.due > moment + entry.soon:
            entry.is_extra = True
            self._plan(entry, moment + entry.soon)

    def take_in(self, sign_ins: Mapping[str, datetime]) -> None:
        """Take in when mailboxes were signed in to elsewhere, by address in small letters: none is signed in to again until its interval has passed."""
        for entry in self._entries.values():
            at = sign_ins.get(entry.key.subject.lower()) if entry.key.kind in (TaskKind.CANARY, TaskKind.LOGINS) else None
            if at is None or entry.key in self._running:
                continue
            moment = min(at.timestamp(), self._now)
            if entry.began is None or entry.began < moment:
                entry.began, entry.parked_at = moment, None
                self._plan(entry, entry.allowed(entry.due))

    def next_due(self) -> datetime | None:
        """When something is due next; in the past where it is due already. None where nothing is, but for what waits for what runs."""
        self._drop_stale()
        return datetime.fromtimestamp(self._heap[0][0], UTC) if self._heap else None

    def reload(self, tasks: Iterable[Task], now: datetime) -> None:
        """Take up the tasks of an estate that was changed. What stays keeps its place; what is new is spread."""
        moment = now.timestamp()
        wanted = {TaskKey(task.kind, task.subject): task for task in tasks}
        for key in self._entries.keys() - wanted.keys():
            entry = self._entries.pop(key)
            entry.is_gone, entry.parked_at = True, None
            entry.turn += 1
            self._unwritten.add(key)
            self._kept[key] = KeptTask(entry.due if entry.due < math.inf else moment, entry.began)
        for key, task in wanted.items():
            known = self._entries.get(key)
            if known is None:
                self._take_up(task, moment)
            elif known.task != task:
                self._change(known, task, moment)
        for claim in list(self._parked):
            self._wake(claim)

    def lag(self, now: datetime) -> timedelta:
        """How late the latest task is that is due and has not begun, or that runs past its next slot."""
        self._drop_stale()
        moment = now.timestamp()
        lates = [self._heap[0][0]] if self._heap else []
        lates += [due for parked in self._parked.values() for due, _, entry in parked if entry.parked_at is not None]
        lates += [slot for entry in self._running.values() if (slot := entry.slots.after(max(entry.due, entry.began or 0.0))) is not None]
        return timedelta(seconds=max(0.0, moment - min(lates, default=moment)))

    def under_way(self) -> list[tuple[Task, datetime]]:
        """The tasks that run, with when each began, the longest first."""
        began = [(entry.task, datetime.fromtimestamp(entry.began or self._now, UTC)) for entry in self._running.values()]
        return sorted(began, key=lambda one: one[1])

    def next_sign_in(self, mailbox: str, last: datetime | None, now: datetime) -> datetime | None:
        """When somebody signs in for a mailbox next by the schedule, if nothing delays it; None where it does not. A time that has passed: it waits for its turn.

        `last`: when anybody did before.
        """
        entries = [
            entry for kind in OF_MAILBOXES if (entry := self._entries.get(TaskKey(kind, mailbox))) is not None and entry.task.accounts
        ]
        dues = [entry.next(now.timestamp()) if entry.key in self._running else entry.due for entry in entries]
        due = min(dues, default=math.inf)
        if due == math.inf:
            return None
        apart = -math.inf if last is None else (last + SIGN_INS_APART).timestamp()
        return datetime.fromtimestamp(max(due, apart), UTC)

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many tasks are due and wait for what runs."""
        return sum(entry.parked_at is not None for entry in self._entries.values())

    def flush(self) -> None:
        """Write down what is not yet. Raises MemoryUnavailable."""
        self._write()

    # ---- when a task is due -----------------------------------------------------------------------------------------

    def _take_up(self, task: Task, moment: float) -> None:
        """A task that the estate has, where it was left, or as a new one."""
        entry = _Waiting(task, Slots.of(task, self._deployment, self._zone))
        kept = self._kept.pop(entry.key, None)
        running = self._running.get(entry.key)
        if running is not None:
            # It went while it ran, and came back.
            running.is_gone = False
            self._entries[entry.key] = running
            self._change(running, task, moment)
            return
        self._entries[entry.key] = entry
        if kept is None:
            entry.is_extra = not entry.slots.is_nightly
            self._plan(entry, entry.spread(moment) if entry.is_extra else entry.next(moment))
            return
        entry.began = None if kept.began is None else min(kept.began, moment)
        if kept.due <= moment:
            self.missed += int((moment - kept.due) // entry.slots.interval)
            entry.is_extra = True
            self._plan(entry, entry.spread(moment))
            self.missed += entry.slots.free_until(moment) is None
        else:
            self._plan(entry, min(entry.allowed(kept.due), entry.next(moment)))

    def _change(self, entry: _Waiting, task: Task, moment: float) -> None:
        entry.task, entry.claims, entry.slots = task, task.claims, Slots.of(task, self._deployment, self._zone)
        entry.parked_at = None
        if entry.key not in self._running:
            self._plan(entry, min(entry.allowed(max(entry.due, moment)), entry.next(moment)))

    def _put_off(self, entry: _Waiting, moment: float) -> None:
        """Spread a task that became due while nobody asked."""
        self.missed += int((moment - entry.due) // entry.slots.interval) + (entry.slots.free_until(moment) is None)
        entry.is_extra = True
        self._plan(entry, entry.spread(moment))

    def _read_the_clock(self, moment: float) -> float:
        """Take in the time, and whether the clock was set. Gives the time that was taken in last."""
        before, self._now = self._now, moment
        passed = max(0.0, moment - before)
        if self._monotonic is not None:
            ticks = self._monotonic()
            passed, self._ticks = ticks - self._ticks, ticks
        ahead = moment - before - passed
        if abs(ahead) > _CORRECTION:
            self._follow_the_clock(ahead)
        return before

    def _follow_the_clock(self, ahead: float) -> None:
        """The clock was set `ahead` seconds forward, or back where they are negative: what happened keeps its distance from now, what is due its slots.

        Without that a clock that is set back would let everything stand still. What became due by one that is set forward is spread by `due`.
        """
        moment = self._now
        self._rests = {place: until + ahead for place, until in self._rests.items()}
        for entry in self._entries.values():
            entry.began = None if entry.began is None else entry.began + ahead
            if entry.parked_at is not None or entry.key in self._running:
                entry.due += ahead
            elif entry.due > (latest := entry.next(moment)) or entry.due < entry.earliest:
                self._plan(entry, latest)
            self._unwritten.add(entry.key)
        for key, kept in self._kept.items():
            self._kept[key] = KeptTask(kept.due + ahead, None if kept.began is None else kept.began + ahead)
            self._unwritten.add(key)
        self._written = -math.inf

    def _left_alone_until(self, entry: _Waiting) -> float:
        return max((self._rests.get(place, 0.0) for place in entry.task.loads), default=0.0) if self._rests else 0.0

    def _apart_until(self, entry: _Waiting, moment: float) -> float:
        """Until when a mailbox was signed in to so shortly before that this task waits: by another task, or by whoever else asked on this machine."""
        if not entry.task.is_of_a_mailbox:
            return 0.0
        if self._signed_in is None:
            try:
                times = self._sign_ins.times(datetime.fromtimestamp(moment, UTC), LOOP_SECONDS)
            except MemoryUnavailable as unavailable:
                self.trouble = self._unread = str(unavailable)
                return moment + _AGAIN
            self._unread = None
            self._signed_in = {mailbox: at.timestamp() for mailbox, at in times.items()}
        began = (self._began(TaskKey(kind, entry.key.subject)) for kind in OF_MAILBOXES)
        last = max((self._signed_in.get(entry.key.subject.lower(), -math.inf), *began))
        return last + min(SIGN_INS_APART.total_seconds(), entry.slots.interval)

    def _began(self, key: TaskKey) -> float:
        """When a task began last, which the estate may not have any more."""
        known = self._running.get(key) or self._entries.get(key) or self._kept.get(key)
        return -math.inf if known is None or known.began is None else known.began

    # ---- the heap, and what waits for what ----------------------------------------------------------------------------

    def _plan(self, entry: _Waiting, due: float) -> None:
        entry.due = due = to_microseconds(due)
        entry.turn += 1
        self._unwritten.add(entry.key)
        if due < math.inf:
            heapq.heappush(self._heap, (due, next(self._numbers), entry.turn, entry))

    def _drop_stale(self) -> None:
        while self._heap and self._heap[0][2] != self._heap[0][3].turn:
            heapq.heappop(self._heap)

    def _popped(self, moment: float) -> _Waiting | None:
        self._drop_stale()
        return heapq.heappop(self._heap)[3] if self._heap and self._heap[0][0] <= moment else None

    def _taken(self, entry: _Waiting) -> str | None:
        """The first of its claims that others hold."""
        return next((claim for claim in entry.claims if self._busy[claim] >= room_of(claim)), None)

    def _begin(self, entry: _Waiting, moment: float) -> None:
        entry.held = entry.claims
        self._busy.update(entry.held)
        entry.began_before, entry.began = entry.began, moment
        self._running[entry.key] = entry
        self._unwritten.add(entry.key)

    def _release(self, entry: _Waiting) -> None:
        self._busy.subtract(entry.held)
        for claim in entry.held:
            if not self._busy[claim]:
                del self._busy[claim]
            self._wake(claim)
        entry.held = ()

    def _wake(self, claim: str) -> None:
        """Have the first that waits for a claim tried again, where there is room."""
        waiting = self._parked.get(claim)
        if waiting is None or self._busy[claim] >= room_of(claim):
            return
        while waiting:
            _, _, entry = heapq.heappop(waiting)
            if entry.parked_at == claim and not entry.is_gone:
                entry.parked_at = None
                self._plan(entry, entry.due)
                break
        if not waiting:
            del self._parked[claim]

    # ---- the disk -----------------------------------------------------------------------------------------------------

    def _written_down(self, begun: list[_Waiting], moment: float) -> Iterator[_Waiting]:
        """Those of the tasks that may begin: what is held for a mailbox only once that is on the disk."""
        of_mailboxes = [entry for entry in begun if entry.task.is_of_a_mailbox]
        if not of_mailboxes:
            self._write_what_waited(moment)
            return iter(begun)
        try:
            self._write()
        except MemoryUnavailable as unavailable:
            self.trouble = str(unavailable)
            for entry in of_mailboxes:
                del self._running[entry.key]
                self._release(entry)
                entry.began = entry.began_before
                self._plan(entry, moment + _AGAIN)
            return (entry for entry in begun if not entry.task.is_of_a_mailbox)
        return iter(begun)

    def _write_what_waited(self, moment: float) -> None:
        if not 0 <= moment - self._written < _WRITTEN_EVERY:
            self._written = moment
            try:
                self._write()
            except MemoryUnavailable as unavailable:
                self.trouble = str(unavailable)

    def _write(self) -> None:
        entries = [self._entries[key] for key in self._unwritten if key in self._entries]
        tasks = {entry.key: KeptTask(entry.due, entry.began) for entry in entries if entry.due < math.inf}
        tasks |= {key: self._kept[key] for key in self._unwritten if key in self._kept}
        self._book.write(tasks, self._rests)
        self._unwritten.clear()
        self._written = self._now
        self.trouble = self._unread

    def _forget_what_is_old(self) -> None:
        """Drop what the estate does not have any more, once no sign-in of it can count."""
        yesterday = self._now - timedelta(days=1).total_seconds()
        gone = [key for key, kept in self._kept.items() if (kept.began or 0.0) < yesterday]
        self._book.forget(gone, self._now)
