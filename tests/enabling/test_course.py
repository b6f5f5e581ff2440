"""How far a test is, by its row and the clock; and what the audit of an earlier process says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from probe.dynamics import MailboxRow
from probe.enabling.course import DOUBT, Begun, Course, course_of, past_of

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(minutes=2)
PREDICTED = {"incoming": "success", "outgoing": "unknown", "appointments": None}


def a_row(*, scheduled: bool | None, completed: datetime | None) -> MailboxRow:
    """The row of the one mailbox."""
    return MailboxRow(id="1", test_scheduled=scheduled, test_completed=completed)


def a_begun(*, before: datetime | None = EARLIER, doubtful_until: datetime | None = None) -> Begun:
    """As it was asked for just now."""
    return Begun(id="1", before=before, requested=NOW, predicted=PREDICTED, doubtful_until=doubtful_until)


@pytest.mark.parametrize(
    ("scheduled", "completed", "before", "course"),
    [
        (True, EARLIER, EARLIER, Course.UNDER_WAY),
        (False, EARLIER, EARLIER, Course.UNDER_WAY),
        (False, LATER, EARLIER, Course.DONE),
        (False, LATER, None, Course.DONE),
        (False, None, None, Course.UNDER_WAY),
        (True, LATER, EARLIER, Course.UNDER_WAY),
        (None, LATER, EARLIER, Course.UNDER_WAY),
    ],
)
def test_it_is_done_once_the_flag_is_off_and_another_test_has_ended(
    scheduled: bool | None, completed: datetime | None, before: datetime | None, course: Course
) -> None:
    """Neither of both alone is enough."""
    assert course_of(a_begun(before=before), a_row(scheduled=scheduled, completed=completed), LATER) is course


@pytest.mark.parametrize(
    ("scheduled", "completed", "waited", "course"),
    [
        (False, EARLIER, timedelta(seconds=59), Course.DOUBTFUL),
        (False, EARLIER, DOUBT, Course.NOT_SENT),
        (True, EARLIER, DOUBT, Course.UNDER_WAY),
        (False, LATER, timedelta(0), Course.DONE),
    ],
)
def test_the_row_decides_what_is_in_doubt(scheduled: bool, completed: datetime, waited: timedelta, course: Course) -> None:
    """The flag or another end shows that it was sent; a row that stays as it was for a minute, that it was not."""
    begun = a_begun(doubtful_until=NOW + DOUBT)
    assert course_of(begun, a_row(scheduled=scheduled, completed=completed), NOW + waited) is course


REQUEST = {"predicted": PREDICTED, "accepted": [], "before": EARLIER.isoformat()}
SCHEDULED = {"answered": "scheduled", "predicted": PREDICTED, "before": None}
OUTCOME = {"outcome": {"incoming": "success"}, "mailbox": "a@contoso.test"}


def past(*lines: dict[str, Any]) -> Any:
    """What is known after these lines, a second apart."""
    told = [{"at": (NOW + timedelta(seconds=n)).isoformat(), "batch": "b", "id": "1", **line} for n, line in enumerate(lines)]
    return past_of([{"at": NOW.isoformat(), "torn": "x"}, {**told[0], "batch": "another", "id": "2"}, *told], "b")["1"]


def test_a_request_without_an_answer_is_in_doubt() -> None:
    """From the moment on at which it was recorded; one that was answered so, from then on."""
    assert past(REQUEST).asked == a_begun(doubtful_until=NOW + DOUBT)
    assert past(REQUEST, {"answered": "unknown"}).asked == a_begun(doubtful_until=NOW + timedelta(seconds=1) + DOUBT)
    assert past(REQUEST, {"answered": "sent"}).asked == a_begun()


def test_what_did_not_arrive_is_to_be_asked_for_again() -> None:
    """It has nothing to wait for, and no outcome."""
    for word in ("refused", "not-sent"):
        found = past(REQUEST, {"answered": word})
        assert (found.asked, found.outcome) == (None, None)
    assert past(REQUEST, {"answered": "refused"}, REQUEST).asked.requested == NOW + timedelta(seconds=2)


def test_somebody_elses_is_waited_for() -> None:
    """Nobody of ours requested it."""
    found = past(SCHEDULED).asked
    assert (found.requested, found.before, found.doubtful_until) == (None, None, None)


def test_an_outcome_ends_it() -> None:
    """What was predicted stays known, for the comparison."""
    found = past(REQUEST, {"answered": "sent"}, OUTCOME)
    assert (found.asked, found.predicted) == (None, PREDICTED)
    assert found.outcome["outcome"] == {"incoming": "success"}
