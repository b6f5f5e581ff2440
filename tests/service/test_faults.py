"""What happens around a service goes wrong: files that others hold, a database that is away, a disk that is full or read-only, a clock that is set."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from probe import app
from probe.engine.observe import Progress
from probe.engine.plan import Plan
from probe.history import open_history
from probe.memory import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Attempt
from probe.model.estate import Secret
from probe.service.writing import WRITE_AGAIN
from probe.web.tokens import Tokens, TokenScope
from tests.history.cable import Cable
from tests.servers.fixtures import NOT_RUN
from tests.servers.postgresql import PostgreSql
from tests.service.driven import START, Driven, driven
from tests.service.serving import GOING_DOWN, OTHER_MECHANISMS, logged, until, watching
from tests.service.world import down, telling, url_of
from tests.service.world import estate_text as modelled

HOUR = timedelta(hours=1)
_LONGEST_STALL = 5.0
"""Seconds for which nothing may hold the loop: half of what a file is waited for, and far above what a busy machine makes of nothing."""


@contextmanager
def held(file: Path) -> Iterator[None]:
    """While somebody else writes to a file."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Stalls:
    """How long the loop was held at a time, at most."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def measure(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.05)
            self.longest = max(self.longest, loop.time() - before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alerts.sqlite", "what is wrong is not told yet: "),
        ("service.sqlite", "what is known is not kept for a restart: "),
        ("schedule.sqlite", ""),
        ("signins.sqlite", ""),
    ],
)
async def test_a_file_that_others_hold_for_a_while_holds_nobody_up(
    name: str, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program writes to a file of the state folder, looks and answers go on and it is said; afterwards what was found is told, once."""
    monkeypatch.setattr("probe.service.writing.WRITE_AGAIN", timedelta(seconds=1))
    async with watching(tmp_path, caplog) as serving:
        stalls = Stalls()
        measuring = asyncio.create_task(stalls.measure())
        with held(serving.folder / "state" / name):
            serving.smtp.personality = OTHER_MECHANISMS
            if said:
                await logged(caplog, said, within=40)
            before = serving.pop.connections
            await until(lambda: serving.pop.connections > before + 2, 30)
            assert serving.pop.connections > before + 2
            assert (await serving.asks("/healthz"))[0] == 200
        measuring.cancel()
        assert stalls.longest < _LONGEST_STALL
        await serving.hears(("notice", f"smtp://localhost:{serving.smtp.port}"), within=40)


async def test_a_history_that_others_hold_holds_up_neither_who_asks_nor_what_is_due(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program writes to it, looks go on, whoever asks for a check is told why it is not kept, and what it is not swept for is said, in one
    way and within seconds; afterwards a check is kept."""
    monkeypatch.setattr("probe.service.serving._SWEEP_SECONDS", 1.0)
    async with watching(tmp_path, caplog) as serving:
        token = Tokens(Folder(serving.folder / "state")).create("pipeline", TokenScope.CHECK, app.now())
        stalls, before = Stalls(), serving.pop.connections
        measuring = asyncio.create_task(stalls.measure())
        with held(serving.folder / "state" / "history.sqlite"):
            async with asyncio.timeout(20):
                status, refused = await serving.asks("/v1/checks", {"mailbox": "sales@contoso.test"}, token)
                await logged(caplog, "the history cannot be written; what is too old or too much of it is dropped in an hour: ", within=20)
            assert status == 503
            assert refused["detail"].startswith("the history cannot be written; the run is not kept: ")
            await until(lambda: serving.pop.connections > before + 3, 30)
            assert serving.pop.connections > before + 3
        measuring.cancel()
        assert stalls.longest < _LONGEST_STALL
        status, _ = await serving.asks("/v1/checks", {"mailbox": "sales@contoso.test"}, token)
        assert status == 200


class Lock:
    """Somebody else's hold on a file of a driven service, for a time of its clock."""

    def __init__(self, file: Path, service: Driven, since: datetime, until: datetime) -> None:
        self._file = file
        service.clock.at(since, self._begin)
        service.clock.at(until, self._end)

    def _begin(self) -> None:
        self._other = sqlite3.connect(self._file, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def _end(self) -> None:
        self._other.execute("ROLLBACK")
        self._other.close()


async def test_what_could_not_be_kept_is_kept_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that goes down while `service.sqlite` cannot be written is known to be down after a restart: neither its end nor its beginning is told then."""
    monkeypatch.setattr("probe.service.keeping.RETRY_SECONDS", 0.05)
    service = driven(tmp_path, modelled(2, 1))
    Lock(tmp_path / "service.sqlite", service, START + HOUR, START + 2 * HOUR)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    await service.run(START + 3 * HOUR)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.getMessage().partition(": ")[0] for record in errors} == {
        "what is known is not kept for a restart",
        "what is wrong is not told yet",
    }
    assert len(errors) <= 2 * HOUR / WRITE_AGAIN, "it is tried, and said, once in a while"
    assert [title.partition("]")[0] for title in service.titles()] == ["[WARNING"], service.titles()
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    await service.run(START + 4 * HOUR)
    assert service.told == []


async def test_what_is_written_later_is_told_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drift that comes into the history only once that can be written again is told at once, and not when something else happens."""
    monkeypatch.setattr("probe.service.handover.RETRY_SECONDS", 0.05)
    service = driven(tmp_path, modelled(1, 1))
    until = START + HOUR + 10 * WRITE_AGAIN
    Lock(tmp_path / "history.sqlite", service, START + HOUR, until)
    change = telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM")
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), change))
    await service.run(START + 3 * HOUR)
    ((at, _),) = service.told
    assert until <= at <= until + timedelta(minutes=3)


@pytest.mark.timeout(150)
async def test_a_postgresql_that_is_stopped_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, postgresql: PostgreSql
) -> None:
    """While PostgreSQL is away the service says so, goes on, and tells what is down; once it is back, what was found meanwhile is in the history, and drift is told once."""
    monkeypatch.setattr("probe.service.writing.WRITE_AGAIN", timedelta(seconds=1))
    with closing(Cable(postgresql.port)) as cable:
        url = postgresql.new_schema()
        async with watching(tmp_path, caplog, url.replace(f":{postgresql.port}/", f":{cable.port}/")) as serving:
            cable.cut()
            serving.smtp.personality = OTHER_MECHANISMS
            await logged(
                caplog, "the history cannot be written; what was found is kept in memory: the PostgreSQL database of the history", within=40
            )
            serving.pop.personality = GOING_DOWN
            await until(lambda: bool(serving.told()), 40)
            assert serving.told() == [("began", f"pop3://localhost:{serving.pop.port}")]
            cable.mend()
            await serving.hears(
                ("began", f"pop3://localhost:{serving.pop.port}"), ("notice", f"smtp://localhost:{serving.smtp.port}"), within=40
            )
        async with open_history(Secret(url), "contoso-crm") as history:
            drift = {(change.subject, change.key) for change in await history.changes()}
        assert (f"smtp://localhost:{serving.smtp.port}", "auth.mechanisms") in drift


@pytest.mark.timeout(150)
async def test_a_postgresql_that_hangs_neither_stops_looks_nor_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, postgresql: PostgreSql
) -> None:
    """While PostgreSQL hangs, looks and answers go on, and the service ends within its 10 seconds; the next one finds and tells what changed."""
    with closing(Cable(postgresql.port)) as cable:
        url = postgresql.new_schema().replace(f":{postgresql.port}/", f":{cable.port}/")
        loop = asyncio.get_running_loop()
        async with watching(tmp_path, caplog, url) as serving:
            cable.stall()
            serving.smtp.personality = OTHER_MECHANISMS
            before = serving.pop.connections
            await until(lambda: serving.pop.connections > before + 4, 40)
            assert (await serving.asks("/healthz"))[0] == 200
            ends_at = loop.time()
        assert loop.time() - ends_at < 10
        cable.flow()


@pytest.mark.parametrize("name", ["history.sqlite", "service.sqlite", "alerts.sqlite", "schedule.sqlite"])
async def test_the_end_waits_for_nobody(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The service ends within its 10 seconds while another program holds a file that it writes to."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        async with watching(tmp_path, caplog) as serving:
            stack.enter_context(held(tmp_path / "state" / name))
            serving.smtp.personality = OTHER_MECHANISMS
            before = serving.pop.connections
            await until(lambda: serving.pop.connections > before + 3, 40)
            ends_at = loop.time()
        assert loop.time() - ends_at < 10


def test_a_disk_that_is_full_or_read_only_for_a_while(tmp_path: Path) -> None:
    """The service says what cannot be written, and goes on; with room again, and writable again, what was found meanwhile is told once and in the history.
    On a disk that is read-only from the beginning it does not start, and says why."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip(f"{NOT_RUN}this user may make no mount namespace")
    command = [unshare, "-m", sys.executable, "-m", "tests.service.cramped", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert any("full" in line for line in told["full"]["errors"]), told["full"]
    assert any("history.sqlite cannot be used: " in line for line in told["full"]["errors"]), told["full"]
    assert told["full"]["alerts"] == told["full"]["wanted"]
    assert any("Read-only file system" in line for line in told["read-only"]["errors"]), told["read-only"]
    assert told["read-only"]["alerts"] == told["read-only"]["wanted"]
    assert told["drift"] is True
    assert not [line for line in (*told["full"]["errors"], *told["read-only"]["errors"]) if "bug" in line]
    assert "Read-only file system" in told["refused"]


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_is_set_makes_no_storm_no_alert_and_no_sign_in_too_soon(by: timedelta, tmp_path: Path) -> None:
    """Set by an hour: no account signs in twice within an hour that passes, looks go on spread, nothing is told that did not happen, and what happens then is told once."""
    service = driven(tmp_path, modelled(6, 1), tick=timedelta(seconds=10))
    signed_in: dict[str | None, list[datetime]] = {}
    looks: list[datetime] = []
    hold = service.world.hold

    async def noted(plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        for one in plan.conversations:
            if one.not_held is None and one.prober == "ews-inbox":
                signed_in.setdefault(one.mailbox, []).append(service.clock.passed)
            elif one.not_held is None and one.prober == "ews-anonymous":
                looks.append(service.clock.passed)
        return await hold(plan, stop, progress)

    service.world.hold = noted  # type: ignore[method-assign]
    set_at = START + 2 * HOUR
    service.clock.at(set_at, lambda: service.clock.set_by(by))
    # By a clock that is set back these moments come twice; the world changes at the second.
    service.clock.at(set_at + max(by, timedelta(0)) + HOUR, lambda: service.world.change(url_of(0), down()))
    service.clock.at(set_at + max(by, timedelta(0)) + 2 * HOUR, lambda: service.world.restore(url_of(0)))
    await service.run(set_at + max(by, timedelta(0)) + 3 * HOUR)
    assert [title.partition("]")[0] for title in service.titles()] == ["[WARNING", "[RECOVERED"], service.titles()
    assert len(signed_in) == 6
    for mailbox, times in signed_in.items():
        assert len(times) >= 4, mailbox
        assert all(later - sooner >= HOUR - timedelta(seconds=10) for sooner, later in itertools.pairwise(times)), (
            mailbox,
            times,
        )
    within = Counter((at - set_at) // timedelta(minutes=1) for at in looks if set_at - 5 * timedelta(minutes=1) <= at < set_at + HOUR)
    assert max(within.values()) <= 4, within
    quiet = [later - sooner for sooner, later in itertools.pairwise(looks)]
    assert max(quiet) < timedelta(minutes=4), "looks go on"
    async with open_history(Folder(tmp_path), "contoso-crm") as history:
        assert all(one.first_seen <= one.last_seen for one in await history.intervals())
        drift = {change.subject for change in await history.changes(since=set_at - HOUR)}
    assert drift <= {url_of(0), "m0@p0.contoso.test"}
