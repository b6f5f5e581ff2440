"""One SQLite file of the state folder, opened in one way: checked first, locked against other writers, its tables made or refused by version."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from probe.memory.folder import MOST_DATABASE_BYTES, Folder, MemoryUnavailable
from probe.model.values import dataclass

if TYPE_CHECKING:
    import sqlite3

    from probe.model.named_address import NamedAddress

BUSY_SECONDS = 10.0
"""How long to wait for another program that writes."""
LOOP_SECONDS = 0.5
"""The same for who holds everything else up meanwhile, and can try again later."""
RETRY_SECONDS = 2.0
"""The same for who holds nothing up, and tries again later: a service that ends has seconds for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFile:
    """A file of the state folder, and the tables in it."""

    name: str
    """Of the file."""
    version: int
    tables: str
    """Statements that make the tables, each ended by a semicolon at the end of a line."""
    begins_anew: tuple[str, ...] = ()
    """Tables that are dropped where the file is of an earlier version; what they held is learnt again."""
    takes_any_version: bool = False
    """Whether a later version is begun anew too; else it is refused."""
    most_bytes: int | None = MOST_DATABASE_BYTES
    """A larger file is not ours. None: any size."""
    overwrites: bool = False
    """Whether what is deleted is overwritten."""
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    wal: bool = False
    """Whether readers and a writer go on beside each other, as they do where one program keeps writing."""

    @contextmanager
    def opened(self, folder: Folder, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """The file in one transaction that nobody else writes in. Committed at the end, unless an exception ends it. Raises MemoryUnavailable.

        `patience` is how many seconds another program that writes is waited for; None: `BUSY_SECONDS`.
        """
        with self._connected(folder, patience) as database:
            if self.overwrites:
                database.execute("PRAGMA secure_delete = ON")
            if self.wal:
                database.execute("PRAGMA journal_mode = WAL").fetchone()
            database.execute(f"PRAGMA synchronous = {self.synchronous}")
            database.execute("BEGIN IMMEDIATE")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > self.version and not self.takes_any_version:
                raise MemoryUnavailable(f"{folder.path / self.name} was written by another version of probe")
            if version != self.version:
                self._make_tables(database)
            yield database
            database.execute("COMMIT")

    def erase(self, folder: Folder, work: Callable[[sqlite3.Connection], int]) -> int:
        """What a piece of work gives that drops rows, after which nothing that was dropped, then or before, is in the file or beside it; 0 without a file.

        MemoryUnavailable may come after the rows are gone: then the file may hold what was in them still, and erasing again mends that.
        """
        if not folder.holds(self.name):
            return 0
        with self.opened(folder) as database:
            count = work(database)
        with self._connected(folder) as database:
            database.execute("VACUUM")
            is_busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise MemoryUnavailable(
                f"{folder.path / self.name} is read by another program, so that it may hold what was erased; erase again"
            )
        return count

    def rename(self, folder: Folder, tables: Sequence[str], old: str, new: str) -> int:
        """Give what these tables have of a deployment to its new name, unless they have something of that already; how many rows. 0 without a file.

        Raises MemoryUnavailable.
        """
        if not folder.holds(self.name):
            return 0
        with self.opened(folder) as database:
            known = (database.execute(f"SELECT 1 FROM {table} WHERE deployment = ?", (new,)).fetchone() for table in tables)  # noqa: S608 - our own words
            if any(known):
                return 0
            changes = [f"UPDATE {table} SET deployment = ? WHERE deployment = ?" for table in tables]  # noqa: S608 - our own words
            return sum(database.execute(change, (new, old)).rowcount for change in changes)

    @contextmanager
    def _connected(self, folder: Folder, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """A connection to the file, in no transaction. Raises MemoryUnavailable."""
        import sqlite3

        file = folder.database(self.name, self.most_bytes)
        try:
            seconds = BUSY_SECONDS if patience is None else patience
            with contextlib.closing(sqlite3.connect(file, timeout=seconds, isolation_level=None)) as database:
                yield database
        except (sqlite3.Error, ValueError) as failed:
            raise MemoryUnavailable(f"{file} cannot be used: {failed}") from failed

    def _make_tables(self, database: sqlite3.Connection) -> None:
        for table in self.begins_anew:
            database.execute(f"DROP TABLE IF EXISTS {table}")
        # By line ends: a comment may hold a semicolon.
        for statement in filter(str.strip, self.tables.split(";\n")):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {self.version}")


def drop_rows(database: sqlite3.Connection, table: str, column: str, is_meant: Callable[[str], bool]) -> int:
    """Drop the rows of a table whose text in a column is meant; gives how many. Compared here, since SQLite knows capital letters of English alone."""
    texts = [text for (text,) in database.execute(f"SELECT DISTINCT {column} FROM {table}") if is_meant(text)]  # noqa: S608 - our own words
    return sum(database.execute(f"DELETE FROM {table} WHERE {column} = ?", (text,)).rowcount for text in texts)  # noqa: S608 - our own words


def strike(database: sqlite3.Connection, table: str, address: NamedAddress) -> int:
    """Put something in the place of an address in all texts of a table, be they JSON or words; gives how many named it."""
    columns = [name for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})") if kind == "TEXT"]
    count = 0
    for column in columns:
        texts = database.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()  # noqa: S608 - our own words
        for (text,) in texts:
            if (struck := _struck(text, address)) != text:
                count += database.execute(
                    f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608 - our own words
                    (struck, text),
                ).rowcount
    return count


def _struck(text: str, address: NamedAddress) -> str:
    """In JSON an address may be written with escapes, which the words of its texts do not have."""
    try:
        form = json.loads(text)
    except ValueError:
        form = None
    if not isinstance(form, dict | list):
        return str(address.struck(text))
    return json.dumps(address.struck(form)) if address.is_in(form) else text
