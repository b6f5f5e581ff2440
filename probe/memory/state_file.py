"""One SQLite file of the state folder, opened in one way: checked first, locked against other writers, its tables made or refused by version."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from probe.memory.folder import MOST_DATABASE_BYTES, Folder, MemoryUnavailable
from probe.model.values import dataclass

if TYPE_CHECKING:
    import sqlite3

BUSY_SECONDS = 10.0
"""How long to wait for another program that writes."""


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
    def opened(self, folder: Folder) -> Iterator[sqlite3.Connection]:
        """The file in one transaction that nobody else writes in. Committed at the end, unless an exception ends it. Raises MemoryUnavailable."""
        import sqlite3

        file = folder.database(self.name, self.most_bytes)
        try:
            with contextlib.closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as database:
                if self.overwrites:
                    database.execute("PRAGMA secure_delete = ON")
                if self.wal:
                    database.execute("PRAGMA journal_mode = WAL").fetchone()
                database.execute(f"PRAGMA synchronous = {self.synchronous}")
                database.execute("BEGIN IMMEDIATE")
                version = database.execute("PRAGMA user_version").fetchone()[0]
                if version > self.version and not self.takes_any_version:
                    raise MemoryUnavailable(f"{file} was written by another version of probe")
                if version != self.version:
                    self._make_tables(database)
                yield database
                database.execute("COMMIT")
        except (sqlite3.Error, ValueError) as failed:
            raise MemoryUnavailable(f"{file} cannot be used: {failed}") from failed

    def _make_tables(self, database: sqlite3.Connection) -> None:
        for table in self.begins_anew:
            database.execute(f"DROP TABLE IF EXISTS {table}")
        # By line ends: a comment may hold a semicolon.
        for statement in filter(str.strip, self.tables.split(";\n")):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {self.version}")
