"""A week of an estate over a driven clock: no slot is missed, no sign-in doubled, what is told is what the changes call for, and the history stays small.

PROBE_WEEK="1000 5 7" pytest --no-cov -s tests/service/test_week.py      # endpoints, mailboxes behind each, days (two at least)
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from probe.history import History
from probe.history.storage import DATABASE
from probe.model.estate import HistoryLimits
from probe.net.heap import collect_seldom
from tests.service.course import CONFIRMED_WITHIN, MAINTENANCE, MAINTENANCE_BEGINS, MAINTENANCE_ENDS, Course
from tests.service.driven import START, Driven, driven
from tests.service.records import DYNAMICS, Records
from tests.service.sizes import Taken, year_of
from tests.service.world import estate_text, url_of

ENDPOINTS, MAILBOXES, DAYS = map(int, os.environ.get("PROBE_WEEK", "16 2 2").split())
TICK = timedelta(seconds=30)
QUICK, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def collected_seldom() -> Iterator[None]:
    """Python looks for garbage as in the service's process."""
    before = gc.get_threshold()
    collect_seldom()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collected_seldom")
@pytest.mark.timeout(300 + ENDPOINTS * DAYS)
async def test_a_week_is_told_as_it_was(tmp_path: Path) -> None:
    """Over days, each change that matters is told once, soon after it came, with its end; noise and what only one look found are told to nobody."""
    service = driven(tmp_path, estate_text(ENDPOINTS, MAILBOXES, DYNAMICS + MAINTENANCE), tick=TICK)
    service.world.of_dynamics = records = Records(service.clock.now)
    course = Course(service, records, DAYS, seed=7)
    course.happen(ENDPOINTS)
    _sweep_each_hour(service)
    first_day = tmp_path / "first-day.sqlite"
    service.clock.at(START + DAY, lambda: service.clock.works.append(lambda: _copied(service.watcher.history, tmp_path, first_day)))
    began, cpu = time.monotonic(), time.process_time()
    await service.run(START + DAYS * DAY)
    print(  # noqa: T201 - what was measured
        f"\n{ENDPOINTS} endpoints, {ENDPOINTS * MAILBOXES} mailboxes, {DAYS} days: {service.world.held.total()} conversations, "
        f"{time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, {len(service.told)} alerts"
    )
    _assert_told(course, service)
    assert service.schedule.missed == 0
    for number in range(ENDPOINTS):
        _assert_looks(service, url_of(number), course.changed.get(url_of(number), []))
    _assert_sign_ins(service)
    _assert_small(tmp_path / DATABASE, first_day, sum(map(len, course.changed.values())))


def _assert_told(course: Course, service: Driven) -> None:
    """What was told is what is called for, one for one."""
    left = list(service.told)
    missing = []
    for wanted in course.wanted:
        found = [one for one in left if wanted.is_told_by(*one)]
        if len(found) == 1:
            left.remove(found[0])
        else:
            missing.append((wanted, len(found)))
    surplus = [(at.isoformat(), message.title) for at, message in left]
    assert (missing, surplus) == ([], [])
    assert not [at for at, _ in service.told if MAINTENANCE_BEGINS <= at < MAINTENANCE_ENDS]


def _assert_looks(service: Driven, url: str, changed: list[datetime]) -> None:
    """One look in each interval, and a second one after each change alone."""
    looks = [datetime.fromtimestamp(at, START.tzinfo) for at in service.world.looked["ews-anonymous", url]]
    assert START <= looks[0] <= START + QUICK + TICK
    assert looks[-1] >= START + DAYS * DAY - QUICK - TICK
    for before, after in pairwise(looks[1:]):
        is_after_a_change = any(at <= after <= at + CONFIRMED_WITHIN + QUICK for at in changed)
        assert is_after_a_change or QUICK - TICK <= after - before <= QUICK + TICK, (url, before, after)
        assert after - before <= QUICK + TICK
    assert len(looks) <= DAYS * DAY / QUICK + len(changed)


def _assert_sign_ins(service: Driven) -> None:
    """A canary signs in once an hour, any other mailbox once a night, and nobody in maintenance."""
    signed_in: dict[str, list[datetime]] = {box.address: [] for box in service.estate.mailboxes}
    for at, _, _, mailbox in service.world.times:
        assert mailbox is not None
        assert not MAINTENANCE_BEGINS <= at < MAINTENANCE_ENDS
        signed_in[mailbox].append(at)
    for address, times in signed_in.items():
        assert len(set(times)) == len(times)
        if address.startswith("m0@"):
            assert not [(address, *two) for two in pairwise(times) if not _are_an_hour_apart(*two)]
            assert DAYS * 24 - 3 <= len(times) <= DAYS * 24
        else:
            assert Counter(at.date() for at in times) == {(START + night * DAY).date(): 1 for night in range(1, DAYS + 1)}
            assert all(1 <= at.hour < 5 for at in times)


def _are_an_hour_apart(sooner: datetime, later: datetime) -> bool:
    """Whether a canary signed in again in time: once its hour was over, or, where that was in maintenance, within an hour of its end."""
    due = MAINTENANCE_ENDS + HOUR if MAINTENANCE_BEGINS <= sooner + HOUR < MAINTENANCE_ENDS else sooner + HOUR
    return sooner + HOUR - TICK <= later <= due + TICK


def _sweep_each_hour(service: Driven) -> None:
    """As the service's process does it."""

    async def sweep() -> None:
        await service.watcher.history.sweep(service.estate.history, service.clock.now())

    for hour in range(1, DAYS * 24):
        service.clock.at(START + hour * HOUR, lambda: service.clock.works.append(sweep))


def _assert_small(file: Path, first_day: Path, changes: int) -> None:
    """A year of what was written takes no more than the share of 2 GB that an endpoint has where there are 10,000 of them."""
    year, how = year_of(Taken.by(first_day), Taken.by(file), endpoints=ENDPOINTS, days=DAYS, changes=changes)
    print(f"history: {file.stat().st_size / 1e6:.1f} MB; {how}")  # noqa: T201 - what was measured
    assert 0 < year <= HistoryLimits().max_size / 10_000


async def _copied(history: History, folder: Path, copy: Path) -> None:
    await history.storage.checkpoint()
    shutil.copy(folder / DATABASE, copy)
