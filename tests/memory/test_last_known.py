"""What Dynamics' records said last, as it is kept."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.memory import LastKnown, Memory, MemoryUnavailable, last_known
from probe.memory.last_known import KEPT, MOST_CHARACTERS
from probe.model.kinds import Json

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
A, B = "a@contoso.test", "b@contoso.test"
SAID: Mapping[str, Json] = {"dynamics.approved": True, "dynamics.last_error": "Ä"}


def kept(folder: Path) -> LastKnown:
    """What is kept in a folder, in which something is said of two mailboxes."""
    last = Memory(folder).last_known
    last.keep("here", NOW, {A: SAID, B: SAID}, is_whole=True)
    return last


def test_what_was_said_is_known_again_with_its_time(tmp_path: Path) -> None:
    """By another program too; of those alone that are asked for, and of this place alone."""
    kept(tmp_path)
    last = Memory(tmp_path).last_known
    assert last.known("here", [A, "c@contoso.test"], NOW) == {A: (NOW, SAID)}
    assert last.known("there", [A], NOW) == {}
    assert set(last.known("here", [A, *map(str, range(2000)), B], NOW)) == {A, B}


def test_a_part_leaves_the_rest_and_a_whole_does_not(tmp_path: Path) -> None:
    """What was read of one mailbox says nothing of another; a listing of all says that another is gone."""
    last, later = kept(tmp_path), NOW + timedelta(minutes=5)
    last.keep("here", later, {A: {}}, is_whole=False)
    assert last.known("here", [A, B], later) == {A: (later, {}), B: (NOW, SAID)}
    last.keep("there", NOW, {B: SAID}, is_whole=True)
    last.keep("here", later, {A: {}}, is_whole=True)
    assert set(last.known("here", [A, B], later)) == {A}
    assert set(last.known("there", [A, B], later)) == {B}


def test_it_is_bounded_in_age_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too old is not known, and then gone; of too many those go that were read longest ago; what is too long is not kept."""
    last, late = kept(tmp_path), NOW + KEPT + timedelta(seconds=1)
    assert last.known("here", [A], late) == {}
    last.keep("there", late, {A: SAID}, is_whole=True)
    assert last.known("here", [A], NOW) == {}
    monkeypatch.setattr(last_known, "MOST_SUBJECTS", 2)
    last.keep("there", late + timedelta(seconds=1), {B: SAID, "c": SAID, "d": {"x": "x" * MOST_CHARACTERS}}, is_whole=False)
    assert set(last.known("there", [A, B, "c", "d"], late)) == {B, "c"}


def test_all_of_it_is_forgotten(tmp_path: Path) -> None:
    """And nothing of it is left in the file."""
    last = kept(tmp_path)
    assert last.forget() == 2
    assert last.known("here", [A, B], NOW) == {}
    assert b"contoso" not in (tmp_path / "dynamics.sqlite").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """It names people."""
    kept(tmp_path)
    assert (tmp_path / "dynamics.sqlite").stat().st_mode & 0o077 == 0


def test_a_file_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    """It is read again from Dynamics, whatever it was."""
    last = kept(tmp_path)
    with closing(sqlite3.connect(tmp_path / "dynamics.sqlite")) as database:
        database.execute("PRAGMA user_version = 9")
    assert last.known("here", [A], NOW) == {}


@pytest.mark.parametrize("damage", ["file", "row"])
def test_what_is_damaged_is_told(tmp_path: Path, damage: str) -> None:
    """As unavailable, which costs nobody a run."""
    last = kept(tmp_path)
    file = tmp_path / "dynamics.sqlite"
    if damage == "file":
        file.write_bytes(b"x" * 10_000)
    else:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE state SET facts = '{'")
    with pytest.raises(MemoryUnavailable, match=r"dynamics\.sqlite"):
        last.known("here", [A], NOW)
