"""The folder of what outlives a run, and the files in it: nobody else may write there, and nothing in it is taken on trust."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")

FOLDER_VARIABLE = "PROBE_STATE_DIR"
"""Environment variable that names the folder, instead of the machine's own."""
KEY_BYTES = 32
MOST_DATABASE_BYTES = 64 * 1024 * 1024
"""Ten thousand accounts that are all barred take 3 MB."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_MAY_ANYTHING = stat.S_IRWXG | stat.S_IRWXO
_PASSING = frozenset({"tmpfs", "ramfs", "overlay", "aufs", "fuse.fuse-overlayfs"})
"""Kinds of file system that are gone with the machine or the container: what a container writes beside its volumes lies on one of these."""


class MemoryUnavailable(Exception):
    """What must be remembered cannot be read or written; the message says why."""


class Folder:
    """A folder of this machine, looked for and checked when it is used."""

    def __init__(self, named: Path | Callable[[], Path]) -> None:
        """`named` may be what names the folder when it is wanted, such as `default_folder`."""
        self._named = named

    @property
    def path(self) -> Path:
        """Where it is. Raises MemoryUnavailable where there is no place for one."""
        return self._named if isinstance(self._named, Path) else self._named()

    def key(self) -> bytes:
        """The random key of this folder, made when it is first asked for. Raises MemoryUnavailable."""
        return self._tried("key", self._read_key)

    def database(self, name: str = "memory.sqlite", most_bytes: int | None = MOST_DATABASE_BYTES) -> Path:
        """The file of a database, made and checked before SQLite opens it, so that nobody else may ever read it. Raises MemoryUnavailable."""
        return self._tried(name, lambda file: self._make_database(file, most_bytes))

    def passes_away(self) -> str | None:
        """One sentence where the folder is gone with the machine or the container that it is on; None where it lasts, or that cannot be told."""
        with contextlib.suppress(OSError, ValueError, MemoryUnavailable):
            kind = _file_system_of(self.path)
            if kind in _PASSING:
                return (
                    f"{self.path} is on a file system of kind {kind}, which does not last: refused sign-ins are forgotten with it, and a wrong "
                    f"password is then tried anew; name a folder that lasts in {FOLDER_VARIABLE}"
                )
        return None

    def _tried(self, name: str, work: Callable[[Path], _T]) -> _T:
        folder = self.path
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_folder(folder)
            return work(folder / name)
        except OSError as failed:
            raise MemoryUnavailable(f"{folder / name} cannot be used: {failed.strerror}") from failed

    def _read_key(self, file: Path) -> bytes:
        with contextlib.suppress(FileExistsError):
            # Whole or not at all, whoever else is at it.
            draft = file.with_name(f"key-{secrets.token_hex(8)}")
            with os.fdopen(_opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as target:
                target.write(secrets.token_bytes(KEY_BYTES))
            try:
                os.link(draft, file)
            finally:
                draft.unlink()
        with os.fdopen(_opened(file, os.O_RDONLY), "rb") as source:
            key = source.read(KEY_BYTES + 1)
        if len(key) != KEY_BYTES:
            raise MemoryUnavailable(f"{file} does not hold a key of {KEY_BYTES} bytes")
        return key

    def _make_database(self, file: Path, most_bytes: int | None) -> Path:
        descriptor = _opened(file, os.O_RDWR | os.O_CREAT)
        try:
            if most_bytes is not None and os.fstat(descriptor).st_size > most_bytes:
                raise MemoryUnavailable(f"{file} is larger than {most_bytes // 1024 // 1024} MiB, so it is not ours")
        finally:
            os.close(descriptor)
        return file


def _opened(file: Path, flags: int) -> int:
    """A descriptor of a regular file that is its owner's alone; a new one belongs to the folder's owner. Raises OSError and MemoryUnavailable."""
    # Neither a link is followed, nor a FIFO waited for.
    descriptor = os.open(file, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise MemoryUnavailable(f"{file} is no regular file")
        if os.name == "posix":
            if found.st_mode & _OTHERS_MAY_ANYTHING:
                raise MemoryUnavailable(f"{file} can be read or written by others; see who did that, then: chmod 600 {file}")
            owner = file.parent.stat()
            if found.st_uid not in (os.geteuid(), owner.st_uid, 0):
                raise MemoryUnavailable(f"{file} belongs to another user (uid {found.st_uid})")
            if os.geteuid() == 0 and found.st_uid == 0 != owner.st_uid:
                # An administrator who is first must not lock out the service that the folder belongs to.
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_folder(folder: Path) -> None:
    """Make sure that nobody but its owner, who is ourselves or may be trusted as much, writes there. Raises MemoryUnavailable.

    On Windows this is left to the access list: since 3.11.10 and 3.12.4 Python gives a folder of mode 700 to its owner and administrators alone.
    """
    if os.name != "posix":
        return
    found, me = folder.stat(), os.geteuid()
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise MemoryUnavailable(f"{folder} can be written to by others; see who did that, then: chmod 700 {folder}")
    if found.st_uid in (me, 0):
        return
    above = folder.resolve().parent.stat()
    # Root shares the folder of a service; but only root can have put it there.
    if me != 0 or above.st_uid != 0 or above.st_mode & _OTHERS_MAY_WRITE:
        raise MemoryUnavailable(f"{folder} belongs to another user (uid {found.st_uid})")


def default_folder() -> Path:
    """The machine's state folder for who may write there; else the user's own. Raises MemoryUnavailable where the user has no home."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "probe"
    machine = Path("/var/lib/probe")
    if os.access(machine if machine.exists() else machine.parent, os.W_OK):
        return machine
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "probe"
    except RuntimeError:
        raise MemoryUnavailable(f"this user has no home folder; name a folder for what is remembered in {FOLDER_VARIABLE}") from None


def _file_system_of(path: Path) -> str | None:
    """The kind of file system that a path is on, or will be once it is made; None where this system does not tell."""
    table = Path("/proc/self/mountinfo")
    if not table.exists():
        return None
    whole = path.resolve()
    longest, kind = "", None
    for line in table.read_text("utf-8", "surrogateescape").splitlines():
        # proc(5): ID, parent, device, root, mount point, options, optional fields, a hyphen, the kind.
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        # Of two mounts on one point the later hides the earlier.
        if whole.is_relative_to(point) and len(point) >= len(longest):
            longest, kind = point, after.split(" ")[0]
    return kind
