"""What is told of an incident now: pure, from what is so and what its recipients know."""

from __future__ import annotations

from datetime import datetime, timedelta

from probe.alerts.book import Incident, Told
from probe.alerts.conditions import Severity
from probe.alerts.wording import EventKind

FLAPS = 4
"""Beginnings within FLAP_TIME that make an incident unsteady."""
FLAP_TIME = timedelta(hours=1)
STEADY_TIME = timedelta(minutes=30)
"""How long an unsteady incident must stay as it is until it is told of again."""

KNOWN_AFTER = {
    EventKind.BEGAN: Told.BEGUN,
    EventKind.WORSE: Told.BEGUN,
    EventKind.REMINDER: Told.BEGUN,
    EventKind.STEADY: Told.BEGUN,
    EventKind.UNSTEADY: Told.UNSTEADY,
    EventKind.RECOVERED: Told.NOTHING,
}
"""What recipients know once an event was told."""


def is_unsteady(incident: Incident, beginnings: int, now: datetime) -> bool:
    """Whether it comes and goes; `beginnings` within FLAP_TIME until now."""
    return now - incident.changed < STEADY_TIME and (beginnings >= FLAPS or incident.told is Told.UNSTEADY)


def news(incident: Incident, severity: Severity, now: datetime, *, unsteady: bool, remind: timedelta | None) -> EventKind | None:
    """What is to be told now; None where its recipients know all that there is to know."""
    if not incident.present and incident.told is Told.NOTHING:
        return None
    if unsteady:
        return None if incident.told is Told.UNSTEADY else EventKind.UNSTEADY
    if not incident.present:
        return EventKind.RECOVERED
    match incident.told:
        case Told.NOTHING:
            return EventKind.BEGAN
        case Told.UNSTEADY:
            return EventKind.STEADY
    if severity.rank > incident.severity.rank:
        return EventKind.WORSE
    due = reminder_due(incident, remind)
    return EventKind.REMINDER if due is not None and due <= now else None


def reminder_due(incident: Incident, remind: timedelta | None) -> datetime | None:
    """When it is told again that it lasts; None: not by time alone."""
    if remind is None or incident.acknowledged is not None or not incident.present or incident.told is not Told.BEGUN:
        return None
    return incident.at + remind


def next_look(incident: Incident, remind: timedelta | None) -> datetime | None:
    """When something may be to be told of it though nothing changes."""
    if incident.told is Told.UNSTEADY:
        return incident.changed + STEADY_TIME
    return reminder_due(incident, remind)
