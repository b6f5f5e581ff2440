"""For whom Dynamics is asked: pure in answers, rows and what went before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe.enabling.choosing import ALREADY_ENABLED, TAKES_OVER, Candidate, Wish, why_not
from probe.gate import Difference, GateAnswer, GateVerdict, Predicted
from probe.model.estate import Delivery
from probe.model.rules import Direction
from tests.estates import SERVED
from tests.gate.rows import EXCHANGE, an_estate_of, rows_of

MAILBOX = replace(SERVED, appointments=Delivery.SERVER_SIDE)
ESTATE = an_estate_of(mailbox=MAILBOX)
FRESH: dict[str, Any] = {
    "test_scheduled": False,
    "test_completed": datetime(2026, 1, 1, tzinfo=UTC),
    "incoming_enabled": False,
    "outgoing_enabled": False,
    "appointments_enabled": False,
    "is_primary_organization": True,
}
ENABLED: dict[str, Any] = dict.fromkeys(("incoming_enabled", "outgoing_enabled", "appointments_enabled"), True)


def told(answer: GateAnswer = GateAnswer.GO, wish: Wish | None = None, differs: tuple[Difference, ...] = (), **row: Any) -> str | None:
    """Why a mailbox whose row is fresh but for this is not asked for."""
    rows = rows_of(EXCHANGE, ESTATE.mailboxes[0], **FRESH)
    verdict = GateVerdict(
        mailbox=MAILBOX.address,
        answer=answer,
        predicted=dict.fromkeys(Direction, Predicted.SUCCESS),
        reasons=(),
        accepted=(),
        differs=differs,
        settle=(),
    )
    candidate = Candidate(mailbox=ESTATE.mailboxes[0], rows=rows, verdict=verdict, findings={})
    return why_not(ESTATE, candidate, replace(rows.mailbox, **row), wish or Wish())


def test_a_go_that_is_not_enabled_everywhere_is_asked_for() -> None:
    """One direction that is off is enough."""
    assert told() is None
    assert told(**ENABLED | {"outgoing_enabled": False}) is None


@pytest.mark.parametrize("answer", [GateAnswer.NO_GO, GateAnswer.CANNOT_TELL])
def test_what_is_no_go_is_not(answer: GateAnswer) -> None:
    """Nor what cannot be told, whatever is wished."""
    assert told(answer, Wish(again=frozenset({MAILBOX.address}), takes_over=True)) == f"the answer is {answer}"


def test_what_is_enabled_is_passed_over_unless_it_is_named() -> None:
    """By its address, in whatever case."""
    assert told(**ENABLED) == ALREADY_ENABLED
    assert told(wish=Wish(again=frozenset({MAILBOX.address.upper()})), **ENABLED) is None


@pytest.mark.parametrize("is_primary", [False, None])
def test_taking_over_is_wanted_in_so_many_words(is_primary: bool | None) -> None:
    """Where the appointments are not known to be this organization's already."""
    assert told(is_primary_organization=is_primary) == TAKES_OVER
    assert told(wish=Wish(takes_over=True), is_primary_organization=is_primary) is None


@pytest.mark.parametrize(
    "row", [{"outgoing_enabled": None}, {"test_scheduled": None}, {"absent": frozenset({"testmailboxaccesscompletedon"})}]
)
def test_what_dynamics_does_not_say_is_not_guessed(row: dict[str, Any]) -> None:
    """Without it nobody could see what becomes of the change."""
    assert "does not say" in (told(**row) or "")


def test_rows_that_differ_stop_it() -> None:
    """Those that the gate compared, and the row as it is just before the change."""
    difference = Difference("incoming port", "993", "110")
    assert "incoming port" in (told(differs=(difference,)) or "")
    assert "mailbox state" in (told(state=1) or "")
