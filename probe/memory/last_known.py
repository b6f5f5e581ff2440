"""What Dynamics' records said last, for the hours in which it cannot be read.

A file of its own beside the ledger of sign-ins, readable by its owner alone: addresses, names, times and Dynamics' words for errors stand in it, and no secret.
It is bounded in subjects and in age; what is lost with it is read again from Dynamics.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from probe.memory.folder import Folder
from probe.memory.state_file import StateFile, drop_rows, strike
from probe.model.kinds import Json

if TYPE_CHECKING:
    import sqlite3

    from probe.model.named_address import NamedAddress

KEPT = timedelta(days=30)
"""After which nobody wants to know what it was."""
MOST_SUBJECTS = 100_000
"""Mailboxes and profiles of all estates together; one takes about 800 bytes. Those that were read longest ago go first."""
MOST_CHARACTERS = 16 * 1024
"""Of what is kept of one subject."""
MOST_BYTES = 512 * 1024 * 1024
"""Of the file; a larger one is not ours."""
_AT_ONCE = 500
"""Subjects that are asked for in one statement."""
_TABLE = """
CREATE TABLE state (
    place TEXT NOT NULL,        -- whose: deployment and organization
    subject TEXT NOT NULL,      -- a mailbox's address, a profile, or the deployment
    at TEXT NOT NULL,           -- when it was sent read, in UTC
    facts TEXT NOT NULL,        -- values by key, as JSON
    PRIMARY KEY (place, subject)
) STRICT, WITHOUT ROWID;
"""
_STORED = StateFile(
    name="dynamics.sqlite",
    version=1,
    tables=_TABLE,
    # Of another version, whichever: it is read again from Dynamics.
    begins_anew=("state",),
    takes_any_version=True,
    most_bytes=MOST_BYTES,
    # What is forgotten is overwritten: it names people.
    overwrites=True,
)


class LastState(NamedTuple):
    """What was said of one subject."""

    at: datetime
    facts: Mapping[str, Json]
    """Values by the name of the key, in their form in JSON."""


class LastKnown:
    """What is kept in one folder. Each call opens the file and closes it, and may be made in any thread."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def keep(self, place: str, at: datetime, facts: Mapping[str, Mapping[str, Json]], *, is_whole: bool) -> None:
        """Keep what was said of some subjects, in place of what was said before; with `is_whole` of no others. Raises MemoryUnavailable."""
        rows = ((place, subject, _moment(at), json.dumps(of, separators=(",", ":"))) for subject, of in facts.items())
        with self._open() as database:
            if is_whole:
                database.execute("DELETE FROM state WHERE place = ?", (place,))
            database.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", (row for row in rows if len(row[3]) <= MOST_CHARACTERS)
            )
            database.execute("DELETE FROM state WHERE at < ?", (_moment(at - KEPT),))
            surplus = database.execute("SELECT count(*) FROM state").fetchone()[0] - MOST_SUBJECTS
            if surplus > 0:
                oldest = "SELECT place, subject FROM state ORDER BY at LIMIT ?"
                database.execute(f"DELETE FROM state WHERE (place, subject) IN ({oldest})", (surplus,))  # noqa: S608 - our own words

    def known(self, place: str, subjects: Collection[str], now: datetime) -> dict[str, LastState]:
        """What was said last of these subjects, as far as it is kept. Raises MemoryUnavailable."""
        found: dict[str, LastState] = {}
        wanted = list(subjects)
        with self._open() as database:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = database.execute(
                    f"SELECT subject, at, facts FROM state WHERE place = ? AND at >= ? AND subject IN ({marks})",  # noqa: S608 - marks alone
                    (place, _moment(now - KEPT), *some),
                )
                for subject, at, facts in rows:
                    found[subject] = LastState(datetime.fromisoformat(at), json.loads(facts))
        return found

    def forget(self) -> int:
        """Forget all of it. Gives of how many subjects something was known."""
        with self._open() as database:
            return database.execute("DELETE FROM state").rowcount

    def erase(self, address: NamedAddress) -> int:
        """Erase what was said of a mailbox, and its address in what was said of others; gives of how many subjects that was. Raises MemoryUnavailable."""

        def dropped(database: sqlite3.Connection) -> int:
            return drop_rows(database, "state", "subject", address.is_it) + strike(database, "state", address)

        return _STORED.erase(self._folder, dropped)

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return _STORED.opened(self._folder)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
