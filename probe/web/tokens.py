"""Tokens of the HTTP API: random, shown once, kept as hashes in the state folder, each with a scope and the time of its last use.

A token has 256 random bits, so that one round of SHA-256 keeps it: nobody can guess what is hashed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from probe.memory.folder import Folder
from probe.memory.state_file import StateFile

PREFIX = "probe_"
"""What a token begins with, so that it is recognised where it leaked."""
MOST_CHARACTERS = 100
"""Of what is looked at as a token; ours have 49."""
MOST_TOKENS = 1000
USE_KEPT_EACH = timedelta(minutes=1)
"""How exact the time of the last use is: it is not written more often."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_STORED = StateFile(
    name="tokens.sqlite",
    version=1,
    tables="""
CREATE TABLE token (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL,        -- read, check, admin
    hash BLOB NOT NULL,         -- SHA-256 of the token
    created TEXT NOT NULL,      -- in UTC
    used TEXT                   -- when it was last used, to the minute; NULL: never
) STRICT;
""",
    overwrites=True,
)


class TokenScope(StrEnum):
    """What a token may be used for; each includes those before it."""

    READ = "read"
    CHECK = "check"
    """Have checks held, and ask the gate."""
    ADMIN = "admin"
    """Ask for Test & Enable from the page."""

    def includes(self, other: TokenScope) -> bool:
        """Whether what wants the other scope may be done with this one."""
        members = list(TokenScope)
        return members.index(self) >= members.index(other)


class Token(NamedTuple):
    """A token, without what would prove it."""

    name: str
    scope: TokenScope
    created: datetime
    used: datetime | None


class StoredToken(NamedTuple):
    """A token and its hash."""

    token: Token
    hash: bytes


class Tokens:
    """The tokens of one state folder. Each method opens and closes the file; they raise MemoryUnavailable."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def create(self, name: str, scope: TokenScope, now: datetime) -> str:
        """A new token, which nothing keeps but its receiver. Raises ValueError with one sentence where the name will not do."""
        if not _NAME.fullmatch(name):
            raise ValueError("a token's name is of 1 to 64 letters, digits and . _ @ -, and begins with a letter or digit")
        token = PREFIX + secrets.token_urlsafe(32)
        with _STORED.opened(self._folder) as database:
            is_taken = database.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone() is not None
            is_full = database.execute("SELECT count(*) FROM token").fetchone()[0] >= MOST_TOKENS
            if not (is_taken or is_full):
                database.execute("INSERT INTO token VALUES (?, ?, ?, ?, NULL)", (name, scope.value, _hash(token), _moment(now)))
        if is_taken:
            raise ValueError(f"there is a token {name!r} already; revoke it first, or choose another name")
        if is_full:
            raise ValueError(f"there are {MOST_TOKENS} tokens already; revoke those that nobody uses")
        return token

    def revoke(self, name: str) -> bool:
        """Take a token back. False where there is none of that name."""
        with _STORED.opened(self._folder) as database:
            return database.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount > 0

    def all(self) -> list[Token]:
        """Every token, by name."""
        return sorted(known.token for known in self.known())

    def known(self) -> list[StoredToken]:
        """Every token with its hash."""
        with _STORED.opened(self._folder) as database:
            rows = database.execute("SELECT name, scope, created, used, hash FROM token").fetchall()
        return [
            StoredToken(Token(name, TokenScope(scope), _read_back(created), None if used is None else _read_back(used)), digest)
            for name, scope, created, used, digest in rows
        ]

    def note_use(self, name: str, now: datetime) -> None:
        """Keep when a token was last used."""
        with _STORED.opened(self._folder) as database:
            database.execute("UPDATE token SET used = ? WHERE name = ?", (_moment(now), name))

    def stamp(self) -> tuple[int, ...]:
        """What differs once the file was written to, replaced, or given to others. Looks at the file's entry alone. Raises MemoryUnavailable."""
        try:
            found = (self._folder.path / _STORED.name).stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def matching(known: Sequence[StoredToken], shown: str) -> Token | None:
    """The token that somebody showed; None where it is none of these. How long this takes does not tell how much of it was right."""
    digest, found = _hash(shown), None
    for one in known:
        if hmac.compare_digest(one.hash, digest):
            found = one.token
    return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _read_back(text: str) -> datetime:
    return datetime.fromisoformat(text)
