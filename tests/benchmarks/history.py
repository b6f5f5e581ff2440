"""How large the history becomes: some endpoints for a year, looked at each 5 minutes, told for ten thousand.

A look that finds nothing new leaves no row, so most of the year is looked at each 6 hours, with every change that it has; the last 15 days, of which hours
are kept, each hour; the last day, of which every look is kept, each 5 minutes. What changes, an endpoint a year: its certificate 6 times, its version 4 times; once a week it does not answer for a while; its greeting is another each time. The size is that of the file, with all that SQLite leaves free in it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from probe.history import History, Sighting, open_history, sighting
from probe.history.keeping import size
from probe.history.recording import deployment_of
from probe.history.storage import DATABASE
from probe.memory.folder import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome, TranscriptLine
from probe.model.estate import HistoryLimits
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.kinds import ChainEnd
from probe.model.provenance import Declared, Evidence
from probe.model.vocabulary import all_keys

_MEANT = 10_000
_MOST = HistoryLimits().max_size
_YEAR = timedelta(days=365)
_OFTEN = timedelta(days=15)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_PARTS = (
    "net.",
    "protocol.",
    "starttls.",
    "tls.",
    "fips.",
    "certificate.",
    "server.",
    "auth.mech",
    "modern_auth.",
    "password_login.",
    "endpoint.",
    "provider",
)
_KEYS = [key for name, key in all_keys().items() if name.startswith(_PARTS)]
_SAID = ("+OK Dovecot ready.", "CAPA", *(f"CAPABILITY-{n}" for n in range(12)), ".", "QUIT", "+OK Logging out")


def measure(endpoints: int) -> Iterator[str]:
    """Lines of what was measured, of so many endpoints."""
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_measured(Path(folder), endpoints))


async def _measured(folder: Path, endpoints: int) -> list[str]:
    lines: list[str] = []
    async with open_history(Folder(folder), "benchmark") as history:
        looks, changes, at = 0, 0, _START
        while at < _START + _YEAR:
            found = [one for n in range(endpoints) for one in _found(n, at)]
            looks += len(found)
            changes += len(await history.record(found))
            left = _START + _YEAR - at
            step = timedelta(minutes=5) if left <= timedelta(days=1) else timedelta(hours=1) if left <= _OFTEN else timedelta(hours=6)
            if (at + step).date() != at.date():
                await history.sweep(HistoryLimits(), at + step)
            at += step
        lines.append(f"{endpoints} endpoints for a year, {len(_KEYS)} keys each: {looks:,} looks, {changes:,} changes")
        lines += await _repeated(history, folder, endpoints, at)
        estimate = await history.storage.read(lambda connection: size(connection, deployment_of(connection, "benchmark") or 0))
        await history.storage.checkpoint()
        taken = (folder / DATABASE).stat().st_size
        whole = taken * _MEANT / endpoints
        lines.append(
            f"the file: {taken / 1e6:.1f} MB, which is {whole / 1e9:.2f} GB for {_MEANT:,} endpoints, {whole / _MOST:.2f} x the limit of {_MOST / 1e9:g} GB"
        )
        lines.append(f"what `probe.history.keeping.size` takes it for: {estimate / taken:.2f} x that")
        lines += _by_table(folder / DATABASE)
    return lines


async def _repeated(history: History, folder: Path, endpoints: int, at: datetime) -> list[str]:
    """What looks cost that find nothing new: rows and CPU, the least of several."""
    lines = [f"of it recording a look that finds nothing new, {endpoints} in a batch:"]
    await history.record([one for n in range(endpoints) for one in _found(n, at)])
    before = _rows(folder / DATABASE)
    least = float("inf")
    for n in range(1, 11):
        batch = [one for number in range(endpoints) for one in _found(number, at + timedelta(seconds=n))]
        began = time.process_time()
        changed = await history.record(batch)
        least = min(least, time.process_time() - began)
        assert not changed
    lines.append(
        f"  {_rows(folder / DATABASE) - before} rows more after ten of them, {least / endpoints * 1e6:.0f} us of CPU each at least"
    )
    return lines


def _found(number: int, at: datetime) -> Iterator[Sighting]:
    """What one look finds at an endpoint; each is at another place of its year."""
    subject = f"pop3s://mail{number}.contoso.test:995"
    days = (at - _START) / timedelta(days=1) + number * 7 / 11
    is_down = days % 7 < 0.75
    outcome = Outcome.TIMED_OUT if is_down else Outcome.COMPLETED
    held = Attempt(
        id="a1",
        at=at,
        prober="pop3-capabilities",
        subject=subject,
        mailbox=None,
        address="192.0.2.7",
        outcome=outcome,
        detail="no greeting within 30 s" if is_down else "",
        connections=1,
        seconds=0.02 + (number * 7919 + int(days * 288)) % 60 / 1000,
        transcript=tuple(TranscriptLine(n, "peer", text) for n, text in enumerate(_SAID, start=1)),
        readings=(),
    )
    posture = replace(held, id="a2", prober="tls-posture", transcript=held.transcript[:6])
    readings = _gaps(subject, at) if is_down else _facts(subject, number, days, at)
    yield sighting(subject, None, at, readings, [held, posture], seconds=None if is_down else held.seconds)


def _gaps(subject: str, at: datetime) -> Sequence[Reading]:
    return [Missing(subject=subject, key=key, why=Why.TIMED_OUT, detail="no greeting within 30 s", at=at) for key in _KEYS]


def _facts(subject: str, number: int, days: float, at: datetime) -> Sequence[Reading]:
    ends = _START + timedelta(days=61 * (1 + days // 61) + number)
    own = {
        v.PROTOCOL_GREETING.name: f"+OK Dovecot ready <{at.timestamp():.0f}.{number}>",
        v.SERVER_VERSION.name: f"2.4.{int(days // 91)}",
        v.CERTIFICATE_SUBJECT.name: f"CN=mail{number}.contoso.test",
        v.CERTIFICATE_NAMES.name: (f"mail{number}.contoso.test", f"autodiscover.contoso{number}.test"),
        v.CERTIFICATE_CHAIN.name: (f"CN=mail{number}.contoso.test", "CN=Contoso Issuing CA"),
        v.CERTIFICATE_NOT_BEFORE.name: ends - timedelta(days=90),
        v.CERTIFICATE_NOT_AFTER.name: ends,
        v.CERTIFICATE_CHAIN_ENDS.name: ChainEnd(f"CN=mail{number}.contoso.test", ends),
    }
    said = Declared("peer", (Evidence(attempt="a1", line=1, excerpt="+OK Dovecot ready."),))
    return [Fact(subject=subject, key=key, value=own.get(key.name, key.examples[0]), provenance=said, at=at, attempt="a1") for key in _KEYS]


def _rows(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _tables(database))


def _tables(database: sqlite3.Connection) -> list[str]:
    return [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]


def _by_table(file: Path) -> Iterator[str]:
    """Where the bytes are, with indexes; nothing where this SQLite does not tell."""
    with closing(sqlite3.connect(file)) as database, suppress(sqlite3.OperationalError):
        for table in _tables(database):
            pages = database.execute(
                "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = ?)", (table,)
            ).fetchone()[0]
            rows = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            if rows:
                yield f"  {table}: {rows:,} rows, {pages / 1e6:.2f} MB, {pages / rows:.0f} bytes a row"


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 50):
        sys.stdout.write(f"{line}\n")
