"""The database: its schema step by step, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, text

from probe.history import History, HistoryUnavailable, Interval, open_history
from probe.history.moments import stored
from probe.history.schema import METADATA, NEWEST
from probe.history.storage import DATABASE, alembic_steps, connected, migrate
from probe.memory.folder import Folder
from probe.model import vocabulary as v
from probe.model.estate import HistoryLimits, Secret
from tests.history.looks import START, look, minutes, product
from tests.runs import POP, a_checked_run
from tests.servers.postgresql import PostgreSql

STEPS = [step.revision for step in reversed(list(ScriptDirectory.from_config(alembic_steps()).walk_revisions()))]
EARLIER = Path(__file__).parent / "schemas"
"""Of each schema, rows as a version of this program wrote them that knew no later one: `REVISION.sql`."""


def test_every_schema_has_rows_to_be_migrated() -> None:
    """A new step comes with rows of its schema, so that the next is tested on them."""
    assert sorted(path.stem for path in EARLIER.glob("*.sql")) == sorted(STEPS)


@pytest.mark.parametrize("revision", STEPS)
async def test_what_an_earlier_schema_holds_is_there_in_the_newest(place: Folder | Secret, revision: str) -> None:
    """Rows of each schema are migrated to the newest, can be read, and go on."""

    def fill(connection: Connection) -> None:
        is_sqlite = connection.dialect.name == "sqlite"
        migrate(connection, revision)
        for statement in (EARLIER / f"{revision}.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement if is_sqlite else re.sub("x'([0-9a-f]*)'", r"'\\x\1'", statement))
        if not is_sqlite:  # whoever gives a row its number there does not tell the counter
            for table in set(re.findall(r"(?m)^INSERT INTO (\w+) \(id,", (EARLIER / f"{revision}.sql").read_text(encoding="utf-8"))):
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")

    async with connected(place) as storage:
        await storage.write(fill)
    async with open_history(place, "contoso") as history:
        (change,) = await history.changes()
        assert change.before is not None
        assert (change.key, change.before["value"], change.after["value"]) == ("server.product", "Dovecot", "Cyrus IMAP")
        assert (change.last_seen, change.at) == (datetime(2026, 11, 1, 0, 5, tzinfo=UTC), datetime(2026, 11, 1, 0, 10, tzinfo=UTC))
        assert (await history.document("run-1"))["schema"] == "probe.run/2"
        changes = await history.record([look(60, *product("Exim"))])
        assert [one.key for one in changes] == ["server.product"]


# Expressions of an index are not read back from SQLite; the next test holds what those are for.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index:UserWarning")
async def test_the_tables_are_those_that_the_steps_make(place: Folder | Secret) -> None:
    """What the program takes for its tables is what the migrations leave, on each database."""
    async with connected(place) as storage:
        await storage.write(lambda connection: migrate(connection, STEPS[0]))
        await storage.write(migrate)
        differences = await storage.read(lambda connection: compare_metadata(MigrationContext.configure(connection), METADATA))
    assert differences == []
    assert STEPS[-1] == NEWEST


async def test_made_at_once_a_database_is_as_the_steps_leave_it(tmp_path: Path) -> None:
    """A new database, which is made without Alembic, has the columns, keys and indexes of one that went through every step."""

    def made(connection: Connection) -> dict[tuple[str, str], object]:
        found: dict[tuple[str, str], object] = {}
        for kind, name, statement in connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master").all():
            if kind == "table":
                columns, keys, indexes = (
                    sorted(map(tuple, connection.exec_driver_sql(f"PRAGMA {of}({name})")))
                    for of in ("table_xinfo", "foreign_key_list", "index_list")
                )
                found[kind, name] = columns, keys, sorted(index for _, *index in indexes)  # which come in no order of ours
            else:
                found[kind, name] = statement
        return found

    for name in ("steps", "once"):
        (tmp_path / name).mkdir()
    async with connected(Folder(tmp_path / "steps")) as storage:
        for step in STEPS:
            await storage.write(partial(migrate, to=step))
        by_steps = await storage.read(made)
    async with open_history(Folder(tmp_path / "once"), "contoso") as history:
        at_once = await history.storage.read(made)
    assert at_once == by_steps
    assert len(at_once) > 10


async def test_what_is_asked_is_found_without_reading_everything(tmp_path: Path) -> None:
    """What changed lately SQLite finds by an index, and what is asked of a subject or an account, in small or capital letters, with what stands beside it."""
    asked: list[tuple[str, Any]] = []
    async with open_history(Folder(tmp_path), "contoso") as history:
        await history.record([look(0, *product()), look(5, *product("Exim"))])

        @event.listens_for(Engine, "before_cursor_execute")
        def note(_connection: object, _cursor: object, statement: str, values: object, _context: object, _many: object) -> None:
            asked.append((statement, values))

        try:
            found = (
                await history.changes(since=START, limit=50),
                await history.changes(limit=50),
                await history.changes(after=(stored(START), 1), limit=50),
                await history.changes(about=POP.upper(), beside=["smtp://mail.branch.test"], limit=50),
                await history.intervals(POP.upper(), open_only=True),
                await history.latencies(POP.upper(), START),
                await history.transcripts(POP.upper(), 10),
                (await history.knows(POP.upper()),),
            )
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        read = [one for one in asked if one[0].startswith("SELECT")]

        def plans(connection: Connection) -> list[str]:
            return [
                row.detail for statement, values in read for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]

        steps = await history.storage.read(plans)
    # Nothing is older than the first; how long looks took is drawn together by the hour.
    assert [len(one) > 0 for one in found] == [True, True, False, True, True, False, True, True]
    assert len(read) == 2 * len(found)  # each asks for the deployment first
    # All that drifted is read in its order, the newest first, as far as it is wanted.
    assert {step for step in steps if step.startswith("SCAN")} == {"SCAN span USING INDEX span_drift"}
    assert {index for index in ("subject_by_subject", "subject_by_mailbox", "span_of_subject") if index in "".join(steps)} == {
        "subject_by_subject",
        "subject_by_mailbox",
        "span_of_subject",
    }


async def test_a_schema_of_a_later_version_is_left_alone(place: Folder | Secret) -> None:
    """A database that a later version of the program has written is refused, and says so."""
    async with open_history(place, "contoso") as history:
        await history.storage.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(HistoryUnavailable, match="later version of probe"):
        async with open_history(place, "contoso"):
            pass


async def test_what_fails_in_the_middle_writes_nothing(place: Folder | Secret) -> None:
    """A transaction that does not come to its end leaves everything as it was."""

    def interrupted(connection: Connection) -> None:
        connection.execute(text("INSERT INTO deployment (name) VALUES ('fabrikam')"))
        raise KeyError

    async with open_history(place, "contoso") as history:
        with pytest.raises(KeyError):
            await history.storage.write(interrupted)
        found = await history.storage.read(lambda connection: connection.execute(text("SELECT count(*) FROM deployment")).scalar())
    assert found == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are those of POSIX")
async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    """The database and what SQLite writes beside it are their owner's alone."""
    async with open_history(Folder(tmp_path / "state"), "contoso") as history:
        await history.record([look(0, *product())])
        files = sorted((tmp_path / "state").iterdir())
        assert {file.name for file in files} >= {DATABASE, f"{DATABASE}-wal"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    """What lies in the place of the database is not overwritten."""
    (tmp_path / DATABASE).write_text("This is a letter.\n" * 100)
    (tmp_path / DATABASE).chmod(0o600)
    with pytest.raises(HistoryUnavailable, match=r"history\.sqlite cannot be used: file is not a database"):
        async with open_history(Folder(tmp_path), "contoso"):
            pass


async def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    """The message says what went wrong, and neither password nor host's account."""
    with pytest.raises(HistoryUnavailable) as refused:
        async with open_history(Secret("postgresql://probe:hunter2@127.0.0.1:1/history"), "contoso"):
            pass
    assert "hunter2" not in str(refused.value)
    assert str(refused.value).startswith("the PostgreSQL database of the history cannot be used: ")


@pytest.mark.parametrize(
    "url", ["postgresql://probe:hunter2@127.0.0.1:x/history", "postgresql://probe:hun/ter2:@h:1/h", "mysql://probe:hunter2@h/h"]
)
async def test_a_url_that_cannot_be_understood_is_not_repeated(url: str) -> None:
    """Whatever is wrong with the URL, no part of it is in the message."""
    with pytest.raises(HistoryUnavailable) as refused:
        async with open_history(Secret(url), "contoso"):
            pass
    assert "ter2" not in str(refused.value)
    assert "URL" in str(refused.value)


async def test_a_locked_database_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else who writes for too long is named as what it is; what they wrote, and what was there, is there afterwards."""
    monkeypatch.setattr("probe.history.storage.BUSY_SECONDS", 0.1)
    async with open_history(Folder(tmp_path), "contoso") as history:
        await history.record([look(0, *product())])
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(HistoryUnavailable, match="database is locked"):
                await history.record([look(5, *product("Exim"))])
            assert len(await history.intervals()) == 3, "whoever reads does not wait"
            other.execute("ROLLBACK")
        assert len(await history.record([look(5, *product("Exim"))])) == 1


@pytest.mark.parametrize(
    "work",
    [
        lambda history: history.record([look(5, *product("Exim"))], 0.05),
        lambda history: history.record_run(a_checked_run(), 0.05),
        lambda history: history.sweep(HistoryLimits(), minutes(60), 0.05),
        lambda history: history.storage.compact(0.05),
    ],
    ids=["what was found", "a run", "the sweep", "what the sweep compacts"],
)
async def test_a_locked_database_is_waited_for_as_long_as_the_caller_says(
    tmp_path: Path, work: Callable[[History], Awaitable[object]]
) -> None:
    """Not for the half minute that others wait, whoever had the connection before; it is told as what it is, and done once the other has ended."""
    async with open_history(Folder(tmp_path), "contoso") as history:
        await history.record([look(0, *product())])
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(HistoryUnavailable, match="database is locked"):
                async with asyncio.timeout(15):
                    await work(history)
            other.execute("ROLLBACK")
        await work(history)


async def _products(folder: Path) -> list[Interval]:
    async with open_history(Folder(folder), "contoso") as history:
        return [one for one in await history.intervals() if one.key == "server.product"]


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    """A process that is killed in the middle of writing loses nothing that it knew to be written, and leaves no half of anything."""
    known = -1
    for lines in (1, 7, 20):
        with subprocess.Popen([sys.executable, "-m", "tests.history.writer", str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                known = int(writer.stdout.readline())
            writer.kill()
        found = asyncio.run(_products(tmp_path))
        assert [one.form["value"] for one in found] == [f"Server {n}" for n in range(len(found))]
        assert len(found) > known
        assert [one.is_open for one in found] == [False] * (len(found) - 1) + [True]
        with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_connections_that_a_server_has_closed_are_made_anew(postgresql: PostgreSql) -> None:
    """A PostgreSQL that was restarted since the last look is written to as before."""
    async with open_history(Secret(postgresql.new_schema()), "contoso") as history:
        await history.record([look(0, *product())])
        postgresql.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        assert len(await history.record([look(5, *product("Exim"))])) == 1


async def test_two_writers_wait_for_each_other(place: Folder | Secret) -> None:
    """What two processes find of one subject at one time is written one after the other, and nothing twice."""
    async with open_history(place, "contoso") as one, open_history(place, "contoso") as other:
        await one.record([look(0, *product())])
        both = await asyncio.gather(one.record([look(5, *product("Exim"))]), other.record([look(5, *product("Exim"))]))
        assert sorted(len(changes) for changes in both) == [0, 1]
        assert len([i for i in await one.intervals() if i.key == v.SERVER_PRODUCT.name]) == 2
