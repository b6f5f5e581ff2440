"""What is told to whom, once: conditions become incidents, incidents and notices events, and each event is delivered to each of its targets.

Everything is in `alerts.sqlite` of the state folder before anything is sent. An event is sent to a target once. It is sent a second time, with
the same id and the words *possibly a repetition*, where it is not known whether the first arrived: the program ended in between, or the
target gave no clear response.

`Alerts` takes what is so (`settle`), what happened (`notify`) and what ends soon (`approaching`), and sends (`deliver`). It knows no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from probe.alerts.book import AlertBook, AlertDelivery, DeliveryState, Incident, Told
from probe.alerts.conditions import AlertCondition, AlertKind, Approaching, Notice, Recipients, Severity, name_of
from probe.alerts.handover import BOOK_KINDS, BookRow
from probe.alerts.heartbeat import Heartbeat
from probe.alerts.incidents import FLAP_TIME
from probe.alerts.logs import EVENT_IDS, logs_of_this_machine
from probe.alerts.schemes import SCHEMES, RefusedTarget, scheme_of
from probe.alerts.targets import AT_ONCE, TargetSender
from probe.alerts.telling import Alerts, Happened, Telling, place_of
from probe.alerts.wording import new_event_id, trial_message
from probe.model.estate import Estate, SecretReference
from probe.net.alert_request import Delivered, DeliveryEnding

__all__ = [
    "AT_ONCE",
    "BOOK_KINDS",
    "EVENT_IDS",
    "FLAP_TIME",
    "SCHEMES",
    "AlertBook",
    "AlertCondition",
    "AlertDelivery",
    "AlertKind",
    "Alerts",
    "Approaching",
    "BookRow",
    "Delivered",
    "DeliveryEnding",
    "DeliveryState",
    "Happened",
    "Heartbeat",
    "Incident",
    "Notice",
    "Recipients",
    "RefusedTarget",
    "Severity",
    "TargetSender",
    "Telling",
    "Told",
    "alert_references",
    "logs_of_this_machine",
    "name_of",
    "recipients_of",
    "scheme_of",
    "send_trial",
]


def recipients_of(estate: Estate, logs: Iterable[str] = ()) -> Recipients:
    """Who is told of what, by an estate; `logs` are the names of the logs of this machine."""
    owners = tuple((profile.name, profile.alerts_to) for profile in estate.profiles if profile.alerts_to is not None)
    return Recipients(default=estate.alerts.to, by_profile=owners, local=tuple(logs))


def alert_references(estate: Estate) -> tuple[SecretReference, ...]:
    """The references of an estate to alert targets, each once. The heartbeat is none: it takes no alert."""
    owners = [reference for profile in estate.profiles for reference in profile.alerts_to or ()]
    return tuple(dict.fromkeys([*estate.alerts.to, *owners]))


async def send_trial(targets: TargetSender, names: Iterable[str], estate: Estate, now: datetime) -> list[tuple[str, Delivered]]:
    """Send a message that is marked as a test to each target, one after another, and say how each ended. Nothing is kept of it."""
    told = trial_message(place_of(estate.deployment.name, estate.alerts), now)
    return [(name, await targets.send(name, told, new_event_id(), False)) for name in names]
