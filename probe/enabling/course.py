"""How far Test & Enable of one mailbox is: by its row and the clock while it goes on, and by the audit where an earlier process began it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from probe.dynamics import MailboxRow
from probe.model.values import dataclass

DOUBT = timedelta(seconds=60)
"""How long a row must stay as it was until a change of which no answer came counts as not sent."""


class Answered(StrEnum):
    """What is known of a change right after it was asked for, as the audit has it."""

    SENT = "sent"
    """Dynamics took it."""
    SCHEDULED = "scheduled"
    """Nothing was sent: the row said already that a test will run, which somebody else asked for."""
    UNKNOWN = "unknown"
    """It left, or may have, and no answer came."""
    REFUSED = "refused"
    """Dynamics said no, or it never left."""
    NOT_SENT = "not-sent"
    """The row has shown that it did not arrive."""


class Course(StrEnum):
    """How far it is."""

    DOUBTFUL = "doubtful"
    """Whether Dynamics was asked shows in the row later."""
    UNDER_WAY = "under-way"
    DONE = "done"
    NOT_SENT = "not-sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A mailbox of which Dynamics was asked for Test & Enable, or may have been."""

    id: str
    before: datetime | None
    """When a test of it had ended last, as its row said just before."""
    requested: datetime | None
    """None where somebody else asked."""
    predicted: Mapping[str, str | None]
    """By direction, at that time."""
    doubtful_until: datetime | None = None
    """Where it is not known whether Dynamics was asked: until when the row may show that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the audit has of one mailbox in a batch."""

    asked: Begun | None
    """What has to be waited for; None where nothing is under way."""
    outcome: Mapping[str, Any] | None
    """The line of its outcome; None where it has none yet."""
    predicted: Mapping[str, str | None]
    """By direction, when it was asked for."""


def course_of(asked: Begun, row: MailboxRow, now: datetime) -> Course:
    """How far it is, by a row that was just read."""
    is_tested = row.test_completed is not None and row.test_completed != asked.before
    if row.test_scheduled is False and is_tested:
        return Course.DONE
    if asked.doubtful_until is None or row.test_scheduled or is_tested:
        return Course.UNDER_WAY
    return Course.NOT_SENT if now >= asked.doubtful_until else Course.DOUBTFUL


def past_of(lines: Iterable[Mapping[str, Any]], batch: str) -> dict[str, Past]:
    """What the audit has of each mailbox of a batch, by id. A change of which it has no answer is in doubt from the moment on at which it was recorded."""
    found: dict[str, Past] = {}
    for line in lines:
        if line.get("batch") == batch:
            found[str(line["id"])] = _after(found.get(str(line["id"])), line)
    return found


def _after(past: Past | None, line: Mapping[str, Any]) -> Past:
    """What is known once a further line is."""
    at, answered = datetime.fromisoformat(line["at"]), line.get("answered")
    before = past or Past(asked=None, outcome=None, predicted={})
    if "outcome" in line:
        return Past(asked=None, outcome=line, predicted=before.predicted)
    if answered is None:
        return Past(asked=_asked(line, at, at + DOUBT), outcome=None, predicted=line["predicted"])
    if answered == Answered.SCHEDULED:
        return Past(asked=_asked(line, None, None), outcome=None, predicted=line["predicted"])
    if answered in (Answered.REFUSED, Answered.NOT_SENT) or before.asked is None:
        return Past(asked=None, outcome=None, predicted=before.predicted)
    doubtful_until = None if answered == Answered.SENT else at + DOUBT
    return Past(asked=replace(before.asked, doubtful_until=doubtful_until), outcome=None, predicted=before.predicted)


def _asked(line: Mapping[str, Any], requested: datetime | None, doubtful_until: datetime | None) -> Begun:
    before = line["before"]
    return Begun(
        id=str(line["id"]),
        before=None if before is None else datetime.fromisoformat(before),
        requested=requested,
        predicted=line["predicted"],
        doubtful_until=doubtful_until,
    )
