"""What the audit has of requests of the page: each of one mailbox, whatever became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from probe.enabling import EnablingPast, RecordedRequest, page_requests, requests_of
from probe.enabling.telling import past_lines
from probe.memory import MemoryUnavailable

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
BEGUN: dict[str, Any] = {"predicted": {"incoming": "success", "outgoing": "success", "appointments": None}, "before": None}
CAME: dict[str, Any] = {
    "requested": "2026-11-29T08:00:00Z",
    "scheduled_by_another": False,
    "finished": "2026-11-29T08:02:00Z",
    "state": "done",
    "outcome": {"incoming": "success", "outgoing": "success", "appointments": None},
    "alerts": [],
    "agrees": True,
}


def a_line(batch: str = "page-a", mailbox: str = "m1", **what: Any) -> dict[str, Any]:
    told = {"at": "2026-11-29T08:00:00.000Z", "who": "token anna", "host": "crm01", "organization": "o", "id": f"id of {mailbox}"}
    return {**told, "mailbox": mailbox, "batch": batch, **what}


def the_one(*lines: dict[str, Any]) -> RecordedRequest:
    (request,) = page_requests(lines).values()
    return request


def test_a_request_is_found_by_what_follows_in_the_name_of_its_batch() -> None:
    """The oldest first; a batch of the command line and a torn line are none."""
    lines = [a_line("b1", **BEGUN), {"at": "x", "torn": "{"}, a_line("page-b", **BEGUN), a_line("page-a", "m2", **BEGUN)]
    found = page_requests(lines)
    assert {name: (one.mailbox, one.id, one.who, one.at) for name, one in found.items()} == {
        "b": ("m1", "id of m1", "token anna", NOW),
        "a": ("m2", "id of m2", "token anna", NOW),
    }
    assert list(found) == ["b", "a"]


@pytest.mark.parametrize("answered", [{}, {"answered": "sent"}, {"answered": "unknown", "detail": "timed out"}])
def test_what_may_have_left_is_pending_for_a_day(answered: dict[str, str]) -> None:
    """Whether the answer of Dynamics is known or not."""
    request = the_one(a_line(**BEGUN), *([a_line(**answered)] if answered else []))
    assert request.form is not None
    assert (request.form["state"], request.predicted, request.not_asked) == ("pending", BEGUN["predicted"], None)
    assert request.is_left(NOW + timedelta(hours=23))
    assert not request.is_left(NOW + timedelta(hours=24))


def test_an_outcome_is_retold() -> None:
    """As the document has it, and nothing is left then."""
    request = the_one(a_line(**BEGUN), a_line(answered="sent"), a_line(**CAME))
    assert request.form == CAME
    assert not request.is_left(NOW)


@pytest.mark.parametrize(
    ("answered", "why"),
    [
        ({"answered": "refused", "detail": "403"}, "Dynamics was not asked, or did not take it: 403"),
        ({"answered": "not-sent"}, "the request did not reach Dynamics: its row did not change for a minute"),
    ],
)
def test_what_did_not_arrive_says_why(answered: dict[str, str], why: str) -> None:
    """It is neither pending nor left."""
    request = the_one(a_line(**BEGUN), a_line(**answered))
    assert (request.form, request.not_asked, request.is_left(NOW)) == (None, why, False)


def test_what_the_command_line_added_to_the_batch_is_not_of_it() -> None:
    """Where it was taken up there, with further mailboxes, the request of the page is told as before."""
    request = the_one(a_line(**BEGUN), a_line(mailbox="m2", **BEGUN), a_line(mailbox="m2", answered="sent"), a_line(**CAME))
    assert (request.mailbox, request.form) == ("m1", CAME)


def test_what_was_asked_for_again_is_told_as_it_is_now() -> None:
    """A refusal of the time before says nothing of a request that was cut short, for people and for programs."""
    request = the_one(a_line(**BEGUN), a_line(answered="refused", detail="403"), a_line(**BEGUN))
    assert (request.answered, request.detail, request.not_asked) == (None, "", None)
    lines = list(past_lines(EnablingPast(requests=(request,))))
    assert "    came       the program ended before it knew whether Dynamics took it" in lines


@pytest.mark.parametrize(
    "line", [{"batch": "page-1"}, {"batch": [1], "id": "1"}, {**a_line(**BEGUN), "at": "noon"}], ids=["id", "batch", "at"]
)
def test_a_line_that_is_none_of_the_audit_s_is_told(line: dict[str, Any]) -> None:
    """Somebody edited the file, or another version wrote it."""
    with pytest.raises(MemoryUnavailable, match="a line that this version does not write"):
        requests_of([line])
