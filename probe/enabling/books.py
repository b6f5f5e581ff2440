"""`gate.sqlite` in the state folder: which mailboxes a batch is of, and how predictions compared with outcomes.

What was asked of Dynamics, and what came of it, stands in `audit.jsonl` alone; from both follows what a batch that was cut short still has to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from probe.memory import Folder
from probe.memory.state_file import StateFile
from probe.model.named_address import NamedAddress
from probe.model.rules import Direction
from probe.model.values import dataclass

if TYPE_CHECKING:
    import sqlite3

LIFETIME = timedelta(hours=24)
"""How long a batch is open at most."""
_TABLES = """
CREATE TABLE batch (
    batch TEXT PRIMARY KEY,
    organization TEXT NOT NULL,   -- its id
    at TEXT NOT NULL,             -- when it began
    is_left INTEGER NOT NULL      -- whether all of it was told, or somebody began another in its place
) STRICT;
CREATE TABLE member (
    batch TEXT NOT NULL,
    id TEXT NOT NULL,             -- the mailbox's, in Dynamics
    mailbox TEXT NOT NULL,        -- its address
    PRIMARY KEY (batch, id)
) STRICT;
CREATE TABLE comparison (
    batch TEXT NOT NULL,
    id TEXT NOT NULL,
    direction TEXT NOT NULL,
    organization TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    at TEXT NOT NULL,             -- when Dynamics was done
    predicted TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (batch, id, direction)
) STRICT;
"""
_STORED = StateFile(name="gate.sqlite", version=1, tables=_TABLES)


@dataclass(frozen=True, slots=True)
class Batch:
    """Mailboxes for which Dynamics is asked together."""

    id: str
    began: datetime
    members: Mapping[str, str]
    """Addresses by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDirection:
    """What was predicted of a direction, and what Dynamics reported."""

    mailbox: str
    direction: str
    at: str
    predicted: str
    outcome: str

    @property
    def agrees(self) -> bool | None:
        """None where nothing was predicted, or nothing was tested."""
        return None if self.predicted == "unknown" or self.outcome == "not-run" else self.predicted == self.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the predictions of one direction came out."""

    direction: str
    agreed: int
    compared: int
    undecided: int
    """Outcomes of which nothing was predicted, or that did not come about."""


class Books:
    """The file of one folder. Each call opens it and closes it. Raises MemoryUnavailable."""

    NAME = _STORED.name

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def latest(self, organization: str, now: datetime) -> Batch | None:
        """The batch of an organization that is open: the one that was begun last, unless it was left, or is too old."""
        with self._opened() as database:
            row = database.execute(
                "SELECT batch, at FROM batch WHERE organization = ? AND NOT is_left ORDER BY at DESC LIMIT 1", (organization,)
            ).fetchone()
            if row is None or (began := datetime.fromisoformat(row[1])) + LIFETIME <= now:
                return None
            return Batch(row[0], began, dict(database.execute("SELECT id, mailbox FROM member WHERE batch = ? ORDER BY rowid", (row[0],))))

    def add(self, batch: str, organization: str, members: Mapping[str, str], now: datetime) -> None:
        """Write down that these mailboxes, by id, are of a batch, which begins now unless it has."""
        with self._opened() as database:
            database.execute("INSERT OR IGNORE INTO batch VALUES (?, ?, ?, 0)", (batch, organization, _moment(now)))
            database.executemany("INSERT OR IGNORE INTO member VALUES (?, ?, ?)", [(batch, *member) for member in members.items()])

    def leave(self, organization: str) -> None:
        """No batch of this organization is taken up again."""
        with self._opened() as database:
            database.execute("UPDATE batch SET is_left = 1 WHERE organization = ?", (organization,))

    def leave_batch(self, batch: str) -> None:
        """This batch is not taken up again."""
        with self._opened() as database:
            database.execute("UPDATE batch SET is_left = 1 WHERE batch = ?", (batch,))

    def compare(self, batch: str, organization: str, identifier: str, compared: Sequence[ComparedDirection]) -> None:
        """Keep a comparison, once."""
        rows = [(batch, identifier, one.direction, organization, one.mailbox, one.at, one.predicted, one.outcome) for one in compared]
        with self._opened() as database:
            database.executemany("INSERT OR IGNORE INTO comparison VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def comparisons(self, organization: str | None = None) -> tuple[ComparedDirection, ...]:
        """All that is kept, of one organization or of every one, the newest first."""
        where = "" if organization is None else "WHERE organization = ?"
        asked = f"SELECT mailbox, direction, at, predicted, outcome FROM comparison {where} ORDER BY at DESC, mailbox, direction"  # noqa: S608 - ours
        with self._opened() as database:
            rows = database.execute(asked, () if organization is None else (organization,)).fetchall()
        return tuple(ComparedDirection(mailbox=row[0], direction=row[1], at=row[2], predicted=row[3], outcome=row[4]) for row in rows)

    def names(self, mailbox: NamedAddress) -> bool:
        """Whether a mailbox was ever of a batch, in whichever organization."""
        with self._opened() as database:
            rows = database.execute("SELECT mailbox FROM member UNION SELECT mailbox FROM comparison").fetchall()
        return any(mailbox.is_it(address) for (address,) in rows)

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        """The file, with nobody else writing to it until the end."""
        return _STORED.opened(self._folder)


def scores(compared: Sequence[ComparedDirection]) -> tuple[Score, ...]:
    """How the predictions came out, by direction."""
    found = []
    for direction in Direction:
        agreeing = [one.agrees for one in compared if one.direction == direction]
        decided = [one for one in agreeing if one is not None]
        found.append(Score(direction=str(direction), agreed=sum(decided), compared=len(decided), undecided=len(agreeing) - len(decided)))
    return tuple(found)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
