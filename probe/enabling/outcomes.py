"""What Dynamics reports once Test & Enable is done, beside what was predicted; and what its alerts mean. Pure in rows, alerts and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum

from probe.dynamics import MailboxRow, Option, TraceLog
from probe.enabling.course import Begun
from probe.gate import explained
from probe.model.kinds import Json
from probe.model.rules import Direction, Finding

MOST_ALERTS = 10
"""Of one mailbox, the newest."""
MOST_OF_ALERT = 2000
"""Letters of its text, which is as many as Dynamics keeps."""


class Reported(StrEnum):
    """What Dynamics reports of a direction."""

    NOT_RUN = "not-run"
    SUCCESS = "success"
    FAILURE = "failure"


_REPORTED = {0: Reported.NOT_RUN, 1: Reported.SUCCESS, 2: Reported.FAILURE}
_LEVELS = {1: "information", 2: "warning", 3: "error"}

ByDirection = Mapping[str, str | None]
"""By direction; None for one that is not used."""


def report_of(row: MailboxRow, predicted: Mapping[str, str | None]) -> dict[str, str | None]:
    """What the row reports of the directions that are used; a status that is not known here is none that can be told."""
    said = {
        Direction.INCOMING: row.incoming_status,
        Direction.OUTGOING: row.outgoing_status,
        Direction.APPOINTMENTS: row.appointments_status,
    }
    return {
        str(direction): None if predicted[direction] is None else str(_REPORTED.get(_number(status), Reported.NOT_RUN))
        for direction, status in said.items()
    }


def agrees(predicted: Mapping[str, str | None], reported: ByDirection) -> bool | None:
    """Whether all came as predicted; None where nothing was predicted, or nothing tested."""
    told = [
        how == reported[direction]
        for direction, how in predicted.items()
        if how not in (None, "unknown") and reported[direction] != Reported.NOT_RUN
    ]
    return all(told) if told else None


def done_form(asked: Begun, row: MailboxRow, alerts: Iterable[Json], now: datetime) -> dict[str, Json]:
    """What came of it, as the document `probe.gate/1` has it."""
    reported = report_of(row, asked.predicted)
    return {
        **_common(asked),
        "finished": time_form(now),
        "state": "done",
        "outcome": {**reported},
        "alerts": list(alerts),
        "agrees": agrees(asked.predicted, reported),
    }


def retold(line: Mapping[str, Json]) -> dict[str, Json]:
    """What came of it, out of the line of the audit that has it."""
    return {name: line[name] for name in ("requested", "scheduled_by_another", "finished", "state", "outcome", "alerts", "agrees")}


def pending_form(asked: Begun) -> dict[str, Json]:
    """That nothing has come of it yet: no direction has an outcome."""
    nothing: dict[str, Json] = {name: None if how is None else str(Reported.NOT_RUN) for name, how in asked.predicted.items()}
    return {**_common(asked), "finished": None, "state": "pending", "outcome": nothing, "alerts": [], "agrees": None}


def alert_form(alert: TraceLog, findings: Mapping[str, Finding], clean: Callable[[str], str]) -> dict[str, Json]:
    """An alert, and what it means."""
    found = explained(alert.texts, findings)
    return {
        "level": level_of(alert),
        "code": alert.code,
        "text": clean((alert.message or alert.error_details or "")[:MOST_OF_ALERT]),
        "causes": [*found.causes],
        "meaning": found.meaning,
    }


def level_of(alert: TraceLog) -> str | None:
    """`information`, `warning` or `error`; the number where it is another."""
    return None if alert.level is None else _LEVELS.get(alert.level.value, str(alert.level.value))


def time_form(moment: datetime | None) -> str | None:
    """A time as documents have it."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _common(asked: Begun) -> dict[str, Json]:
    return {"requested": time_form(asked.requested), "scheduled_by_another": asked.requested is None}


def _number(option: Option | None) -> int:
    return -1 if option is None else option.value
