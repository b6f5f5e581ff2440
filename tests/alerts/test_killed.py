"""A program that is killed at any moment while it delivers to real HTTPS servers, and started again.

`PROBE_ALERTS_KILLED=200 pytest --no-cov tests/alerts/test_killed.py` kills it 200 times, which takes some minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from probe.alerts import AlertBook, Alerts, Recipients, TargetSender, Telling
from probe.memory.folder import Folder
from probe.model.secrets import SecretReference
from probe.model.watching import AlertSettings
from probe.net.killable import Children
from tests.alerts.peers import SUCCESS, Answer, Arrived, https_target
from tests.alerts.scripted import START, condition
from tests.command import environment
from tests.looking import authority

_KILLS = int(os.environ.get("PROBE_ALERTS_KILLED", "6"))
_SEED = int(os.environ.get("PROBE_SEED", "1"))


async def _life(folder: Path, life: int, arrived: asyncio.Event, lives: float) -> list[str]:
    """One life, which ends by a kill some time after its first alert arrived; the notices that it had written down."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.alerts.killed_sender", str(folder), str(authority().ca_file), str(life),
        stdout=asyncio.subprocess.PIPE, env=environment(),
    )  # fmt: skip
    waiting = asyncio.ensure_future(process.wait())
    first = asyncio.ensure_future(arrived.wait())
    await asyncio.wait({waiting, first}, return_when=asyncio.FIRST_COMPLETED)
    assert first.done(), "the program ended by itself"
    await asyncio.sleep(lives)
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    written = (await process.stdout.read()).decode().splitlines()
    await waiting
    return written


@pytest.mark.timeout(3600)
async def test_nothing_is_lost_and_nothing_is_doubled_unmarked(tmp_path: Path) -> None:
    """However often it is killed, every alert that was written down arrives at each target; what arrives twice has one id, and its second is marked."""
    chance = random.Random(_SEED)
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()

    def answer(request: Arrived) -> Answer:
        loop.call_soon_threadsafe(arrived.set)
        return SUCCESS

    written: list[str] = []
    with https_target(answers=answer) as first, https_target(answers=answer) as second:
        for name, target in (("first", first), ("second", second)):
            (tmp_path / name).write_text(f"jsons://localhost:{target.port}/")
        for life in range(_KILLS):
            arrived.clear()
            written += await _life(tmp_path, life, arrived, chance.uniform(0, 0.15))
        async with Children(2) as children:
            targets = TargetSender(children, ca_file=str(authority().ca_file))
            recipients = Recipients(default=tuple(SecretReference("file", str(tmp_path / name)) for name in ("first", "second")))
            telling = Telling(settings=AlertSettings(remind=None), recipients=recipients)
            alerts = Alerts(Folder(tmp_path / "state"), "contoso-crm", targets.send, telling)
            alerts.settle([condition("lasts")], START.replace(year=START.year + 5))
            await alerts.deliver(START.replace(year=START.year + 5))
    with AlertBook(Folder(tmp_path / "state"), None).opened() as page:
        assert page.unsent() == []
        assert len(page.incidents()) == 1
    for target in (first, second):
        texts = [json.loads(request.body) for request in target.arrived]
        by_event: dict[str, list[dict[str, str]]] = defaultdict(list)
        for text in texts:
            by_event[re.findall(r"Event: ([0-9a-f]{12})", text["message"])[0]].append(text)
        titles = Counter(same[0]["title"].partition("contoso-crm: ")[2] for same in by_event.values())
        assert set(written) | {"lasts"} <= set(titles)
        assert set(titles.values()) == {1}
        for same in by_event.values():
            assert len({text["title"] for text in same}) == 1
            assert all("Possibly a repetition" in text["message"] for text in same[1:])
        repeated = sum(len(same) - 1 for same in by_event.values())
        # One delivery to each target is under way at a time.
        assert repeated <= _KILLS
        marked = sum("Possibly a repetition" in text["message"] for text in texts)
        assert marked <= _KILLS
