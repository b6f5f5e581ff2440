"""What Dynamics reports, beside what was predicted, and what its alerts mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probe import app
from probe.dynamics import MailboxRow, Option, TraceLog
from probe.enabling.course import Begun
from probe.enabling.outcomes import agrees, alert_form, done_form, pending_form, report_of, retold
from probe.model.rules import Finding, Result

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
PREDICTED = {"incoming": "success", "outgoing": "unknown", "appointments": None}
BEGUN = Begun(id="1", before=None, requested=NOW, predicted=PREDICTED)
UNAUTHORIZED = "Email Server Error Code: Http server returned 401 Unauthorized exception."


def a_row(incoming: int | None, outgoing: int | None, appointments: int | None = 2) -> MailboxRow:
    """With the three statuses."""
    said = [None if number is None else Option(number, None) for number in (incoming, outgoing, appointments)]
    return MailboxRow(id="1", incoming_status=said[0], outgoing_status=said[1], appointments_status=said[2])


def found(**results: Result) -> dict[str, Finding]:
    """Findings of these rules."""
    rules = app.rules()
    return {
        name.replace("_", "-"): Finding(rule=rules[name.replace("_", "-")], result=result, because=()) for name, result in results.items()
    }


def test_the_directions_that_are_used_are_reported() -> None:
    """A status that is missing, or that no page names, is none that can be told."""
    assert report_of(a_row(1, 2), PREDICTED) == {"incoming": "success", "outgoing": "failure", "appointments": None}
    assert report_of(a_row(None, 7), PREDICTED) == {"incoming": "not-run", "outgoing": "not-run", "appointments": None}


@pytest.mark.parametrize(("incoming", "agreement"), [("success", True), ("failure", False), ("not-run", None)])
def test_what_was_predicted_is_compared(incoming: str, agreement: bool | None) -> None:
    """Of what was not predicted nothing is said."""
    assert agrees(PREDICTED, {"incoming": incoming, "outgoing": "failure", "appointments": None}) is agreement


def test_an_outcome_is_told_again_as_it_was() -> None:
    """Out of its line in the audit, which has more."""
    form = done_form(BEGUN, a_row(1, 1), [], NOW)
    assert form["agrees"] is True
    assert retold({"at": "", "who": "", **form}) == form
    assert pending_form(BEGUN)["outcome"] == {"incoming": "not-run", "outgoing": "not-run", "appointments": None}


def test_an_alert_is_told_with_its_number_as_it_came() -> None:
    """In any language, by its code; without the secrets that it repeats; a level that has no name here stays a number."""
    alert = TraceLog(id="2", level=Option(3, None), code=7001, message=f"Geheim: {UNAUTHORIZED}")
    form = alert_form(alert, found(token_wanted=Result.FAILS), lambda text: text.replace("Geheim", "***"))
    assert form == {"level": "error", "code": 7001, "text": f"***: {UNAUTHORIZED}", "causes": ["token-wanted"], "meaning": None}
    strange = alert_form(TraceLog(id="3", level=Option(9, None), message="UnknownIncomingEmailIntegrationError"), {}, str)
    assert (strange["level"], strange["causes"]) == ("9", [])
    assert strange["meaning"] == "A plug-in or a workflow of the organization aborted what Dynamics did with the mail."
