"""How often an estate is looked at, and who is told: what `probe serve` goes by. Nothing that is judged depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo

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

    def span_on(self, day: date, zone: tzinfo | None) -> tuple[datetime, datetime] | None:
        """From when to when it lasts where it starts on a day, in UTC; None where it does not start on that day.

        `zone` is that of the local time, None for the system's. Where clocks change in between, it is an hour shorter or longer.
        """
        if self.weekday not in (None, day.weekday()):
            return None
        last = day if self.end > self.start else day + timedelta(days=1)
        return _utc(day, self.start, zone), _utc(last, self.end, zone)


def are_within(hours: Iterable[Hours], moment: datetime, zone: tzinfo | None) -> bool:
    """Whether a moment lies in one of these hours. `zone` as in `Hours.span_on`."""
    today = moment.astimezone(zone).date()
    spans = (one.span_on(day, zone) for one in hours for day in (today - timedelta(days=1), today))
    return any(span is not None and span[0] <= moment < span[1] for span in spans)


def _utc(day: date, at: time, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, at, zone)
    return (local.astimezone() if zone is None else local).astimezone(UTC)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What something costs a server each time."""

    connections: int
    sign_ins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxWork:
    """What is held for one mailbox, with its account and without."""

    places: Mapping[str, Load]
    """By the URL of the endpoint."""
    round_trip: Mapping[str, Load]
    """What a test mail adds; empty where none can be sent."""
    accounts: frozenset[str]
    """User names, in small letters, that sign in; none where nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """What a plan of an estate holds, by what it is held for."""

    endpoints: Mapping[str, Load]
    """A look at an endpoint without an account, by URL, without the question about TLS."""
    mailboxes: Mapping[str, MailboxWork]
    """By address."""
