"""The folder of the memory and its files: nobody else may write there, and every file is checked before use."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")

FOLDER_VARIABLE = "PROBE_STATE_DIR"
"""Environment variable that names the folder, instead of the machine's own."""
KEY_BYTES = 32
MOST_DATABASE_BYTES = 64 * 1024 * 1024
"""Ten thousand barred accounts take 3 MB."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_MAY_ANYTHING = stat.S_IRWXG | stat.S_IRWXO
_PASSING = frozenset({"tmpfs", "ramfs", "overlay", "aufs", "fuse.fuse-overlayfs"})
"""Types of file system that do not outlive the machine or the container. A container writes to one of these outside its volumes."""


class Locked(Exception):
    """Another process holds the lock."""


class MemoryUnavailable(Exception):
    """The memory cannot be read or written; the message says why."""


class Folder:
    """A folder of this machine, which is looked up and checked when it is used."""

    def __init__(self, named: Path | Callable[[], Path]) -> None:
        """`named` may be a function that returns the folder when it is needed, such as `default_folder`."""
        self._named = named

    @property
    def path(self) -> Path:
        """Its path. Raises MemoryUnavailable where there is no place for it."""
        return self._named if isinstance(self._named, Path) else self._named()

    def key(self) -> bytes:
        """The random key of this folder, created at the first call. Raises MemoryUnavailable."""
        return self._tried("key", self._read_key)

    def database(self, name: str = "memory.sqlite", most_bytes: int | None = MOST_DATABASE_BYTES) -> Path:
        """A database file, created and checked before SQLite opens it, so that nobody else can ever read it. Raises MemoryUnavailable."""
        return self._tried(name, lambda file: _make_database(file, most_bytes))

    def holds(self, name: str) -> bool:
        """Whether there is a file of this name; makes nothing, the folder neither. Raises MemoryUnavailable where there is no place for the folder."""
        return os.path.lexists(self.path / name)

    def opened(self, name: str, flags: int) -> int:
        """A descriptor of a file that is its owner's alone, made where `flags` say so. Raises MemoryUnavailable."""
        return self._tried(name, lambda file: _opened(file, flags))

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock that one process has at a time, and that the system lets go of however it ends. Raises Locked and MemoryUnavailable."""
        descriptor = self.opened(name, os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def passes_away(self) -> str | None:
        """One sentence where the folder does not outlive its machine or container; None where it does, or where that is not known."""
        with contextlib.suppress(OSError, ValueError, MemoryUnavailable):
            kind = _file_system_of(self.path)
            if kind in _PASSING:
                return (
                    f"{self.path} is on a file system of kind {kind}, which is not persistent: refused sign-ins are lost with it, and a wrong "
                    f"password is then tried again; name a persistent folder in {FOLDER_VARIABLE}"
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
            # Complete or not at all, even with other programs writing.
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


def _lock(descriptor: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Locked from None


def _make_database(file: Path, most_bytes: int | None) -> Path:
    descriptor = _opened(file, os.O_RDWR | os.O_CREAT)
    try:
        if most_bytes is not None and os.fstat(descriptor).st_size > most_bytes:
            raise MemoryUnavailable(f"{file} is larger than {most_bytes // 1024 // 1024} MiB, so it is not a file of probe")
    finally:
        os.close(descriptor)
    return file


def _opened(file: Path, flags: int) -> int:
    """A descriptor of a regular file that only its owner can access; a new file belongs to the folder's owner. Raises OSError and MemoryUnavailable."""
    # No link is followed, and no FIFO is waited for.
    descriptor = os.open(file, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise MemoryUnavailable(f"{file} is not a regular file")
        if os.name == "posix":
            if found.st_mode & _OTHERS_MAY_ANYTHING:
                raise MemoryUnavailable(f"{file} can be read or written by others; find out why, then run: chmod 600 {file}")
            owner = file.parent.stat()
            if found.st_uid not in (os.geteuid(), owner.st_uid, 0):
                raise MemoryUnavailable(f"{file} belongs to another user (uid {found.st_uid})")
            if os.geteuid() == 0 and found.st_uid == 0 != owner.st_uid:
                # An administrator who runs first must not lock out the service that owns the folder.
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_folder(folder: Path) -> None:
    """Make sure that only its owner can write there, and that the owner is this user, root or, for root, a service. Raises MemoryUnavailable.

    On Windows the access list ensures this: since 3.11.10 and 3.12.4, Python restricts a folder of mode 700 to its owner and administrators.
    """
    if os.name != "posix":
        return
    found, me = folder.stat(), os.geteuid()
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise MemoryUnavailable(f"{folder} can be written to by others; find out why, then run: chmod 700 {folder}")
    if found.st_uid in (me, 0):
        return
    above = folder.resolve().parent.stat()
    # Root shares the folder of a service, and only root can have created it there.
    if me != 0 or above.st_uid != 0 or above.st_mode & _OTHERS_MAY_WRITE:
        raise MemoryUnavailable(f"{folder} belongs to another user (uid {found.st_uid})")


def default_folder() -> Path:
    """The machine's state folder where this user may write there; else the user's own. Raises MemoryUnavailable where the user has no home."""
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
        raise MemoryUnavailable(f"this user has no home folder; name a folder for the program's memory in {FOLDER_VARIABLE}") from None


def _file_system_of(path: Path) -> str | None:
    """The type of file system of a path, or of its future location; None where this system does not report it."""
    table = Path("/proc/self/mountinfo")
    if not table.exists():
        return None
    whole = path.resolve()
    longest, kind = "", None
    for line in table.read_text("utf-8", "surrogateescape").splitlines():
        # proc(5): ID, parent, device, root, mount point, options, optional fields, a hyphen, the kind.
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        # Of two mounts on one point, the later hides the earlier.
        if whole.is_relative_to(point) and len(point) >= len(longest):
            longest, kind = point, after.split(" ")[0]
    return kind
