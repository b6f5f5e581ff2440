"""`service.sqlite` in the state folder: the looks that were believed last, and the estate that they were held for, so that a restart knows them.

A file of its own, readable by its owner alone. It holds what a run's document holds, and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from probe.document import is_in_packed, packed_run, packed_without, unpacked_run
from probe.memory import Folder
from probe.memory.state_file import RETRY_SECONDS, StateFile
from probe.model.named_address import NamedAddress
from probe.model.runs import Run
from probe.service.cohorts import Cohort
from probe.service.looks import Look, LookKey, Topic

if TYPE_CHECKING:
    import sqlite3

_TABLES = """
CREATE TABLE look (
    deployment TEXT NOT NULL,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    since TEXT NOT NULL,          -- when it was first found so
    body BLOB NOT NULL,           -- attempts and readings as a document of a run, compressed
    PRIMARY KEY (deployment, topic, subject)
) STRICT;
CREATE TABLE estate (
    deployment TEXT PRIMARY KEY,
    body BLOB NOT NULL            -- an estate as a document of a run without attempts, compressed
) STRICT;
CREATE TABLE cohort (
    deployment TEXT NOT NULL,
    key TEXT NOT NULL,            -- of the condition
    number INTEGER NOT NULL,
    began TEXT NOT NULL,
    mailboxes TEXT NOT NULL,      -- addresses, as JSON
    PRIMARY KEY (deployment, key, number)
) STRICT;
"""
_STORED = StateFile(
    name="service.sqlite",
    version=1,
    tables=_TABLES,
    # What is lost with it is looked at again.
    begins_anew=("look", "estate", "cohort"),
    takes_any_version=True,
    most_bytes=None,
    overwrites=True,
    wal=True,
)


class PackedLook(NamedTuple):
    """A look as it is kept."""

    since: datetime
    body: bytes


class KeptLooks:
    """What is kept for one deployment. Each call is a transaction of its own, may be made in any thread, and raises MemoryUnavailable."""

    def __init__(self, folder: Folder, deployment: str) -> None:
        self._folder = folder
        self._deployment = deployment

    def keep(self, looks: Iterable[Look], state: Run) -> None:
        """Keep some looks in place of earlier ones at the same. `state` is a run of the same estate, for the rest of their documents."""
        rows = [(self._deployment, look.key.topic.value, look.key.subject, _moment(look.since), _body(look, state)) for look in looks]
        with self._opened(RETRY_SECONDS) as database:
            database.executemany("INSERT OR REPLACE INTO look VALUES (?, ?, ?, ?, ?)", rows)

    def keep_estate(self, state: Run, keys: Iterable[LookKey]) -> None:
        """Keep the estate for which looks are held from now on; of the looks stay those with these keys."""
        kept = frozenset(keys)
        with self._opened(RETRY_SECONDS) as database:
            known = database.execute("SELECT topic, subject FROM look WHERE deployment = ?", (self._deployment,)).fetchall()
            gone = [(self._deployment, topic, subject) for topic, subject in known if (topic, subject) not in kept]
            database.executemany("DELETE FROM look WHERE deployment = ? AND topic = ? AND subject = ?", gone)
            body = packed_run(replace(state, attempts=(), readings=(), assessments=()))
            database.execute("INSERT OR REPLACE INTO estate VALUES (?, ?)", (self._deployment, body))

    def kept_estate(self) -> Run | None:
        """The run without readings that has the estate of the looks; None where there is none, or another version has written it otherwise."""
        with self._opened() as database:
            estates = database.execute("SELECT body FROM estate WHERE deployment = ?", (self._deployment,)).fetchall()
        return unpacked_run(estates[0][0]) if estates else None

    def kept(self) -> Iterator[Look]:
        """The looks, one after another: thousands of them take many times the room that they have in common.

        What another version has written otherwise is left out.
        """
        with self._opened() as database:
            rows = database.execute("SELECT topic, subject, since, body FROM look WHERE deployment = ?", (self._deployment,))
            for topic, subject, since, body in rows:
                run = unpacked_run(body)
                if run is not None:
                    key = LookKey(Topic(topic), subject)
                    yield Look(key=key, attempts=run.attempts, readings=run.readings, since=datetime.fromisoformat(since))

    def cohorts(self) -> list[Cohort]:
        """The mailboxes that were told of together."""
        with self._opened() as database:
            rows = database.execute("SELECT key, number, began, mailboxes FROM cohort WHERE deployment = ?", (self._deployment,)).fetchall()
        return [Cohort(key, number, datetime.fromisoformat(began), frozenset(json.loads(of_it))) for key, number, began, of_it in rows]

    def keep_cohorts(self, cohorts: Iterable[Cohort]) -> None:
        """Keep these, and no others."""
        rows = [
            (self._deployment, one.key, one.number, _moment(one.began), json.dumps(sorted(one.mailboxes), separators=(",", ":")))
            for one in cohorts
        ]
        with self._opened(RETRY_SECONDS) as database:
            database.execute("DELETE FROM cohort WHERE deployment = ?", (self._deployment,))
            database.executemany("INSERT INTO cohort VALUES (?, ?, ?, ?, ?)", rows)

    def times(self) -> dict[LookKey, datetime]:
        """Since when each look is as it is kept."""
        with self._opened() as database:
            rows = database.execute("SELECT topic, subject, since FROM look WHERE deployment = ?", (self._deployment,)).fetchall()
        return {LookKey(Topic(topic), subject): datetime.fromisoformat(since) for topic, subject, since in rows}

    def packed(self, keys: Iterable[LookKey]) -> dict[LookKey, PackedLook]:
        """Looks as they are kept, for another state folder; those that are not kept any more are left out."""
        found = "SELECT since, body FROM look WHERE deployment = ? AND topic = ? AND subject = ?"
        with self._opened() as database:
            rows = {key: database.execute(found, (self._deployment, key.topic.value, key.subject)).fetchone() for key in keys}
        return {key: PackedLook(datetime.fromisoformat(row[0]), row[1]) for key, row in rows.items() if row is not None}

    def packed_estate(self) -> bytes | None:
        """The estate that they are held for, as it is kept."""
        with self._opened() as database:
            row = database.execute("SELECT body FROM estate WHERE deployment = ?", (self._deployment,)).fetchone()
        return None if row is None else bytes(row[0])

    def begin_anew(self, estate: bytes) -> None:
        """Have no look from now on, of an estate as `packed_estate` gave it in another state folder."""
        with self._opened(RETRY_SECONDS) as database:
            database.execute("DELETE FROM look WHERE deployment = ?", (self._deployment,))
            database.execute("INSERT OR REPLACE INTO estate VALUES (?, ?)", (self._deployment, estate))

    def put(self, looks: Mapping[LookKey, PackedLook]) -> None:
        """Keep looks that `packed` gave there."""
        rows = [(self._deployment, key.topic.value, key.subject, _moment(look.since), look.body) for key, look in looks.items()]
        with self._opened(RETRY_SECONDS) as database:
            database.executemany("INSERT OR REPLACE INTO look VALUES (?, ?, ?, ?, ?)", rows)

    def erase(self, address: NamedAddress) -> int:
        """Erase a mailbox, of whichever deployment, from the file too; gives how many rows named it. Looks at others that do are lost, and held again."""
        return _STORED.erase(self._folder, lambda database: _erased(database, address))

    def rename(self, old: str, new: str) -> int:
        """Give a deployment another name; as `StateFile.rename`."""
        return _STORED.rename(self._folder, ("look", "estate", "cohort"), old, new)

    def _opened(self, patience: float | None = None) -> AbstractContextManager[sqlite3.Connection]:
        return _STORED.opened(self._folder, patience)


def _erased(database: sqlite3.Connection, address: NamedAddress) -> int:
    looks = database.execute("SELECT rowid, subject, body FROM look")
    gone = [(row,) for row, subject, body in looks if address.is_it(subject) or is_in_packed(address, body)]
    database.executemany("DELETE FROM look WHERE rowid = ?", gone)
    estates = [one for one in database.execute("SELECT deployment, body FROM estate").fetchall() if is_in_packed(address, one[1])]
    for deployment, body in estates:
        # The looks of the others count on, for the estate without the mailbox.
        without = _without(address, body)
        if without is None:
            database.execute("DELETE FROM estate WHERE deployment = ?", (deployment,))
        else:
            database.execute("UPDATE estate SET body = ? WHERE deployment = ?", (without, deployment))
    cohorts = database.execute("SELECT deployment, key, number, mailboxes FROM cohort").fetchall()
    with_it = [(*which, of_it) for *which, of_it in cohorts if address.is_in(which[1]) or any(map(address.is_it, json.loads(of_it)))]
    for deployment, key, number, of_it in with_it:
        rest = [one for one in json.loads(of_it) if not address.is_it(one)]
        if rest and not address.is_in(key):
            values = (json.dumps(rest, separators=(",", ":")), deployment, key, number)
            database.execute("UPDATE cohort SET mailboxes = ? WHERE deployment = ? AND key = ? AND number = ?", values)
        else:
            database.execute("DELETE FROM cohort WHERE deployment = ? AND key = ? AND number = ?", (deployment, key, number))
    return len(gone) + len(estates) + len(with_it)


def _without(address: NamedAddress, body: bytes) -> bytes | None:
    """None where it cannot be read."""
    without = packed_without(body, address)
    return None if without is None or unpacked_run(without) is None else without


def _body(look: Look, state: Run) -> bytes:
    return packed_run(replace(state, estate=None, attempts=look.attempts, readings=look.readings, assessments=()))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
