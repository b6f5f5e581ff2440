"""What a state folder holds, as texts: every byte of its files, and what they have packed or with escapes."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path


def texts_of(file: Path) -> Iterator[str]:
    """Every byte of a file as a character; of a database every value too, unpacked, and JSON without escapes."""
    whole = file.read_bytes()
    yield whole.decode("latin-1")
    if whole.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(file)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in database.execute(f"SELECT * FROM {table}"):
                    yield from texts_of_row(row)


def texts_of_row(row: Iterable[object]) -> Iterator[str]:
    """The texts of a row of any database."""
    for value in row:
        if isinstance(value, bytes):
            try:
                text = zlib.decompress(value).decode()
            except zlib.error:
                text = value.decode("latin-1")
        else:
            text = str(value)
        yield text
        if text.startswith(("{", "[")):
            with suppress(ValueError):  # bytes of a hash may begin so too
                yield json.dumps(json.loads(text), ensure_ascii=False)
