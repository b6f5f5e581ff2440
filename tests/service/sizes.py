"""What a year of the history takes, reckoned from the rows that a driven week left in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from probe.history.keeping import ROW_BYTES

ENDPOINTS = "(SELECT id FROM subject WHERE mailbox = '' AND subject LIKE '%://%')"
"""What is found of endpoints without an account: what is looked at each 5 minutes."""
CHANGES_A_YEAR = 2 * 52 + 6 + 4
"""Of an endpoint, as the benchmark of the history has them: a failure and a recovery each week, six certificates, four versions."""
TRANSCRIPTS_A_YEAR = CHANGES_A_YEAR * 90 / 365 + 275 / 30
"""Of these changes; after ninety days the first of each thirty days is kept."""
DAYS_OF_HOURS = 14
"""Days of which the latency of each hour is kept."""


@dataclass(frozen=True)
class Taken:
    """Bytes that rows about endpoints take, with their indexes and the texts in them."""

    intervals: float
    transcripts: float
    days: float
    """The latency of each day."""
    hours: float
    """The latency of each hour, and of the looks of the last day."""

    @staticmethod
    def by(file: Path) -> Taken:
        """What they take in a database."""
        with closing(sqlite3.connect(file)) as database:

            def bytes_of(row: str, text: str, where: str) -> float:
                query = f"SELECT count(*), coalesce(sum(length({text})), 0) FROM {row} WHERE {where} IN {ENDPOINTS}"
                number, texts = database.execute(query).fetchone()
                return float(number * ROW_BYTES[row] + texts)

            forms = f"SELECT count(*), sum(length(body)) FROM form WHERE id IN (SELECT form_id FROM span WHERE subject_id IN {ENDPOINTS})"
            number, texts = database.execute(forms).fetchone()
            (hours,) = database.execute(f"SELECT coalesce(sum(length(hours)), 0) FROM latency WHERE subject_id IN {ENDPOINTS}").fetchone()
            (looks,) = database.execute(f"SELECT sum(length(samples)) FROM subject WHERE id IN {ENDPOINTS}").fetchone()
            return Taken(
                intervals=bytes_of("span", "''", "subject_id") + bytes_of("subject", "subject", "id") + number * ROW_BYTES["form"] + texts,
                transcripts=bytes_of("transcript", "body", "subject_id"),
                days=bytes_of("latency", "''", "subject_id"),
                hours=float(hours + looks),
            )


def year_of(first: Taken, last: Taken, *, endpoints: int, days: int, changes: int) -> tuple[float, str]:
    """Bytes of a year of one endpoint, and how they come about.

    `first` is what was taken after a day on which nothing changed, `last` after all days, with so many changes.
    """
    seen = (first.intervals + first.transcripts) / endpoints
    a_day, hours = last.days / days / endpoints, last.hours / days / endpoints
    intervals, transcripts = (last.intervals - first.intervals) / changes, (last.transcripts - first.transcripts) / changes
    year = seen + 365 * a_day + DAYS_OF_HOURS * hours + CHANGES_A_YEAR * intervals + TRANSCRIPTS_A_YEAR * transcripts
    return year, (
        f"an endpoint takes {year / 1e3:.0f} kB a year: {seen / 1e3:.1f} kB when it is first seen, 365 x {a_day:.0f} bytes of latency, "
        f"{DAYS_OF_HOURS} x {hours:.0f} of that of hours, {CHANGES_A_YEAR} x {intervals:.0f} of intervals, {TRANSCRIPTS_A_YEAR:.0f} x {transcripts:.0f} of transcripts"
    )
