"""What must outlive the service of its schedule: when each task is due, and when it began last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from probe.memory import Folder
from probe.memory.state_file import LOOP_SECONDS, StateFile, drop_rows
from probe.model.named_address import NamedAddress

_STORED = StateFile(
    name="schedule.sqlite",
    version=1,
    tables="""
CREATE TABLE task (
    deployment TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    due REAL NOT NULL,          -- seconds since 1970, in UTC, as all moments
    began REAL,                 -- NULL: never
    PRIMARY KEY (deployment, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE rest (
    deployment TEXT NOT NULL,
    place TEXT NOT NULL,        -- a server that asked to be left alone
    until REAL NOT NULL,
    PRIMARY KEY (deployment, place)
) STRICT, WITHOUT ROWID;
""",
    most_bytes=None,
)


class TaskKey(NamedTuple):
    """Which task it is."""

    kind: str
    subject: str


class KeptTask(NamedTuple):
    """What is kept of one."""

    due: float
    began: float | None


class ScheduleBook:
    """What is kept of the schedule of one deployment, in the state folder. Each method raises MemoryUnavailable."""

    def __init__(self, folder: Folder, deployment: str) -> None:
        self._folder = folder
        self._deployment = deployment

    def read(self) -> tuple[dict[TaskKey, KeptTask], dict[str, float]]:
        """The tasks, and until when which place is left alone."""
        with _STORED.opened(self._folder) as database:
            tasks = database.execute("SELECT kind, subject, due, began FROM task WHERE deployment = ?", (self._deployment,))
            kept = {TaskKey(kind, subject): KeptTask(due, began) for kind, subject, due, began in tasks}
            rests = dict(database.execute("SELECT place, until FROM rest WHERE deployment = ?", (self._deployment,)))
        return kept, rests

    def write(self, tasks: Mapping[TaskKey, KeptTask], rests: Mapping[str, float]) -> None:
        """Write some tasks and rests, all of them or none; they are on the disk once it returns."""
        mine = self._deployment
        with _STORED.opened(self._folder, LOOP_SECONDS) as database:
            database.executemany("INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?)", [(mine, *key, *kept) for key, kept in tasks.items()])
            database.executemany("INSERT OR REPLACE INTO rest VALUES (?, ?, ?)", [(mine, *rest) for rest in rests.items()])

    def forget(self, tasks: Iterable[TaskKey], rests_before: float) -> None:
        """Drop some tasks, and the rests that are over."""
        with _STORED.opened(self._folder) as database:
            database.executemany(
                "DELETE FROM task WHERE deployment = ? AND kind = ? AND subject = ?", [(self._deployment, *key) for key in tasks]
            )
            database.execute("DELETE FROM rest WHERE deployment = ? AND until < ?", (self._deployment, rests_before))

    def erase(self, address: NamedAddress) -> int:
        """Erase the tasks of a mailbox, of whichever deployment, from the file too; gives how many there were."""
        return _STORED.erase(self._folder, lambda database: drop_rows(database, "task", "subject", address.is_it))

    def rename(self, old: str, new: str) -> int:
        """Give a deployment another name, under which nobody is signed in to sooner; as `StateFile.rename`."""
        return _STORED.rename(self._folder, ("task", "rest"), old, new)
