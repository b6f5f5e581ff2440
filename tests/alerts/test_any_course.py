"""Whatever happens, in whichever order, each is told once: a machine of Hypothesis over driven time."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from probe.alerts import AlertBook, AlertCondition, DeliveryEnding, DeliveryState
from probe.alerts.incidents import STEADY_TIME
from probe.memory.folder import Folder
from tests.alerts.scripted import Received, World, condition, notice, recipients

_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A file system without a disk, where this machine has one: every step is synced."""
_NAMES = ("one", "two", "three")
_TARGETS = ("env:A", "env:B")
_OWNED = "three"
"""Told to env:B alone; the others to env:A."""
_BEGINS = ("CRITICAL", "UNSTEADY, CRITICAL", "REMINDER, CRITICAL")


def _conditions(names: frozenset[str]) -> list[AlertCondition]:
    return [condition(name, profiles=("corp",) if name == _OWNED else ()) for name in sorted(names)]


class AnyCourse(RuleBasedStateMachine):
    """Conditions come and go, targets fail, maintenance begins and ends, the program is killed."""

    def __init__(self) -> None:
        super().__init__()
        self._root = TemporaryDirectory(prefix="probe-alerts-", dir=_MEMORY)
        self.lives = 0
        self.world = World(Path(self._root.name) / "0", recipients=recipients("env:A", corp="env:B"))
        self.truth: frozenset[str] = frozenset()
        self.unknown: frozenset[str] = frozenset()
        self.notices: set[str] = set()
        self.endings: dict[str, list[DeliveryEnding]] = {target: [] for target in _TARGETS}
        self.may_repeat: set[tuple[str, str]] = set()
        """Target and event of deliveries that may have arrived, and of which that is not known."""
        self.in_maintenance: list[Received] = []
        for target in _TARGETS:
            self.world.endings[target] = lambda target=target: self._ending(target)  # type: ignore[misc]

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            self._root.cleanup()

    def _ending(self, target: str) -> DeliveryEnding:
        ending = self.endings[target].pop(0) if self.endings[target] else DeliveryEnding.TAKEN
        if ending is DeliveryEnding.UNSEEN:
            self.may_repeat.add(self.world.tries[-1])
        return ending

    @rule(names=st.frozensets(st.sampled_from(_NAMES)), unknown=st.frozensets(st.sampled_from(_NAMES)))
    def settle(self, names: frozenset[str], unknown: frozenset[str]) -> None:
        self.truth = names | (self.truth & unknown)
        self.unknown = unknown - names
        self.world.settle(*_conditions(names), undecided=[condition(name).key for name in unknown])

    @rule(number=st.integers(0, 5))
    def notify(self, number: int) -> None:
        self.notices.add(f"notice {number}")
        self.world.alerts.notify([notice(f"notice {number}")], self.world.now)

    @rule(minutes=st.sampled_from((0, 1, 10, 40, 600)))
    def pass_time(self, minutes: int) -> None:
        self.world.pass_time(minutes=minutes)

    @rule()
    def deliver(self) -> None:
        told = asyncio.run(self.world.told())
        if self.world.is_maintenance:
            self.in_maintenance += told

    @rule(
        failing=st.sampled_from(_TARGETS), endings=st.lists(st.sampled_from((DeliveryEnding.NOT_TAKEN, DeliveryEnding.UNSEEN)), max_size=3)
    )
    def fail(self, failing: str, endings: list[DeliveryEnding]) -> None:
        self.endings[failing] = endings

    @rule(is_on=st.booleans())
    def maintain(self, is_on: bool) -> None:
        self.world.is_maintenance = is_on

    @rule(is_taken=st.booleans())
    def kill(self, is_taken: bool) -> None:
        """Delivers, and is killed while it sends; without anything to send it is killed afterwards."""
        self.lives += 1
        world, killed = self.world, Path(self._root.name) / str(self.lives)
        world.killed_copy, world.killed_before_it_is_taken = killed, not is_taken
        before, received = len(world.tries), len(world.received)
        asyncio.run(world.told())
        if killed.exists():
            # What came after the moment of the kill was never sent.
            taken = [one for one in world.received[received:] if (one.target, one.event) == world.tries[before]]
            world.received[received:] = taken
            with AlertBook(Folder(killed), None).opened() as page:
                # What was about to be sent to another target looks the same as what was sent.
                self.may_repeat |= {(one.target, one.event_id) for one in page.unsent() if one.state is DeliveryState.SENDING}
            del world.tries[before + 1 :]
        else:
            shutil.copytree(world.folder, killed)
        world.killed_copy = None
        world.folder = killed
        world.alerts = world.opened()
        if self.world.is_maintenance:
            self.in_maintenance += world.received[received:]
        # It does not know what is so until it has looked again.
        known = _conditions(self.truth - self.unknown)
        world.settle(*known, undecided=[condition(name).key for name in self.unknown])

    @invariant()
    def nothing_is_told_during_maintenance(self) -> None:
        assert not self.in_maintenance

    @invariant()
    def nothing_is_told_twice_without_a_mark(self) -> None:
        seen: set[tuple[str, str]] = set()
        for one in self.world.received:
            name = (one.target, one.event)
            if name in seen:
                assert one.is_repetition
            if one.is_repetition:
                assert name in self.may_repeat
            seen.add(name)

    @invariant()
    def an_end_comes_after_a_beginning(self) -> None:
        for marks in self._by_target_and_name().values():
            is_begun = False
            for mark in marks:
                assert is_begun or mark != "RECOVERED"
                is_begun = mark != "RECOVERED"

    def _by_target_and_name(self) -> dict[tuple[str, str], list[str]]:
        marks: dict[tuple[str, str], list[str]] = defaultdict(list)
        seen = set()
        for one in self.world.received:
            if one.about in _NAMES and (one.target, one.event) not in seen:
                marks[one.target, one.about].append(one.mark)
            seen.add((one.target, one.event))
        return marks

    def _come_to_rest(self) -> None:
        """Targets take everything, nothing changes any more: everybody knows what is so, and every notice was told once."""
        world = self.world
        world.is_maintenance, world.endings = False, {}
        for _ in range(4):
            world.settle(*_conditions(self.truth))
            asyncio.run(world.told())
            world.pass_time(seconds=STEADY_TIME.total_seconds() + 1)
            # Until every pause after a failure is over.
            world.pass_time(hours=1)
        with AlertBook(Folder(world.folder), None).opened() as page:
            unsent = page.unsent()
        assert {one.state for one in unsent} <= {DeliveryState.FAILED}
        lost = {one.message.title for one in unsent}
        marks = self._by_target_and_name()
        for name in _NAMES:
            if any(name in title for title in lost):
                continue
            told = marks.get(("env:B" if name == _OWNED else "env:A", name), [])
            assert (told[-1] in _BEGINS if told else False) == (name in self.truth)
        events = {(one.target, one.event): one.about for one in world.received if one.about.startswith("notice")}
        told_notices = sorted(events.values())
        assert told_notices == sorted(self.notices - {about for about in self.notices if any(about in title for title in lost)})
        assert world.now - world.received[-1].at < timedelta(days=400) if world.received else True


AnyCourse.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
test_any_course = AnyCourse.TestCase
test_any_course.__doc__ = "Each is told once to each of its targets, marked where it may have arrived before; an end after its beginning; nothing during maintenance."
