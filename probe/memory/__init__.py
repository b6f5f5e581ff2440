"""What must outlive a run: sign-ins that were refused or whose result was not seen, and servers that asked for a pause.

It is one small SQLite file in a folder of this machine, so that a scheduled check, a service and an administrator share it. It is the
ledger of all sign-ins. A sign-in is claimed here, on the disk, before a proof of the credential is sent, and the claim is kept until
the server has accepted the sign-in. What is written depends on that alone, never on the text of a reply.

It contains no password. Account and password are identified by scrypt under a random key, which is stored beside the file and is
readable by its owner alone. Entries of successful sign-ins are deleted and overwritten.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from probe.memory.folder import FOLDER_VARIABLE, Folder, Locked, MemoryUnavailable, default_folder
from probe.memory.last_known import LastKnown
from probe.memory.sign_ins import SIGN_INS_APART, LastSignIn, MailboxSignIn, SignIns
from probe.memory.state_file import StateFile, strike
from probe.model.values import dataclass
from probe.probing.proofs import Ending

if TYPE_CHECKING:
    import sqlite3

    from probe.model.named_address import NamedAddress

__all__ = [
    "FOLDER_VARIABLE",
    "LEFT_ALONE",
    "PAUSES",
    "SIGN_INS_APART",
    "Folder",
    "Identity",
    "LastKnown",
    "LastSignIn",
    "Locked",
    "MailboxSignIn",
    "Memory",
    "MemoryUnavailable",
    "SignIns",
    "default_folder",
]

PAUSES = (timedelta(minutes=30), timedelta(hours=2), timedelta(days=1))
"""The pauses after the first, second and third proof in doubt; after the fourth, none is sent automatically.

Windows proposes to lock an account after 10 wrong passwords, and counts on until 10 to 30 minutes have passed without one (learn.microsoft.com,
"Reset account lockout counter after"; 2026-11); so each try after a shorter pause adds one to the count.
"""
PLAIN_REFUSALS = 2
"""The weight of a refusal that does not name the credential. It is more likely a wrong password than silence is, so the first pause is skipped."""
MARGIN = timedelta(minutes=1)
"""How much longer a claim is kept than the longest sign-in that it was made for."""
LEFT_ALONE = timedelta(minutes=5)
"""The shortest pause for a server that asked for one before a proof was sent."""
LONGEST_REST = timedelta(hours=1)
"""The longest pause that a server may ask for: LOGIN-DELAY of RFC 2449 is in seconds, and the longest that was seen is 900."""
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
"""16 MB and about 50 ms for one guess, as scrypt's paper proposes for sign-ins. A run with 10,000 passwords needs that 10,000 times."""
_ONE_GUESS = threading.Lock()
"""Makes a run with many passwords use these megabytes once, not once in each thread."""
_TABLES = """
CREATE TABLE login (
    identity BLOB NOT NULL,     -- scrypt of user name and password
    place TEXT NOT NULL,        -- the one place that it is for; empty: everywhere
    account BLOB NOT NULL,      -- keyed hash of the user name alone
    state TEXT NOT NULL,        -- claimed, doubtful, refused
    tries INTEGER NOT NULL,     -- proofs in doubt that count for the pause, this one included
    claims INTEGER NOT NULL,    -- how many sign-ins of `run` are in progress
    run BLOB NOT NULL,
    subject TEXT NOT NULL,      -- where the last proof was sent
    at TEXT NOT NULL,           -- when it was sent
    until TEXT,                 -- when the next may be sent; NULL: not automatically
    PRIMARY KEY (identity, place)
) STRICT;
CREATE TABLE rest (
    account BLOB NOT NULL,      -- keyed hash of the user name; empty: every account
    subject TEXT NOT NULL,      -- where
    until TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account, subject)
) STRICT;
"""
_STORED = StateFile(
    name="memory.sqlite",
    # Entries of versions 1 and 2 use a hash that can be guessed, and cannot be carried over.
    version=3,
    begins_anew=("login", "rest"),
    tables=_TABLES,
    overwrites=True,
)
_COLUMNS = "state, tries, claims, run, subject, at, until"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user name with a password, in the form that the memory stores."""

    identity: bytes
    account: bytes


class _SignInState(NamedTuple):
    """What is known of the sign-ins of one identity."""

    state: str
    tries: int
    claims: int
    run: bytes
    subject: str
    at: str
    until: str | None

    def bars(self, now: datetime, run: bytes, longest: timedelta | None) -> str | None:
        """Why no proof may be sent now; None where one may. Claims of the same run do not forbid it.

        `longest` is given where a person wants the proof sent now: what one sign-in may take. A pause is for programs, which try again by themselves.
        """
        when = f"{self.at[:10]} {self.at[11:16]} UTC"
        if self.state == "refused":
            return f"these credentials were refused by {self.subject} on {self.at[:10]}; they are not tried again until they change, or after `probe forget`"
        if self.state == "claimed" and self.claims and self.run == run:
            return None
        if self.until is None:
            return (
                f"{self.tries} sign-ins with these credentials were not accepted, the last at {self.subject} on {when}, but none was clearly "
                "refused; no other is tried automatically until the credentials change, or after `probe forget`"
            )
        if self.until <= _moment(now):
            return None
        if longest is not None and (self.state == "doubtful" or self.at <= _moment(now - longest)):
            return None
        what = (
            "was begun, and its result was not seen"
            if self.state == "claimed"
            else "was not accepted, which may have counted as a wrong password"
        )
        return (
            f"a sign-in with these credentials at {self.subject} on {when} {what}; the next is tried after {self.until[:10]} {self.until[11:16]} UTC, "
            "once they change, or after `probe forget`"
        )


class Memory:
    """The memory in one folder. Each call opens and closes the file, takes a few milliseconds, and may be made in any thread."""

    def __init__(self, folder: Path | Callable[[], Path]) -> None:
        """`folder` may be a function that returns it when it is needed, such as `default_folder`."""
        self._folder = Folder(folder)
        self._run = secrets.token_bytes(16)

    @property
    def last_known(self) -> LastKnown:
        """What Dynamics' records said last, in the same folder."""
        return LastKnown(self._folder)

    @property
    def sign_ins(self) -> SignIns:
        """The sign-ins of the last 15 minutes, in the same folder."""
        return SignIns(self._folder)

    def account(self, username: str) -> bytes:
        """What stands for a user name, whatever the password. Raises MemoryUnavailable."""
        return _account(_name(username), self._folder.key())

    def identity(self, username: str, password: str) -> Identity:
        """The identity of a user name and password. Takes about 50 ms. Raises MemoryUnavailable."""
        key, name = self._folder.key(), _name(username)
        whole = name + b"\0" + password.encode("utf-8", "surrogateescape")
        with _ONE_GUESS:
            return Identity(hashlib.scrypt(whole, salt=key, **_SCRYPT), _account(name, key))

    def barred(self, identity: Identity, now: datetime, place: str = "", longest: timedelta | None = None) -> str | None:
        """Why no proof of these credentials may be sent now; None where one may. Claims nothing.

        `longest` is given where a person wants it sent, and is what a sign-in may take: only a refusal, a fourth proof in doubt, and a sign-in that may be
        under way bar the credentials then.
        """
        with self._open() as database:
            return self._bars(database, identity, now, place, longest)

    def claim(
        self, identity: Identity, subject: str, now: datetime, longest: timedelta, place: str = "", *, by_a_person: bool = False
    ) -> str | None:
        """Claim a sign-in; returns why not where the credentials are barred. Only one of several programs that ask at once gets the claim.

        `longest` is the time that the sign-in may take. A claim that is not ended counts as a sign-in whose result was not seen, from the moment at which it
        was made. With a `place`, the result bars the credentials only there. `by_a_person`: as in `barred`.
        """
        with self._open() as database:
            if reason := self._bars(database, identity, now, place, longest if by_a_person else None):
                return reason
            entry = self._entry(database, identity, place)
            is_beside = entry is not None and entry.state == "claimed" and entry.claims > 0 and entry.run == self._run
            tries, claims = (entry.tries, entry.claims + 1) if entry and is_beside else (entry.tries + 1 if entry else 1, 1)
            pause = _pause(tries)
            until = None if pause is None else _moment(now + max(pause, longest + MARGIN))
            row = (identity.identity, place, identity.account, "claimed", tries, claims, self._run, subject, _moment(now), until)
            database.execute("INSERT OR REPLACE INTO login VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return None

    def release(self, identity: Identity, place: str = "") -> None:
        """Undo a claim after which no proof was sent."""
        with self._open() as database:
            if (entry := self._claimed(database, identity, place)) is None:
                return
            if entry.claims > 1 or entry.state != "claimed":
                self._change(database, identity, place, claims=entry.claims - 1)
            elif entry.tries > 1:
                # Earlier proofs in doubt stay so; their pause was over.
                self._change(database, identity, place, state="doubtful", tries=entry.tries - 1, claims=0, until=entry.at)
            else:
                self._delete(database, identity, place)

    def end(self, identity: Identity, ending: Ending, now: datetime, place: str = "") -> None:
        """Record the result of a claimed sign-in."""
        with self._open() as database:
            entry = self._claimed(database, identity, place)
            if entry is None or entry.state == "refused":
                return
            match ending:
                case Ending.ACCEPTED if entry.claims == 1 and entry.state == "claimed":
                    self._delete(database, identity, place)
                case Ending.ACCEPTED:
                    self._change(database, identity, place, claims=entry.claims - 1)
                case Ending.REFUSED:
                    self._change(database, identity, place, state="refused", claims=0, until=None)
                case Ending.TURNED_DOWN | Ending.UNSEEN:
                    tries = max(entry.tries, PLAIN_REFUSALS) if ending is Ending.TURNED_DOWN else entry.tries
                    pause = _pause(tries)
                    until = None if pause is None else _moment(now + pause)
                    self._change(database, identity, place, state="doubtful", tries=tries, claims=entry.claims - 1, until=until)

    def rest(self, identity: Identity | None, subject: str, wanted: timedelta, reason: str, now: datetime) -> None:
        """Record that a server wants no login of an account, or of any account, for a time. Never shortens an earlier pause."""
        account, until = identity.account if identity else b"", now + min(wanted, LONGEST_REST)
        with self._open() as database:
            database.execute("DELETE FROM rest WHERE until <= ?", (_moment(now),))
            database.execute(
                "INSERT INTO rest VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason WHERE until < excluded.until",
                (account, subject, _moment(until), reason),
            )

    def resting(self, identity: Identity, subject: str, now: datetime) -> str | None:
        """Why an account may not sign in to a server now; None where it may."""
        with self._open() as database:
            row = database.execute(
                "SELECT reason, until FROM rest WHERE account IN (?, ?) AND subject = ? AND until > ? AND until <= ? ORDER BY until DESC",
                # A clock that was set back must not turn a pause of an hour into one of years.
                (identity.account, b"", subject, _moment(now), _moment(now + LONGEST_REST)),
            ).fetchone()
        return None if row is None else f"{row[0]}; no login is tried until {row[1][11:19]} UTC"

    def forget(self, username: str | None = None) -> int:
        """Forget what is known of the sign-ins of an account, or of all. Returns the number of entries."""
        with self._open() as database:
            if username is None:
                return database.execute("DELETE FROM login").rowcount + database.execute("DELETE FROM rest").rowcount
            account = (self.account(username),)
            logins = database.execute("DELETE FROM login WHERE account = ?", account).rowcount
            return logins + database.execute("DELETE FROM rest WHERE account = ?", account).rowcount

    def erase(self, address: NamedAddress) -> int:
        """Erase an address from the words of servers; gives how many. What bars sign-ins stays: it names nobody, and keeps an account from being locked."""
        return _STORED.erase(self._folder, lambda database: strike(database, "rest", address))

    def bars_on(self, username: str, now: datetime) -> tuple[str, ...]:
        """Why no sign-in of a user name is tried now, whatever its password: each reason once. Empty where nothing bars it. Claims nothing."""
        if not self._folder.holds(_STORED.name):
            return ()
        account = (_account(_name(username), self._folder.key()),)
        with self._open() as database:
            entries = database.execute(f"SELECT {_COLUMNS} FROM login WHERE account = ? ORDER BY at", account).fetchall()  # noqa: S608 - our own columns
            rests = database.execute(
                "SELECT reason, until, subject FROM rest WHERE account = ? AND until > ?", (*account, _moment(now))
            ).fetchall()
        reasons = [why for entry in entries if (why := _SignInState(*entry).bars(now, self._run, None))]
        reasons += [f"{reason}; no login at {subject} is tried until {until[11:19]} UTC" for reason, until, subject in rests]
        return tuple(dict.fromkeys(reasons))

    def passes_away(self) -> str | None:
        """As `Folder.passes_away`."""
        return self._folder.passes_away()

    def _bars(self, database: sqlite3.Connection, identity: Identity, now: datetime, place: str, longest: timedelta | None) -> str | None:
        """Why the credentials are barred, by the entries for the place and for everywhere; None where they are not."""
        for where in dict.fromkeys((place, "")):
            entry = self._entry(database, identity, where)
            if entry is not None and entry.at > _moment(now) and entry.until is not None:
                # The clock was set back. Counting from now is never too early, and a pause of a day does not become one of years.
                pause = _pause(entry.tries) or PAUSES[-1]
                self._change(database, identity, where, at=_moment(now), until=_moment(now + pause))
                entry = self._entry(database, identity, where)
            if entry is not None and (reason := entry.bars(now, self._run, longest)):
                return reason
        return None

    def _entry(self, database: sqlite3.Connection, identity: Identity, place: str) -> _SignInState | None:
        where = (identity.identity, place)
        row = database.execute(f"SELECT {_COLUMNS} FROM login WHERE identity = ? AND place = ?", where).fetchone()  # noqa: S608 - our own columns
        return None if row is None else _SignInState(*row)

    def _claimed(self, database: sqlite3.Connection, identity: Identity, place: str) -> _SignInState | None:
        """The entry, where it has a claim of this run; it may have been forgotten or claimed by another run meanwhile."""
        entry = self._entry(database, identity, place)
        return entry if entry is not None and entry.claims > 0 and entry.run == self._run else None

    @staticmethod
    def _change(database: sqlite3.Connection, identity: Identity, place: str, **values: str | int | None) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        entry = (*values.values(), identity.identity, place)
        database.execute(f"UPDATE login SET {names} WHERE identity = ? AND place = ?", entry)  # noqa: S608 - our own columns

    @staticmethod
    def _delete(database: sqlite3.Connection, identity: Identity, place: str) -> None:
        database.execute("DELETE FROM login WHERE identity = ? AND place = ?", (identity.identity, place))

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        """The file, locked against other writers until the end."""
        return _STORED.opened(self._folder)


def _name(username: str) -> bytes:
    return username.lower().encode("utf-8", "surrogateescape")


def _account(name: bytes, key: bytes) -> bytes:
    """A user name is not a secret; the key only keeps it from being readable."""
    return hashlib.blake2b(name, key=key).digest()


def _pause(tries: int) -> timedelta | None:
    """The pause after so many proofs in doubt; None where the next is not sent automatically."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


def _moment(at: datetime) -> str:
    """A time as the file stores it, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
