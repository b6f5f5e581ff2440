"""A file of the state folder: what is erased from it is in none of its bytes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from probe.memory import Folder, MemoryUnavailable, state_file
from probe.memory.state_file import StateFile, drop_rows, strike
from probe.model.named_address import NamedAddress

JANA = NamedAddress("jana@contoso.test")
TABLES = """
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    about TEXT NOT NULL UNIQUE,
    said TEXT
) STRICT;
"""


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("wal", [False, True], ids=["journal", "wal"])
def test_what_is_erased_is_in_no_byte_of_the_files(tmp_path: Path, wal: bool) -> None:
    """Nor is what was deleted before without being overwritten; what stays is as it was."""
    stored, folder = StateFile(name="notes.sqlite", version=1, tables=TABLES, wal=wal), Folder(tmp_path / "state")
    with stored.opened(folder) as database:
        database.executemany("INSERT INTO note (about, said) VALUES (?, ?)", [(f"jana@contoso.test {n}", "x" * 500) for n in range(200)])
        database.execute("INSERT INTO note (about, said) VALUES ('other', NULL)")
    # Somebody has it open, so that SQLite leaves beside it what it wrote.
    with closing(sqlite3.connect(tmp_path / "state" / "notes.sqlite")) as other:
        other.execute("SELECT count(*) FROM note").fetchone()
        with stored.opened(folder) as database:
            database.execute("DELETE FROM note WHERE id < 100")
        assert b"jana@" in bytes_of(tmp_path / "state")
        assert stored.erase(folder, lambda database: drop_rows(database, "note", "about", JANA.is_in)) == 101
        assert b"jana@" not in bytes_of(tmp_path / "state")
    with stored.opened(folder) as database:
        assert database.execute("SELECT about, said FROM note").fetchall() == [("other", None)]


def test_an_address_is_struck_in_words_and_in_json(tmp_path: Path) -> None:
    """With escapes or without; rows that become alike are one."""
    stored, folder = StateFile(name="notes.sqlite", version=1, tables=TABLES), Folder(tmp_path / "state")
    with stored.opened(folder) as database:
        said = '{"to":["j\\u00f6rg@contoso.test"],"said":"\\njana@contoso.test"}'
        rows = [("JANA@contoso.test", None), ("jana@contoso.test", None), ('["x"]', said), ("2026-11-30", "no JSON"), ("n", "42")]
        database.executemany("INSERT INTO note (about, said) VALUES (?, ?)", rows)
    assert stored.erase(folder, lambda database: strike(database, "note", JANA)) == 3
    with stored.opened(folder) as database:
        struck = database.execute("SELECT about, said FROM note ORDER BY id").fetchall()
    ((_, words),) = [row for row in struck if row[0] == '["x"]']
    assert json.loads(words) == {"to": ["jörg@contoso.test"], "said": "\n(erased)"}
    assert [row for row in struck if row[1] != words] == [("(erased)", None), ("2026-11-30", "no JSON"), ("n", "42")]
    assert stored.erase(folder, lambda database: strike(database, "note", NamedAddress("JÖRG@contoso.test"))) == 1


def test_who_reads_meanwhile_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads what was there before, the file may hold it, and the message says so; afterwards erasing again mends that."""
    monkeypatch.setattr(state_file, "BUSY_SECONDS", 0.1)
    stored, folder = StateFile(name="notes.sqlite", version=1, tables=TABLES, wal=True), Folder(tmp_path / "state")
    with stored.opened(folder) as database:
        database.execute("INSERT INTO note (about) VALUES ('jana@contoso.test')")

    def dropped(database: sqlite3.Connection) -> int:
        return drop_rows(database, "note", "about", JANA.is_it)

    with closing(sqlite3.connect(tmp_path / "state" / "notes.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM note").fetchone() == (1,)
        with pytest.raises(MemoryUnavailable, match="may hold what was erased; erase again"):
            stored.erase(folder, dropped)
        reader.execute("ROLLBACK")
        assert stored.erase(folder, dropped) == 0
        assert b"jana@" not in bytes_of(tmp_path / "state")
