"""The database of a history: SQLite in the state folder, or PostgreSQL by its URL. Opens it, brings its schema up to date, and hands out transactions.

One transaction writes at a time, on both: what a look found is compared with what stands there, and must not change in between.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, TextClause, event, insert, inspect, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from probe.history.schema import METADATA, NEWEST, STEP
from probe.memory.folder import Folder, MemoryUnavailable
from probe.model.estate import Secret

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")

DATABASE = "history.sqlite"
"""The file in the state folder."""
BUSY_SECONDS = 30.0
"""How long a writer waits for another: one run of ten thousand mailboxes is written in less."""
CONNECT_SECONDS = 10.0
_WRITERS = 0x70726F6265  # "probe"
"""The advisory lock of PostgreSQL that whoever writes holds."""


class HistoryUnavailable(Exception):
    """The history cannot be read or written; the message says why, and holds no secret."""


class Storage:
    """An open database."""

    def __init__(self, engine: AsyncEngine, told: str) -> None:
        """`told` is what messages call it."""
        self._engine = engine
        self.told = told

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    async def write(self, work: Callable[[Connection], T], patience: float | None = None) -> T:
        """What a piece of work gives that may write, in a transaction of its own: all of it is written, or nothing. Raises HistoryUnavailable.

        `patience` is how many seconds another program that writes to SQLite is waited for; None: `BUSY_SECONDS`.
        """
        async with self._begun(writes=True, patience=patience) as connection:
            return await connection.run_sync(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What a piece of work reads, all of it at one moment. Raises HistoryUnavailable."""
        async with self._begun(writes=False) as connection:
            return await connection.run_sync(work)

    async def compact(self, patience: float | None = None) -> bool:
        """Leave nothing of what was deleted in the files; as `checkpoint`. Raises HistoryUnavailable. `patience` is as of `write`."""
        with _translated(self.told):
            async with self._engine.connect() as connection:
                if self.is_sqlite:
                    await connection.execution_options(probe_patience=_milliseconds(patience))
                else:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM"))
        return await self.checkpoint(patience)

    async def checkpoint(self, patience: float | None = None) -> bool:
        """Leave nothing in the files that SQLite keeps beside its own; False where somebody reads what is there. Raises HistoryUnavailable.

        `patience` is as of `write`.
        """
        if not self.is_sqlite:
            return True
        with _translated(self.told):
            async with self._engine.connect() as connection:
                await connection.execution_options(probe_patience=_milliseconds(patience))
                is_busy, *_ = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
        return not is_busy

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def connected(self) -> AsyncConnection:
        """A connection that is the caller's, to be closed by it, in no transaction. Raises HistoryUnavailable."""
        with _translated(self.told):
            connection = await self._engine.connect()
            return await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def ask(self, connection: AsyncConnection, statement: TextClause, **values: object) -> Any:
        """The one value that a statement gives over such a connection. Raises HistoryUnavailable."""
        with _translated(self.told):
            return (await connection.execute(statement, values)).scalar()

    @asynccontextmanager
    async def _begun(self, *, writes: bool, patience: float | None = None) -> AsyncIterator[AsyncConnection]:
        with _translated(self.told):
            async with self._engine.connect() as connection:
                await connection.execution_options(
                    probe_begins="BEGIN IMMEDIATE" if writes else "BEGIN", probe_patience=_milliseconds(patience)
                )
                async with connection.begin():
                    if not self.is_sqlite:
                        if writes:
                            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITERS})
                        else:
                            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                    yield connection


@asynccontextmanager
async def opened(place: Folder | Secret) -> AsyncIterator[Storage]:
    """The database in a state folder, or at a `postgresql://` URL, its schema brought up to date. Raises HistoryUnavailable."""
    async with connected(place) as storage:
        await storage.write(migrate)
        yield storage


@asynccontextmanager
async def connected(place: Folder | Secret) -> AsyncIterator[Storage]:
    """The same database as it is. Raises HistoryUnavailable."""
    if isinstance(place, Secret):
        engine, told = _postgresql(place), "the PostgreSQL database of the history"
    else:
        try:
            file = place.database(DATABASE, most_bytes=None)
        except MemoryUnavailable as unavailable:
            raise HistoryUnavailable(str(unavailable)) from None
        engine, told = _sqlite(file), str(file)
    storage = Storage(engine, told)
    try:
        yield storage
    finally:
        await asyncio.shield(storage.close())


def migrate(connection: Connection, to: str = NEWEST) -> None:
    """Bring the schema up to date, as far as `to`. Raises HistoryUnavailable where a newer version of this program has made it."""
    tables = inspect(connection).get_table_names()
    now = connection.execute(select(STEP.c.version_num)).scalar() if STEP.name in tables else None
    if now == to:
        return
    if now is None and to == NEWEST and not tables:
        # At once what the steps would leave. Alembic takes 11 MB, which a service would keep for years.
        METADATA.create_all(connection)
        STEP.create(connection)
        connection.execute(insert(STEP).values(version_num=NEWEST))
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_steps()
    if now is not None and now not in {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}:
        raise HistoryUnavailable(f"the history was written by a later version of probe (schema {now}); use that, or another database")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def alembic_steps() -> Config:
    """Where Alembic finds the steps of the schema."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _milliseconds(patience: float | None) -> int:
    """How long SQLite waits for another program."""
    return round((BUSY_SECONDS if patience is None else patience) * 1000)


def _sqlite(file: Path) -> AsyncEngine:
    from sqlalchemy import URL

    url = URL.create("sqlite+aiosqlite", database=str(file))
    engine = create_async_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=2)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # We begin transactions ourselves: the driver would do so before the first write alone, and what is read before that may change.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "journal_size_limit = 67108864"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # A connection of the pool has the patience of whoever had it before.
        if (patience := options.get("probe_patience")) is not None:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
        if begins := options.get("probe_begins"):
            connection.exec_driver_sql(begins)

    return engine


def _postgresql(url: Secret) -> AsyncEngine:
    if not url.reveal().startswith(("postgresql://", "postgres://")):
        raise HistoryUnavailable("the URL of the history's database does not begin with postgresql://")
    if importlib.util.find_spec("asyncpg") is None:
        raise HistoryUnavailable("PostgreSQL needs a library that is not installed: pip install 'd365-mail-probe[postgresql]'")
    import asyncpg

    async def connect() -> Any:
        try:
            return await asyncpg.connect(url.reveal(), timeout=CONNECT_SECONDS, command_timeout=BUSY_SECONDS * 4)
        except ValueError:  # whose message may repeat a part of the URL
            raise HistoryUnavailable("the URL of the history's database cannot be understood") from None

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_size=2, pool_pre_ping=True)


@contextmanager
def _translated(told: str) -> Iterator[None]:
    """Errors of the libraries as one of ours, in one sentence."""
    try:
        yield
    except (DataError, IntegrityError):
        raise  # a mistake of ours
    except DBAPIError as failed:
        raise HistoryUnavailable(f"{told} cannot be used: {_first_line(failed.orig)}") from None
    except (PoolTimeout, OSError, TimeoutError) as failed:
        raise HistoryUnavailable(f"{told} cannot be used: {_first_line(failed)}") from None
    except Exception as failed:
        if not type(failed).__module__.startswith("asyncpg."):
            raise
        raise HistoryUnavailable(f"{told} cannot be used: {_first_line(failed)}") from None


def _first_line(failed: BaseException | None) -> str:
    """What went wrong, less what drivers put before and after it."""
    said = str(failed).strip().split("\n")[0] or type(failed).__name__
    return said.rpartition("'>: ")[2]
