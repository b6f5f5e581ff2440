"""What must outlive a run: which credentials a server refused, which login was begun and not seen to its end, and who asked to be left alone.

One small SQLite file in a folder of this machine, so that a scheduled check, a service and an administrator share it.
No password is in it, nor a hash of one that could be guessed at: account and password are told apart by a hash under a
random key, which lies beside the file and is readable by its owner alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER_VARIABLE = "PROBE_STATE_DIR"
"""Environment variable that names the folder, instead of the machine's own."""
IN_DOUBT = timedelta(minutes=15)
"""How long a login whose end was not seen bars the next. Windows' and Exchange's lockout counters reset after 15 to 30 minutes by default."""
LEFT_ALONE = timedelta(minutes=5)
"""How long a server that said "not now" to a login, and did not say for how long, sees none."""
LONGEST_REST = timedelta(hours=1)
"""The longest time that a server may ask for: RFC 2449's LOGIN-DELAY is seconds, and the longest that was seen is 900."""
_VERSION = 2
_BUSY_SECONDS = 10.0
_LOGINS = """
CREATE TABLE login (
    identity BLOB PRIMARY KEY,  -- keyed hash of user name and password
    account BLOB NOT NULL,      -- keyed hash of the user name alone
    state TEXT NOT NULL,        -- begun, refused
    subject TEXT NOT NULL,      -- where
    at TEXT NOT NULL
) STRICT
"""
_RESTS = """
CREATE TABLE rest (
    account BLOB NOT NULL,      -- keyed hash of the user name; empty for whoever it is
    subject TEXT NOT NULL,      -- where
    until TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account, subject)
) STRICT
"""


class MemoryUnavailable(Exception):
    """What must be remembered cannot be read or written; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user name with a password, as the memory knows them."""

    identity: bytes
    account: bytes


class Memory:
    """The memory of one folder. Each call opens the file and closes it; a call takes a few milliseconds and may be made in any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def identity(self, username: str, password: str) -> Identity:
        """How the memory knows these. Raises MemoryUnavailable."""
        key, name = self._key(), username.lower().encode("utf-8", "surrogateescape")
        whole = name + b"\0" + password.encode("utf-8", "surrogateescape")
        return Identity(hashlib.blake2b(whole, key=key).digest(), hashlib.blake2b(name, key=key).digest())

    def begin(self, identity: Identity, subject: str, now: datetime) -> str | None:
        """Claim a login, unless these credentials are barred: then why. Only one of several who ask at once gets the claim."""
        with self._open() as database:
            row = database.execute("SELECT state, subject, at FROM login WHERE identity = ?", (identity.identity,)).fetchone()
            if row is not None:
                state, where, at = row
                if state == "refused":
                    return f"these credentials were refused by {where} on {at[:10]}; they are not tried again until they change, or `probe forget`"
                if datetime.fromisoformat(at) + IN_DOUBT > now:
                    return f"a login with these credentials was begun at {where} at {at[11:16]} UTC, and its end was not seen; it is not tried again for now"
            self._write(database, identity, "begun", subject, now)
        return None

    def refused(self, identity: Identity, subject: str, now: datetime) -> None:
        """The credentials were refused as wrong."""
        with self._open() as database:
            self._write(database, identity, "refused", subject, now)

    def ended(self, identity: Identity) -> None:
        """The login came to an end that bars nothing."""
        with self._open() as database:
            database.execute("DELETE FROM login WHERE identity = ?", (identity.identity,))

    def rest(self, identity: Identity | None, subject: str, wanted: timedelta, reason: str, now: datetime) -> None:
        """A server wants no login of an account, or of anybody, for a time. Never shortens what it wanted before."""
        account, until = identity.account if identity else b"", now + min(wanted, LONGEST_REST)
        with self._open() as database:
            database.execute("DELETE FROM rest WHERE until <= ?", (_moment(now),))
            database.execute(
                "INSERT INTO rest VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason WHERE until < excluded.until",
                (account, subject, _moment(until), reason),
            )

    def resting(self, identity: Identity, subject: str, now: datetime) -> str | None:
        """Why an account does not sign in to a server for now; None where it may."""
        with self._open() as database:
            row = database.execute(
                "SELECT reason, until FROM rest WHERE account IN (?, ?) AND subject = ? AND until > ? ORDER BY until DESC",
                (identity.account, b"", subject, _moment(now)),
            ).fetchone()
        return None if row is None else f"{row[0]}; no login is tried until {row[1][11:19]} UTC"

    def forget(self, username: str | None = None) -> int:
        """Forget what is known of an account, or of all. Gives how many entries there were."""
        with self._open() as database:
            if username is None:
                return database.execute("DELETE FROM login").rowcount + database.execute("DELETE FROM rest").rowcount
            account = (self.identity(username, "").account,)
            logins = database.execute("DELETE FROM login WHERE account = ?", account).rowcount
            return logins + database.execute("DELETE FROM rest WHERE account = ?", account).rowcount

    @staticmethod
    def _write(database: sqlite3.Connection, identity: Identity, state: str, subject: str, now: datetime) -> None:
        entry = (identity.identity, identity.account, state, subject, now.isoformat(timespec="seconds"))
        database.execute("INSERT OR REPLACE INTO login VALUES (?, ?, ?, ?, ?)", entry)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file, with nobody else writing to it until the end."""
        file = self._folder / "memory.sqlite"
        try:
            self._make_folder()
            # Made by us before SQLite opens it, so that nobody else may ever read it.
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            with contextlib.closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                version = database.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    database.execute(_LOGINS)
                if version in (0, 1):
                    database.execute(_RESTS)
                    database.execute(f"PRAGMA user_version = {_VERSION}")
                elif version != _VERSION:
                    raise MemoryUnavailable(f"{file} was written by another version of probe")
                yield database
                database.execute("COMMIT")
        except sqlite3.Error as failed:
            raise MemoryUnavailable(f"{file} cannot be used: {failed}") from failed
        except OSError as failed:
            raise MemoryUnavailable(f"{file} cannot be used: {failed.strerror}") from failed

    def _key(self) -> bytes:
        file = self._folder / "key"
        try:
            self._make_folder()
            with contextlib.suppress(FileExistsError):
                # Whole or not at all, whoever else is at it.
                draft = self._folder / f"key-{secrets.token_hex(8)}"
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                    target.write(secrets.token_bytes(32))
                try:
                    os.link(draft, file)
                finally:
                    draft.unlink()
            key = file.read_bytes()
        except OSError as failed:
            raise MemoryUnavailable(f"{file} cannot be used: {failed.strerror}") from failed
        if len(key) != 32:
            raise MemoryUnavailable(f"{file} does not hold a key of 32 bytes")
        return key

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _moment(at: datetime) -> str:
    """A time as the file has it, so that the earlier sorts first."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def default_folder() -> Path:
    """The machine's state folder for who may write there; else the user's own."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "probe"
    machine = Path("/var/lib/probe")
    if os.access(machine if machine.exists() else machine.parent, os.W_OK):
        return machine
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "probe"
