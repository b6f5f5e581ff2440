"""When a digest is due, and what stands in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from probe.alerts.wording import EventKind

_HEADINGS = {
    EventKind.BEGAN: "Began",
    EventKind.WORSE: "Became worse",
    EventKind.UNSTEADY: "Comes and goes",
    EventKind.RECOVERED: "Ended",
    EventKind.NOTICE: "Happened",
}


def parts_of(events: Iterable[tuple[EventKind, str]], lasting: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """Titles by heading: of the events, by kind and title, those that a digest tells, and of what lasts. Empty where there is no such event."""
    told = [(kind, title) for kind, title in events if kind in _HEADINGS]
    parts = [(heading, [title for kind, title in told if kind is of]) for of, heading in _HEADINGS.items()]
    return [*parts, ("Lasts", lasting)] if told else []


def last_due(now: datetime, at: time, zone: tzinfo | None) -> datetime:
    """The last moment, up to now, at which a digest was due that is told at a time of the day. `zone` None: this machine's."""
    today = now.astimezone(zone).date()
    due = _moment_of(today, at, zone)
    return due if due <= now else _moment_of(today - timedelta(days=1), at, zone)


def next_due(now: datetime, at: time, zone: tzinfo | None) -> datetime:
    """The first such moment after now."""
    today = now.astimezone(zone).date()
    return next(due for days in range(3) if (due := _moment_of(today + timedelta(days=days), at, zone)) > now)


def _moment_of(day: date, at: time, zone: tzinfo | None) -> datetime:
    # Combined without a zone and then placed into it: this machine's zone differs by the day.
    local = datetime.combine(day, at)
    return local.astimezone() if zone is None else local.replace(tzinfo=zone)
