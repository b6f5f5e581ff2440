"""How often an estate is looked at, and who is told: what `probe serve` goes by. Nothing that is judged depends on it."""

from __future__ import annotations

from datetime import time, timedelta

from probe.model.secrets import SecretReference
from probe.model.values import dataclass

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of a day, in local time. An end that is not after the start is on the next day."""

    start: time
    end: time
    weekday: int | None = None
    """The day on which it starts, 0 is Monday; None for every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """How often each thing is done; None where it is never done."""

    quick: timedelta | None = timedelta(minutes=5)
    """Each endpoint: its conversation and its certificate."""
    posture: timedelta | None = timedelta(days=1)
    """Each endpoint: everything that it takes of TLS."""
    canary: timedelta | None = timedelta(hours=1)
    """One mailbox of each profile, signed in to."""
    logins: timedelta | None = timedelta(days=1)
    """All mailboxes, signed in to."""
    logins_between: Hours = Hours(start=time(1), end=time(5))
    roundtrip: timedelta | None = None
    """One test mail of each profile."""
    dynamics: timedelta | None = timedelta(minutes=5)
    """Dynamics' own state of its mailboxes."""
    maintenance: tuple[Hours, ...] = ()
    """Hours in which nobody is told, and nobody signed in to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Who is told, and when."""

    to: tuple[SecretReference, ...] = ()
    """References to the targets' URLs, which hold secrets."""
    digest: time | None = None
    """When what changed since yesterday is told, in local time."""
    ahead_days: tuple[int, ...] = (30, 14, 7, 1)
    """How many days before an end it is told of, the most first."""
    remind: timedelta | None = timedelta(hours=24)
    """After which what lasts, and nobody acknowledged, is told again."""
    link: str | None = None
    """What links to the page begin with."""
    heartbeat: SecretReference | None = None
    """The URL that is called after each minute in which the schedule was kept."""
