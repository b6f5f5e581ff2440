"""Times as the tables have them: milliseconds since 1970, and days and minutes counted from then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000
MINUTES_A_DAY = 1440


def stored(at: datetime) -> int:
    """A time as the tables have it."""
    return (at - _FIRST) // _MILLISECOND


def read_back(stored: int) -> datetime:
    """A time out of the tables, in UTC."""
    return _FIRST + stored * _MILLISECOND


def milliseconds(span: timedelta) -> int:
    """How long something is, as the tables have it."""
    return span // _MILLISECOND
