"""The sign-ins of the last 15 minutes: an account signs in for one mailbox at one endpoint once in that time, whoever asks. Whoever asks again gets the answer of then.

A file of its own beside the ledger, readable by its owner alone. A sign-in is written down before a proof of the credential leaves, and its answer
beside it once it is there, so that several programs go by one table. An answer is somebody's transcript, less its secrets; whatever opens the file
next erases what is older.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from probe.document import is_in_packed
from probe.memory.folder import Folder
from probe.memory.state_file import StateFile, drop_rows
from probe.model.values import dataclass

if TYPE_CHECKING:
    import sqlite3

    from probe.model.named_address import NamedAddress

SIGN_INS_APART = timedelta(minutes=15)
"""Within which an account signs in for one mailbox at one endpoint once (`probe/CONTRACT.md`, *The gate*)."""
_TABLE = """
CREATE TABLE sign_in (
    identity BLOB NOT NULL,     -- of user name and password, as the ledger has it
    mailbox TEXT NOT NULL,      -- address, in small letters
    endpoint TEXT NOT NULL,     -- URL
    prober TEXT NOT NULL,       -- the conversation
    account BLOB NOT NULL,      -- keyed hash of the user name alone, as the ledger has it
    occasion BLOB NOT NULL,     -- the run in which it was: a login and a round trip of one run are one occasion
    way BLOB NOT NULL,          -- digest of how it signed in
    counts TEXT NOT NULL,       -- what was counted beside
    at REAL NOT NULL,           -- seconds since 1970, in UTC; of a round trip when the logins before it were
    until REAL NOT NULL,        -- when it has ended, whatever becomes of it
    answer BLOB,                -- NULL: under way, or never kept
    PRIMARY KEY (identity, mailbox, endpoint, prober)
) STRICT;
CREATE INDEX sign_in_at ON sign_in (at);
"""
_STORED = StateFile(
    name="signins.sqlite",
    version=1,
    tables=_TABLE,
    # What another version wrote down is 15 minutes of sign-ins, and its answers are none of this version.
    begins_anew=("sign_in",),
    takes_any_version=True,
    # Ten thousand answers take 40 MB.
    most_bytes=None,
    overwrites=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSignIn:
    """A sign-in for a mailbox: where, by which conversation, and how."""

    mailbox: str
    """Address."""
    endpoints: tuple[str, ...]
    """URLs of all endpoints that it signs in at; the first is the one that it is written down for."""
    prober: str
    way: bytes = b""
    """Digest of how it signs in: what was found in another way is no answer."""
    counts: str = ""
    """What is counted beside: an answer lacks it where something else was counted."""


class LastSignIn(NamedTuple):
    """The sign-in in whose place there is no other now."""

    at: datetime
    until: datetime
    """When it has ended, whatever becomes of it."""
    is_own: bool
    """Whether it was the same conversation; else it is a sign-in at the same place for something else."""
    is_same_way: bool
    counts: str
    answer: bytes | None

    def is_under_way(self, now: datetime) -> bool:
        """Whether its answer may still come."""
        return self.is_own and self.answer is None and now < self.until

    def free_at(self) -> datetime:
        """When the next may be."""
        return self.at + SIGN_INS_APART


class SignIns:
    """What is kept in one folder. Each call is one transaction, may be made in any thread, and raises MemoryUnavailable."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def is_there(self) -> bool:
        """Whether anything was ever written down, so that reading leaves no trace where nothing was."""
        return (self._folder.path / _STORED.name).exists()

    def last(self, identity: bytes, sign_in: MailboxSignIn, occasion: bytes, now: datetime) -> LastSignIn | None:
        """The sign-in that stands in the way of another one now; None where there is none. Those of the same occasion do not, unless it is the very same."""
        with self._opened(now) as database:
            return _in_the_way(database, identity, sign_in, occasion)

    def begin(
        self,
        identity: bytes,
        account: bytes,
        sign_in: MailboxSignIn,
        occasion: bytes,
        now: datetime,
        longest: timedelta,
        *,
        regardless: bool = False,
    ) -> LastSignIn | None:
        """Write down that a sign-in begins, which takes no longer than `longest`; gives what stands in its way, where it must not.

        Of several programs that ask at once, one begins. `regardless` of what stands in the way, where a person says so.
        """
        with self._opened(now) as database:
            if not regardless and (last := _in_the_way(database, identity, sign_in, occasion)) is not None:
                return last
            whose = (identity, sign_in.mailbox.lower())
            marks = ",".join("?" * len(sign_in.endpoints))
            # What follows the logins of its run is not longer in the way than they are.
            began = database.execute(
                f"SELECT min(at) FROM sign_in WHERE identity = ? AND mailbox = ? AND occasion = ? AND endpoint IN ({marks})",  # noqa: S608 - marks alone
                (*whose, occasion, *sign_in.endpoints),
            ).fetchone()[0]
            row = (account, occasion, sign_in.way, sign_in.counts, began or now.timestamp(), (now + longest).timestamp())
            database.execute(
                "INSERT OR REPLACE INTO sign_in VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (*whose, sign_in.endpoints[0], sign_in.prober, *row),
            )
        return None

    def cancel(self, identity: bytes, sign_in: MailboxSignIn, occasion: bytes, now: datetime) -> None:
        """Take back a sign-in that was begun, and of which no proof left."""
        with self._opened(now) as database:
            database.execute(f"DELETE FROM sign_in WHERE {_ONE}", _key(identity, sign_in, occasion))  # noqa: S608 - our own words

    def keep(self, identity: bytes, sign_in: MailboxSignIn, occasion: bytes, answer: bytes, now: datetime) -> None:
        """Keep the answer of a sign-in that was begun, unless it was forgotten meanwhile, or another one began in its place."""
        with self._opened(now) as database:
            database.execute(f"UPDATE sign_in SET answer = ? WHERE {_ONE}", (answer, *_key(identity, sign_in, occasion)))  # noqa: S608 - our own words

    def times(self, now: datetime, patience: float | None = None) -> Mapping[str, datetime]:
        """The last sign-in for each mailbox, by address in small letters; `patience` is as of `StateFile.opened`."""
        with self._opened(now, patience) as database:
            return {mailbox: _read(at) for mailbox, at in database.execute("SELECT mailbox, max(at) FROM sign_in GROUP BY mailbox")}

    def last_of(self, account: bytes, mailbox: str, endpoint: str, now: datetime) -> datetime | None:
        """When an account signed in last for a mailbox at an endpoint, with whichever credential; None where it did not, within the 15 minutes."""
        with self._opened(now) as database:
            wanted = (account, mailbox.lower(), endpoint)
            (at,) = database.execute("SELECT max(at) FROM sign_in WHERE account = ? AND mailbox = ? AND endpoint = ?", wanted).fetchone()
        return None if at is None else _read(at)

    def forget(self, account: bytes | None) -> int:
        """Forget the sign-ins of an account, or all of them; gives how many there were."""
        with _STORED.opened(self._folder) as database:
            if account is None:
                return database.execute("DELETE FROM sign_in").rowcount
            return database.execute("DELETE FROM sign_in WHERE account = ?", (account,)).rowcount

    def erase(self, address: NamedAddress) -> int:
        """Erase the sign-ins for a mailbox, and the answers of others that name it; gives how many there were."""

        def dropped(database: sqlite3.Connection) -> int:
            erased = drop_rows(database, "sign_in", "mailbox", address.is_it)
            others = database.execute("SELECT rowid, answer FROM sign_in WHERE answer IS NOT NULL")
            naming = [(row,) for row, answer in others if is_in_packed(address, answer)]
            database.executemany("UPDATE sign_in SET answer = NULL WHERE rowid = ?", naming)
            return erased + len(naming)

        return _STORED.erase(self._folder, dropped)

    @contextmanager
    def _opened(self, now: datetime, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """The file, with what is too old erased. Where the clock was set back, what is written down as later counts from now: never too early, and never for long."""
        with _STORED.opened(self._folder, patience) as database:
            moment = now.timestamp()
            database.execute("DELETE FROM sign_in WHERE at <= ?", (moment - SIGN_INS_APART.total_seconds(),))
            database.execute("UPDATE sign_in SET at = ?, until = until - (at - ?) WHERE at > ?", (moment,) * 3)
            yield database


_ONE = "identity = ? AND mailbox = ? AND endpoint = ? AND prober = ? AND occasion = ?"


def _key(identity: bytes, sign_in: MailboxSignIn, occasion: bytes) -> tuple[bytes | str, ...]:
    return identity, sign_in.mailbox.lower(), sign_in.endpoints[0], sign_in.prober, occasion


def _in_the_way(database: sqlite3.Connection, identity: bytes, sign_in: MailboxSignIn, occasion: bytes) -> LastSignIn | None:
    marks = ",".join("?" * len(sign_in.endpoints))
    rows = database.execute(
        f"SELECT endpoint, prober, occasion, way, counts, at, until, answer FROM sign_in WHERE identity = ? AND mailbox = ? AND endpoint IN ({marks})",  # noqa: S608 - marks alone
        (identity, sign_in.mailbox.lower(), *sign_in.endpoints),
    ).fetchall()
    found: list[LastSignIn] = []
    for endpoint, prober, when, way, counts, at, until, answer in rows:
        is_own = prober == sign_in.prober and endpoint == sign_in.endpoints[0]
        if is_own or when != occasion:
            found.append(LastSignIn(_read(at), _read(until), is_own, is_own and way == sign_in.way, counts, answer if is_own else None))
    return max(found, key=lambda one: (one.is_own, one.at), default=None)


def _read(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
