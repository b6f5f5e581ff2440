"""What was found while the database cannot be written."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from probe.history import HistoryChange, HistoryUnavailable, Recording, Sighting, open_history
from probe.memory import Folder
from probe.model.estate import Secret
from tests.history.cable import Cable
from tests.history.looks import look, minutes, product
from tests.servers.postgresql import PostgreSql


class Database:
    """Takes sightings, while it is there."""

    def __init__(self) -> None:
        self.is_there = True
        self.written: list[Sighting] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def record(self, sightings: Sequence[Sighting]) -> tuple[HistoryChange, ...]:
        """As that of the history."""
        await self.may_go_on.wait()
        if not self.is_there:
            raise HistoryUnavailable("the history cannot be used: it is away")
        self.written += sightings
        return ()


async def test_what_cannot_be_written_is_written_later_in_its_order() -> None:
    """Nothing is lost while the database is away, and nothing is written twice."""
    database = Database()
    recording = Recording(database.record)
    looks = [look(number, *product(f"Product {number}")) for number in range(6)]
    recording.add(looks[:2])
    database.is_there = False
    with pytest.raises(HistoryUnavailable, match="it is away"):
        await recording.flush()
    recording.add(looks[2:4])
    assert (recording.waiting, database.written) == (4, [])
    database.is_there = True
    await recording.flush()
    recording.add(looks[4:])
    await recording.flush()
    assert await recording.flush() == ()
    assert (database.written, recording.waiting, recording.lost) == (looks, 0, 0)


async def test_what_comes_while_it_is_written_is_written_after_it() -> None:
    """A look that is added during a write that fails, or is cancelled, stands behind those that were to be written."""
    for ends in ("fails", "is cancelled"):
        database = Database()
        recording = Recording(database.record)
        first, second = look(0, *product()), look(1, *product("Exim"))
        recording.add([first])
        database.may_go_on.clear()
        database.is_there = False
        writing = asyncio.ensure_future(recording.flush())
        await asyncio.sleep(0)
        recording.add([second])
        if ends == "is cancelled":
            writing.cancel()
        database.may_go_on.set()
        with pytest.raises((HistoryUnavailable, asyncio.CancelledError)):
            await writing
        database.is_there = True
        await recording.flush()
        assert database.written == [first, second]


async def test_what_waits_is_bounded_and_keeps_what_changed() -> None:
    """Of looks that say the same the first and the last are kept; only where changes alone are too many, the oldest are lost and counted."""
    database = Database()
    recording = Recording(database.record, most=100)
    for number in range(1000):
        recording.add([look(number, *product("Exim" if 500 <= number < 510 else "Dovecot"))])
    assert recording.waiting <= 100
    await recording.flush()
    starts = [(one.at, one.digest()) for one in database.written]
    changes = [at for (at, digest), (_, before) in zip(starts[1:], starts, strict=False) if digest != before]
    assert changes == [minutes(500), minutes(510)]
    assert (starts[0][0], starts[-1][0], recording.lost) == (minutes(0), minutes(999), 0)
    recording.add(look(number, *product(f"Product {number}")) for number in range(150))
    assert (recording.waiting, recording.lost) == (50, 100)


async def test_sightings_left_out_leave_the_history_as_it_would_be(tmp_path: Path) -> None:
    """The intervals are those that every look by itself would have left."""
    looks = [look(number, *product("Exim" if 20 <= number < 30 else "Dovecot"), seconds=None) for number in range(60)]
    found = []
    for most in (1000, 10):
        async with open_history(Folder(tmp_path / str(most)), "contoso") as history:
            recording = Recording(history.record, most)
            recording.add(looks)
            await recording.flush()
            assert recording.lost == 0
            found.append([(one.key, one.form, one.first_seen, one.last_seen) for one in await history.intervals()])
    assert found[0] == found[1]
    assert found[0]


def test_a_full_disk_and_a_read_only_one_are_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """The message says what is wrong with the file; what was read before can still be read; with room again, everything is written."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may make no mount namespace")
    (tmp_path / "state").mkdir(mode=0o700)
    command = [unshare, "-m", sys.executable, "-m", "tests.history.cramped", str(tmp_path / "state")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    full, readable, written, read_only, again = done.stdout.splitlines()
    assert full.startswith(f"full: {tmp_path}/state/history.sqlite cannot be used: ")
    assert "full" in full.partition("cannot be used")[2]
    assert readable == "readable: 10"
    assert written == "written: True 0 0"
    assert read_only.startswith(f"read-only: {tmp_path}/state/history.sqlite cannot be used: ")
    assert again == "again: True"


async def test_a_database_server_that_goes_and_comes_back_loses_nothing(postgresql: PostgreSql) -> None:
    """While PostgreSQL is away each write says so; once it is back the same history goes on, without a restart."""
    with closing(Cable(postgresql.port)) as cable:
        url = postgresql.new_schema().replace(f":{postgresql.port}/", f":{cable.port}/")
        async with open_history(Secret(url), "contoso") as history:
            recording = Recording(history.record)
            recording.add([look(0, *product())])
            await recording.flush()
            cable.cut()
            for number in range(1, 4):
                recording.add([look(number, *product(f"Product {number}"))])
                with pytest.raises(HistoryUnavailable, match="the PostgreSQL database of the history cannot be used: "):
                    await recording.flush()
            assert recording.waiting == 3
            cable.mend()
            changes = await recording.flush()
            assert {change.after["value"] for change in changes if change.key == "server.product"} == {f"Product {n}" for n in (1, 2, 3)}


async def test_a_clock_that_is_set_back_or_forward_leaves_intervals_whole(place: Folder | Secret) -> None:
    """Looks of an hour that comes again, or after an hour that was left out, end nothing that lasts, and no interval ends before it begins."""
    async with open_history(place, "contoso") as history:
        for number in (0, 5, 10, -50, -45, 15, 80, 85):
            await history.record([look(100 + number, *product())])
        await history.record([look(90, *product("Exim"))])
        await history.record([look(95, *product("Exim"))])
        intervals = [one for one in await history.intervals() if one.key == "server.product"]
        assert all(one.last_seen - one.first_seen >= timedelta(0) for one in intervals)
        assert {one.form["value"] for one in intervals} == {"Dovecot", "Exim"}
        assert len(intervals) == 2
