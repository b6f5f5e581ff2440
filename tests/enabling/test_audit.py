"""The audit: whole after whatever ended the last process, nobody else's to read, and one process's at a time."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probe.enabling import AlreadyEnabling, Audit
from probe.enabling.audit import NAME
from probe.memory import Folder, MemoryUnavailable

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


def an_audit(folder: Path) -> Audit:
    return Audit(Folder(folder), lambda: NOW)


def test_lines_are_kept_in_order(tmp_path: Path) -> None:
    """Each with its time; the file is its owner's alone."""
    with an_audit(tmp_path) as audit:
        audit.write({"id": "1"})
        audit.write({"id": "2\n"})
        assert list(audit.lines()) == [{"at": "2026-11-29T08:00:00.000Z", "id": one} for one in ("1", "2\n")]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / NAME).read_text().splitlines()) == 2


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    """The next may have it once the first has let go."""
    with an_audit(tmp_path), pytest.raises(AlreadyEnabling), an_audit(tmp_path):
        pass
    with an_audit(tmp_path) as audit:
        assert list(audit.lines()) == []


@pytest.mark.parametrize("whole", [b"", b'{"id": "1"}\n', b'{"id": "1"}\n' * 20_000])
def test_wherever_it_was_torn_it_is_mended(tmp_path: Path, whole: bytes) -> None:
    """The whole lines stay as they are, what follows them becomes a text, however long; once only."""
    line = b'{"at": "2026-11-29T08:00:00.000Z", "id": "' + b"x" * 70_000
    for length in (1, 20, len(line)):
        (tmp_path / NAME).write_bytes(whole + line[:length])
        (tmp_path / NAME).chmod(0o600)
        (tmp_path / f"{NAME}.new").write_bytes(b"left by one that was killed in the middle of it")
        for _ in range(2):
            with an_audit(tmp_path) as audit:
                *before, last = audit.lines()
            assert len(before) == whole.count(b"\n")
            assert last["torn"].encode() == line[:length]
        assert (tmp_path / NAME).read_bytes().startswith(whole)
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_line_that_is_being_written_is_none_yet(tmp_path: Path) -> None:
    """Whoever reads beside the process that writes reads whole lines; one in the middle that is none is an error."""
    (tmp_path / NAME).write_bytes(b'{"id": "1"}\n{"id": ')
    (tmp_path / NAME).chmod(0o600)
    assert list(an_audit(tmp_path).lines()) == [{"id": "1"}]
    (tmp_path / NAME).write_bytes(b'{"id": \n{"id": "1"}\n')
    with pytest.raises(MemoryUnavailable, match="line 1 of"):
        list(an_audit(tmp_path).lines())


def test_a_disk_that_is_full_lets_nothing_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that could not be written whole ends it for this process; the next mends it."""
    write = os.write
    with an_audit(tmp_path) as audit:
        audit.write({"id": "1"})

        def fills_up(descriptor: int, data: bytes | memoryview) -> int:
            if len(data) < 12:
                raise OSError(28, "No space left on device")
            return write(descriptor, bytes(data)[: len(data) - 10])

        monkeypatch.setattr(os, "write", fills_up)
        with pytest.raises(MemoryUnavailable, match="No space left"):
            audit.write({"id": "2"})
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(MemoryUnavailable, match="a moment ago"):
            audit.write({"id": "3"})
    with an_audit(tmp_path) as audit:
        assert [sorted(line) for line in audit.lines()] == [["at", "id"], ["at", "torn"]]


@pytest.mark.parametrize("line", ["[]", "nonsense", ""])
def test_a_line_that_cannot_be_read_is_not_passed_over(tmp_path: Path, line: str) -> None:
    """What it records would be asked for again."""
    with an_audit(tmp_path) as audit:
        audit.write({"id": "1"})
    with (tmp_path / NAME).open("a") as file:
        file.write(f"{line}\n")
    with an_audit(tmp_path) as audit, pytest.raises(MemoryUnavailable, match="line 2 of"):
        list(audit.lines())


def test_a_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    """Somebody has changed it, and it may be no more what it was."""
    (tmp_path / NAME).write_text(json.dumps({}) + "\n")
    (tmp_path / NAME).chmod(0o644)
    with pytest.raises(MemoryUnavailable, match="can be read"), an_audit(tmp_path):
        pass
