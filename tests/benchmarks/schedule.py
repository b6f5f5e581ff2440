"""What the schedule costs: ten thousand endpoints each five minutes for an hour, and five thousand sign-ins in a night."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from probe.memory import Folder
from probe.model.watching import Hours, Load
from probe.schedule import Ended, Schedule, Task, TaskKind

_EVENING = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
_NIGHT = Hours(start=datetime(2026, 1, 1, 1).time(), end=datetime(2026, 1, 1, 5).time())


def measure(endpoints: int, mailboxes: int) -> Iterator[str]:
    """One line for each figure; the clock is driven, the disk is real."""
    urls = [f"imaps://host{number}.contoso.test:993" for number in range(endpoints)]
    looks = [Task(kind=TaskKind.QUICK, subject=url, interval=timedelta(minutes=5), loads={url: Load(connections=1)}) for url in urls]
    yield from _hours(looks, 1, f"{endpoints:,} endpoints each 5 minutes")
    place = {urls[0]: Load(connections=1, sign_ins=1)}
    sign_ins = [
        Task(
            kind=TaskKind.LOGINS,
            subject=f"user{number}@contoso.test",
            interval=timedelta(days=1),
            loads=place,
            accounts=frozenset({f"user{number}"}),
            between=_NIGHT,
        )
        for number in range(mailboxes)
    ]
    yield from _hours(sign_ins, 6, f"{mailboxes:,} sign-ins in a night")


def _hours(tasks: list[Task], hours: int, what: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        now = _EVENING
        cpu, wall = time.process_time(), time.perf_counter()
        schedule = Schedule(Folder(Path(folder)), "contoso-crm", tasks, now, zone=UTC)
        yield f"{what}: taken up in {time.process_time() - cpu:.2f} s of CPU"
        until, pairs, longest, cpu = now + timedelta(hours=hours), 0, 0.0, time.process_time()
        while (due := schedule.next_due()) is not None and due <= until:
            now, began = max(now, due), time.perf_counter()
            for task in schedule.due(now):
                schedule.ended(task, now + timedelta(milliseconds=100), Ended.AS_EXPECTED)
                pairs += 1
            longest = max(longest, time.perf_counter() - began)
        schedule.flush()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        yield f"{what}: {pairs:,} begun and ended, {cpu / pairs * 1e6:.0f} us of CPU and {wall / pairs * 1e6:.0f} us each, with what is written; missed {schedule.missed}"
        yield f"{what}: the longest call took {longest * 1000:.0f} ms"
