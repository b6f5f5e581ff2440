"""`probe serve` is killed again and again, at any moment: it goes on where it was.

PROBE_SERVE_KILLED=200 pytest --no-cov tests/service/test_killed.py
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from probe.alerts.wording import EventKind
from probe.simulation import pop3, smtp
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from tests.command import environment
from tests.looking import authority, server_context
from tests.service.accounts import ADDRESS, ESTATE, PASSWORD

KILLS = int(os.environ.get("PROBE_SERVE_KILLED", "4"))
OTHER = replace(pop3.DOVECOT, capabilities_secure=tuple(line for line in pop3.DOVECOT.capabilities_secure if line != "PIPELINING"))


async def _serve(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "probe", "serve", "estate.toml", "--listen", "127.0.0.1:0", "--ca", str(authority().ca_file), "--log-level", "warning"),
        cwd=folder,
        env=environment(PROBE_STATE_DIR=str(folder / "state"), MAILBOX_PASSWORD=PASSWORD),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def _watching(process: asyncio.subprocess.Process) -> bytes:
    """Wait until it says that it watches."""
    assert process.stderr is not None
    said = b""
    while b"is watched" not in said:
        line = await process.stderr.readline()
        assert line, said.decode()
        said += line
    return said


def _rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return list(database.execute(query))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.timeout(60 + 20 * KILLS)
async def test_a_service_that_is_killed_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed at any moment, it signs in once an hour, tells each change at most once and the last state in the end, and every file stays whole."""
    chance = random.Random(4)
    incoming = Pop3Server(pop3.DOVECOT, server_context(), implicit=True, accounts={ADDRESS: PASSWORD})
    outgoing = SmtpServer(smtp.POSTFIX, server_context(), implicit=True, accounts={ADDRESS: PASSWORD})
    async with incoming, outgoing:
        (tmp_path / "estate.toml").write_text(ESTATE.format(pop=incoming.port, smtp=outgoing.port, address=ADDRESS))
        for number in range(KILLS):
            process = await _serve(tmp_path)
            if number % 2:
                await asyncio.sleep(chance.uniform(0.5, 4))
            else:
                await _watching(process)
                await asyncio.sleep(chance.uniform(0, 5))
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            incoming.personality = OTHER if incoming.personality is pop3.DOVECOT else pop3.DOVECOT
        incoming.personality = OTHER
        process = await _serve(tmp_path)
        said = await _watching(process)
        await asyncio.sleep(12)
        process.send_signal(signal.SIGTERM)
        _, rest = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, (said + rest).decode()
    assert b"bug" not in said + rest
    state = tmp_path / "state"
    for file in state.glob("*.sqlite"):
        assert _rows(file, "PRAGMA integrity_check") == [("ok",)]
    # Each account proves itself once an hour, at each server.
    assert Counter(name for name, _ in incoming.logons) == {ADDRESS: 1}
    assert Counter(name for name, _ in outgoing.logons) == {ADDRESS: 1}
    events = _rows(state / "alerts.sqlite", "SELECT kind, subject, message FROM event ORDER BY number")
    began = [subject for kind, subject, _ in events if kind == EventKind.BEGAN]
    assert began == ["profile:branch"], events
    assert not [kind for kind, _, _ in events if kind == EventKind.RECOVERED]
