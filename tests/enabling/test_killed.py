"""`probe gate --enable` that is killed at any moment and started again.

`PROBE_KILLED="200 50" pytest tests/enabling/test_killed.py` does it with 200 mailboxes and 50 kills, which takes some minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.enabling.world import AT_ONCE, GO, World, address, organized

_MAILBOXES, _KILLS = map(int, os.environ.get("PROBE_KILLED", "24 5").split())
_SEED = int(os.environ.get("PROBE_SEED", "1"))


async def _killed(world: World, chance: random.Random) -> int | None:
    """One life of the command, which ends by a kill some requests after its first change; its exit code where it came to its end before."""
    process = await world.begun("--all", *GO, *AT_ONCE, "--stop-at", "100")
    before, mark = len(world.sent), 0
    lives = chance.randint(1, 2 * _MAILBOXES // _KILLS)
    while process.returncode is None:
        reads = len(world.server.requests)
        if len(world.sent) > before and not mark:
            mark = reads
        if mark and reads >= mark + lives:
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004, 0.02)))
            process.kill()
            await process.communicate()
            return None
        await asyncio.sleep(0.001)
    await process.communicate()
    return process.returncode


@pytest.mark.timeout(3600)
async def test_nobody_is_asked_for_twice_and_nobody_forgotten(tmp_path: Path) -> None:
    """However often it is killed, each mailbox is changed once and has its outcome, and the audit is whole."""
    chance = random.Random(_SEED)
    async with organized(tmp_path, _MAILBOXES, pace=1e-3) as world:
        world.failing.update(address(number) for number in range(0, _MAILBOXES, 12))
        kills, code = 0, None
        while kills < _KILLS and (code := await _killed(world, chance)) is None:
            kills += 1
            # A kill in the middle of a sign-in bars the account for half an hour; as a person would, forget that.
            (world.state / "memory.sqlite").unlink(missing_ok=True)
        if code is None:
            code = (await world.gate("--all", *GO, *AT_ONCE, "--stop-at", "100")).code
        assert code == 1  # those that fail
        assert max(Counter(world.sent).values()) == 1
        assert set(world.sent) == set(world.organization.mailboxes)
        assert len(world.server.changes_asked) == _MAILBOXES
        lines = [json.loads(line) for line in world.audit.splitlines()]
        outcomes = Counter(line["id"] for line in lines if "outcome" in line)
        assert outcomes == Counter(world.sent)
        requests = {line["id"] for line in lines if "predicted" in line and "answered" not in line}
        assert requests == set(world.sent)
        assert len({line["batch"] for line in lines}) == 1
        score = json.loads((await world.gate("--score", "--json")).out)
        assert score["directions"]["outgoing"]["undecided"] == _MAILBOXES
        assert kills > _KILLS // 2, "most lives came to their end by themselves"
