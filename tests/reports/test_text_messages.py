"""What the text report says of test messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Observed
from probe.model.rules import Readiness, Support
from tests.reports.rendering import render
from tests.runs import a_mailbox, a_run, an_assessment, an_estate

WHERE = "smtps://smtp.branch.test:465"
WHOSE = "sales@branch.test"


def told(known: dict[FactKey[Any], Any]) -> str:
    """The section on test messages of a run in which this is known, its spaces folded; empty where there is none."""
    readings: list[Reading] = [
        Missing(subject=WHERE, mailbox=WHOSE, key=key, why=Why.TIMED_OUT, detail=value.removeprefix("gap: "))
        if isinstance(value, str) and value.startswith("gap: ")
        else Fact(subject=WHERE, mailbox=WHOSE, key=key, value=value, provenance=Observed(), at=datetime(2026, 11, 24, tzinfo=UTC))
        for key, value in known.items()
    ]
    judged = [an_assessment(WHOSE, Support.SUPPORTED, Readiness.READY)]
    shown = render(a_run(estate=an_estate(a_mailbox(WHOSE)), assessments=judged, readings=readings))
    return " ".join(shown.partition("TEST MESSAGES")[2].partition("ENDPOINTS")[0].replace("=", "").split())


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (
            {v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_REPLY: "250 ok", v.ROUNDTRIP_MILLISECONDS: 676, v.ROUNDTRIP_REMOVED: True},
            "came back after 0.7 s and was deleted",
        ),
        (
            {v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_REPLY: "250 ok", v.ROUNDTRIP_MILLISECONDS: 12000, v.ROUNDTRIP_REMOVED: False},
            "came back after 12.0 s and is STILL THERE, marked as deleted at most",
        ),
        (
            {v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_MILLISECONDS: "gap: not deleted: probe round trip 00", v.ROUNDTRIP_REMOVED: "gap: x"},
            "not seen to come back: not deleted: probe round trip 00",
        ),
        ({v.ROUNDTRIP_SENT: False, v.ROUNDTRIP_REPLY: "550-no\n550 never"}, "the server did not take it: 550-no / 550 never"),
    ],
)
def test_what_became_of_a_test_message_is_told(known: dict[FactKey[Any], Any], said: str) -> None:
    """Whoever allowed a message to be sent reads what became of it, above all where it may have stayed."""
    assert told(known) == f"{WHOSE}: {said}"


def test_where_no_message_was_sent_nothing_is_said_of_any() -> None:
    """A run that sends nothing has no such section."""
    assert told({}) == ""
    assert told({v.ROUNDTRIP_SENT: "gap: its effect is sends-mail, which is not allowed here"}) == ""
