"""`probe serve` is killed again and again, at any moment, while its servers change: it goes on where it was, and each change is told once.

PROBE_SERVE_KILLED=200 pytest --no-cov -s tests/service/test_killed.py      # a quarter of an hour
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from probe.alerts import AlertBook
from probe.history.storage import DATABASE
from probe.memory import Folder
from probe.schedule import TaskKind
from probe.simulation import pop3, smtp
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from tests.alerts.peers import SUCCESS, Answer, Arrived, HttpsTarget, https_target
from tests.looking import server_context
from tests.service.accounts import ADDRESS, ESTATE, PASSWORD
from tests.service.hooks import Told, Wanted, serving, told_by, until

KILLS = int(os.environ.get("PROBE_SERVE_KILLED", "3"))
SEED = int(os.environ.get("PROBE_SEED", "4"))
TIMES_DOWN = 3
"""How often a server goes down: what begins more often within an hour is told as what comes and goes."""
LEAST = 5
"""Alerts, however soon the service is killed: that the servers are on no list, one that goes down and comes back, and mechanisms of both."""
UNLISTED = Wanted("WARNING", "POP3/SMTP system that is not listed")


class Servers:
    """A POP3 and an SMTP server, of which one thing after another changes: the mechanisms, each time to others, and whether mail is collected."""

    def __init__(self, incoming: Pop3Server, outgoing: SmtpServer) -> None:
        self.incoming, self.outgoing = incoming, outgoing
        self.pop, self.smtp = f"pop3s://localhost:{incoming.port}", f"smtps://localhost:{outgoing.port}"

    def changes(self) -> Iterator[Wanted]:
        """Make one change after another; gives what is to be told of each."""
        for number in itertools.count():
            if number % 3 == 0 and number < 3 * TIMES_DOWN:
                answers = self.incoming.personality
                self.incoming.personality = replace(answers, greeting="-ERR going down")
                yield Wanted("WARNING", self.pop, ("-ERR going down",))
                self.incoming.personality = answers
                yield Wanted("RECOVERED", self.pop)
            elif number % 2:
                lines = tuple(f"SASL PLAIN LOGIN X-{number}" if "SASL" in line else line for line in pop3.DOVECOT.capabilities_secure)
                self.incoming.personality = replace(pop3.DOVECOT, capabilities_secure=lines)
                yield Wanted("INFORMATION", self.pop, ("auth.mechanisms changed", f"X-{number}"))
            else:
                lines = tuple(f"AUTH PLAIN LOGIN X-{number}" if "AUTH" in line else line for line in smtp.POSTFIX.extensions_secure)
                self.outgoing.personality = replace(smtp.POSTFIX, extensions_secure=lines)
                yield Wanted("INFORMATION", self.smtp, ("auth.mechanisms changed", f"X-{number}"))


class Changing:
    """Changes the servers; each time once the change before was told."""

    def __init__(self, servers: Servers, target: HttpsTarget, chance: random.Random) -> None:
        self._changes, self._target, self._chance = servers.changes(), target, chance
        self.wanted = [UNLISTED]
        """What is to be told, in order."""
        self.ends = False

    async def run(self) -> None:
        """Go on until it is to end, and the last change was told."""
        while True:
            await until(lambda: len({told.event for told in told_by(self._target)}) >= len(self.wanted), 200)
            if self.ends and len(self.wanted) >= LEAST:
                return
            await asyncio.sleep(self._chance.uniform(0, 1))
            self.wanted.append(next(self._changes))


async def _dangerous_moment(number: int, servers: Servers, target: HttpsTarget, chance: random.Random) -> None:
    """Wait as long as the service is to live: until an account has just proved itself, until an alert has just arrived, or for a while."""
    if number == 0:
        await until(lambda: bool(servers.incoming.logons or servers.outgoing.logons))
        await asyncio.sleep(chance.uniform(0, 0.02))
    elif number % 2:
        before = len(target.arrived)
        with contextlib.suppress(TimeoutError):
            await until(lambda: len(target.arrived) > before, 20)
        await asyncio.sleep(chance.uniform(0, 0.1))
    else:
        await asyncio.sleep(chance.uniform(0.3, 6))


def _slowly(_request: Arrived) -> Answer:
    """The target takes an alert, and is a while about saying so: the moment in which nobody knows whether it came."""
    time.sleep(0.1)
    return SUCCESS


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.timeout(300 + 30 * KILLS)
async def test_a_service_that_is_killed_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed at any moment, it signs in once an hour, tells each change once, or again with the same id and a mark, and every file stays whole."""
    chance = random.Random(SEED)
    accounts = {ADDRESS: PASSWORD}
    incoming = Pop3Server(pop3.DOVECOT, server_context(), implicit=True, accounts=accounts)
    outgoing = SmtpServer(smtp.POSTFIX, server_context(), implicit=True, accounts=accounts)
    began = time.time()
    async with incoming, outgoing:
        with https_target(answers=_slowly) as target:
            (tmp_path / "hook").write_text(f"jsons://localhost:{target.port}/")
            alerts = f'[alerts]\nto = ["file:{tmp_path}/hook"]\n[[profile]]'
            text = ESTATE.format(pop=incoming.port, smtp=outgoing.port, address=ADDRESS).replace("[[profile]]", alerts, 1)
            (tmp_path / "estate.toml").write_text(text)
            servers = Servers(incoming, outgoing)
            changing = Changing(servers, target, chance)
            changes = asyncio.ensure_future(changing.run())
            for number in range(KILLS):
                async with serving(tmp_path) as process:
                    await _dangerous_moment(number, servers, target, chance)
                    assert process.returncode is None, (tmp_path / "said").read_text()
            changing.ends = True
            async with serving(tmp_path) as process:
                await changes
                seen = incoming.connections, outgoing.connections
                await until(lambda: incoming.connections > seen[0] + 2 and outgoing.connections > seen[1] + 2)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 40) == 0
            told = told_by(target)
    said = (tmp_path / "said").read_text()
    assert "bug" not in said, said
    _assert_told(changing.wanted, told, tmp_path / "state")
    # Each account proves itself once an hour at each server, though the service was killed while it did.
    assert time.time() - began < 3600
    assert sorted({*incoming.logons, *outgoing.logons}) == [(ADDRESS, True)]
    assert max(len(incoming.logons), len(outgoing.logons)) == 1
    for file in (tmp_path / "state").glob("*.sqlite"):
        assert _rows(file, "PRAGMA integrity_check") == [("ok",)]
    _assert_history(changing.wanted, servers, tmp_path / "state" / DATABASE)
    _assert_schedule(servers, tmp_path / "state" / "schedule.sqlite", began)
    repeated = len(told) - len(changing.wanted)
    print(f"\n{KILLS} kills in {time.time() - began:.0f} s: {len(changing.wanted)} alerts, {repeated} of them twice")  # noqa: T201 - what was measured


def _assert_told(wanted: list[Wanted], told: list[Told], state: Path) -> None:
    """Each is told once and in order, or again with the same id and a mark; nothing waits, and nothing else was told."""
    first: dict[str, Told] = {}
    for message in told:
        if message.event not in first:
            first[message.event] = message
        else:
            assert message.title == first[message.event].title
            assert message.is_marked
    assert len(told) - len(first) <= KILLS
    for one, other in zip(wanted, first.values(), strict=True):
        assert one.is_told_by(other), (one, other)
    with AlertBook(Folder(state), None).opened() as page:
        assert page.unsent() == []
    assert [event for (event,) in _rows(state / "alerts.sqlite", "SELECT id FROM event ORDER BY number")] == list(first)


def _assert_history(wanted: list[Wanted], servers: Servers, file: Path) -> None:
    """Of each key one interval follows another, and each change that was told is there."""
    rows = _rows(
        file,
        "SELECT subject.id, json_extract(body, '$.key'), subject.subject, span.first_seen, coalesce(span.last_seen, subject.last_seen), is_open "
        "FROM span JOIN subject ON subject.id = subject_id JOIN form ON form.id = form_id ORDER BY 1, 2, 4, span.id",
    )
    assert len(rows) > 50
    assert all(first <= last for _, _, _, first, last, _ in rows)
    for (*before, _, _, ended, is_open), (*after, _, begins, _, _) in pairwise(rows):
        if before == after:
            assert not is_open
            assert ended <= begins
    offers = Counter(url for _, key, url, *_ in rows if key == "auth.mechanisms")
    assert offers == Counter(one.about for one in wanted if one.mark == "INFORMATION") + Counter((servers.pop, servers.smtp))


def _assert_schedule(servers: Servers, file: Path, began: float) -> None:
    """Every task is there, and due within its interval; the sign-in an hour after the only one."""
    tasks = {(kind, subject): (due, last) for kind, subject, due, last in _rows(file, "SELECT kind, subject, due, began FROM task")}
    assert tasks.keys() == {(TaskKind.QUICK, servers.pop), (TaskKind.QUICK, servers.smtp), (TaskKind.CANARY, ADDRESS)}
    due, last = tasks.pop((TaskKind.CANARY, ADDRESS))
    assert began < last
    assert last + 3600 <= due <= last + 7200
    for due, last in tasks.values():
        assert due - last <= 2


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return list(database.execute(query))
