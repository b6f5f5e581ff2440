"""The record of all that Dynamics is asked for: `audit.jsonl` in the state folder, one object a line, each on the disk before anything follows from it.

Whoever has it open is the only one who asks: the system lets go of the lock when a process ends, however it ends. A line that a crash of the machine tore
is kept as the text of a line of its own; what it was to record had not begun.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from probe.memory import Folder, Locked, MemoryUnavailable
from probe.model.kinds import Json

NAME = "audit.jsonl"
_LOCK = "enabling.lock"
_CHUNK = 64 * 1024
_UNDER_WAY = "another `probe gate --enable` is under way on this machine, or Test & Enable from the page; nothing was asked of Dynamics"


class AlreadyEnabling(Exception):
    """Somebody else asks Dynamics for Test & Enable, in this process or another."""


class Audit:
    """`with` it: nobody else asks Dynamics meanwhile. Raises AlreadyEnabling and MemoryUnavailable."""

    def __init__(self, folder: Folder, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._stack = contextlib.ExitStack()
        self._file = -1
        self._is_torn = False

    def __enter__(self) -> Audit:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._folder.locked(_LOCK))
            except Locked:
                raise AlreadyEnabling(_UNDER_WAY) from None
            self._mend()
            self._file = self._kept(stack, NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            _sync_folder(self._folder.path)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._folder.path / NAME

    def write(self, line: Mapping[str, Json]) -> None:
        """Add a line, with the time, and wait until it is on the disk. Raises MemoryUnavailable; then nothing may follow that it was to record."""
        if self._is_torn:
            raise MemoryUnavailable(f"{self.path} could not be written a moment ago")
        try:
            _write_whole(self._file, _line({"at": _moment(self._clock()), **line}))
        except OSError as failed:
            self._is_torn = True
            raise MemoryUnavailable(f"{self.path} cannot be written: {failed.strerror}") from failed

    def lines(self) -> Iterator[dict[str, Any]]:
        """As `kept_lines`."""
        return kept_lines(self._folder)

    def _kept(self, stack: contextlib.ExitStack, name: str, flags: int) -> int:
        descriptor = self._folder.opened(name, flags)
        stack.callback(os.close, descriptor)
        return descriptor

    def _mend(self) -> None:
        """Make a last line that has no end a text in a line of its own. The file is replaced as a whole, so that this, too, may be cut short."""
        try:
            with os.fdopen(self._folder.opened(NAME, os.O_RDONLY | os.O_CREAT), "rb") as source:
                whole, torn = _parted(source.fileno())
                if not torn:
                    return
                beside = self.path.with_name(f"{NAME}.new")
                beside.unlink(missing_ok=True)
                target = self._folder.opened(beside.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                try:
                    source.seek(0)
                    while whole > 0 and (data := source.read(min(_CHUNK, whole))):
                        _written(target, data)
                        whole -= len(data)
                    _write_whole(target, _line({"at": _moment(self._clock()), "torn": torn.decode("utf-8", "backslashreplace")}))
                finally:
                    os.close(target)
            beside.replace(self.path)
            _sync_folder(self._folder.path)
        except OSError as failed:
            raise MemoryUnavailable(f"{self.path} cannot be mended: {failed.strerror}") from failed


def kept_lines(folder: Folder) -> Iterator[dict[str, Any]]:
    """All whole lines of the audit of a folder, the oldest first; none where there is no audit.

    Raises MemoryUnavailable for one that cannot be read, since what it records would be asked for again.
    """
    if not folder.holds(NAME):
        return
    with os.fdopen(folder.opened(NAME, os.O_RDONLY), "rb") as source:
        for number, line in enumerate(source, start=1):
            if not line.endswith(b"\n"):
                return  # a process writes it just now, or was killed in the middle of it
            try:
                form = json.loads(line)
            except (ValueError, RecursionError):
                form = None
            if not isinstance(form, dict):
                raise MemoryUnavailable(
                    f"line {number} of {folder.path / NAME} is no JSON object: set it right, or move the file elsewhere"
                )
            yield form


def _parted(descriptor: int) -> tuple[int, bytes]:
    """How many bytes are whole lines, and what follows them."""
    size = os.fstat(descriptor).st_size
    torn = b""
    while size:
        start = max(0, size - _CHUNK)
        os.lseek(descriptor, start, os.SEEK_SET)
        data = os.read(descriptor, size - start)
        whole, end, rest = data.rpartition(b"\n")
        torn = rest + torn
        if end:
            return start + len(whole) + 1, torn
        size = start
    return 0, torn


def _line(form: Mapping[str, Json]) -> bytes:
    return json.dumps(form).encode("ascii") + b"\n"


def _written(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _write_whole(descriptor: int, data: bytes) -> None:
    _written(descriptor, data)
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is on the disk once the folder is; Windows has no such call, and needs none."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
