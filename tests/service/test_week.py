"""A week of an estate over a driven clock: no slot is missed, no sign-in doubled, and what is told is what the changes call for, and nothing else.

PROBE_WEEK="1000 5 7" pytest --no-cov -s tests/service/test_week.py      # endpoints, mailboxes behind each, days
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from probe.model import vocabulary as v
from tests.service.driven import START, Driven, driven
from tests.service.world import down, estate_text, telling, url_of

ENDPOINTS, MAILBOXES, DAYS = map(int, os.environ.get("PROBE_WEEK", "8 4 2").split())
CONFIRMED_WITHIN = timedelta(minutes=5) + timedelta(minutes=2)
"""An interval, and the second look."""


def _changes(service: Driven, chance: random.Random) -> list[tuple[datetime, str, str]]:
    """Change the world at random, and give what is to be told of it: since when, how the title begins, and of what."""
    wanted: list[tuple[datetime, str, str]] = []
    world, clock = service.world, service.clock
    # Each endpoint changes once at most, so that what is told of it is plain.
    for number in chance.sample(range(ENDPOINTS), max(4, ENDPOINTS // 10)):
        url = url_of(number)
        at = START + timedelta(hours=chance.uniform(3, DAYS * 24 - 12))
        match chance.randrange(4):
            case 0:
                clock.at(at, _then(world.change, url, down()))
                clock.at(at + timedelta(hours=2), _then(world.restore, url))
                wanted += [(at, "WARNING", url), (at + timedelta(hours=2), "RECOVERED", url)]
            case 1:
                clock.at(at, _then(world.change, url, telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM")))
                wanted.append((at, "INFORMATION", url))
            case 2:
                clock.at(at, _then(world.change_once, url, down()))
            case 3:
                clock.at(at, _then(world.change, url, telling(v.PROTOCOL_GREETING, f"another host of the pool {number}")))
    return wanted


def _then(do: Callable[..., None], *what: object) -> Callable[[], None]:
    return lambda: do(*what)


@pytest.mark.timeout(300 + ENDPOINTS * DAYS)
async def test_a_week_is_told_as_it_was(tmp_path: Path) -> None:
    """Over days, each change that matters is told once, soon after it came, with its end; noise and what only one look found are told to nobody."""
    service = driven(tmp_path, estate_text(ENDPOINTS, MAILBOXES), tick=timedelta(seconds=20))
    wanted = _changes(service, random.Random(7))
    began, cpu = time.monotonic(), time.process_time()
    await service.run(START + timedelta(days=DAYS))
    looks = sum(service.world.held.values())
    print(  # noqa: T201 - what was measured
        f"\n{ENDPOINTS} endpoints, {ENDPOINTS * MAILBOXES} mailboxes, {DAYS} days: {looks} conversations, {time.monotonic() - began:.0f} s, "
        f"{time.process_time() - cpu:.0f} s of CPU, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, "
        f"{sum(file.stat().st_size for file in tmp_path.iterdir()) / 1e6:.1f} MB on the disk"
    )
    told = [(at, message.title) for at, message in service.told]
    for at, severity, url in wanted:
        (found,) = [when for when, title in told if title.startswith(f"[{severity}]") and url in title]
        assert at <= found <= at + CONFIRMED_WITHIN
    assert len(told) == len(wanted), told
    assert service.schedule.missed == 0
    # Looks at an endpoint: one in each interval, and a second one after each change.
    for number in range(ENDPOINTS):
        held = service.world.held["ews-anonymous", url_of(number), None]
        assert DAYS * 288 - 1 <= held <= DAYS * 288 + 8
    # Sign-ins: a canary once an hour, any other mailbox once a night.
    nights = Counter(
        (mailbox, at.date()) for at, _, _, mailbox in service.world.times if mailbox is not None and not mailbox.startswith("m0@")
    )
    assert set(nights.values()) == {1}
    hours: dict[str, datetime] = {}
    for at, _, _, mailbox in service.world.times:
        if mailbox is not None:
            assert mailbox not in hours or at - hours[mailbox] >= timedelta(minutes=59)
            hours[mailbox] = at
