"""Tests of joining the parts: exit codes, and what a run leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from probe import app
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Estate
from probe.model.rules import NO_DIRECTION, Assessment, Readiness, Support
from probe.model.runs import Run
from tests.engine.test_select import CORP, DEPLOYMENT, SERVED
from tests.runs import ASKED

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def attempt(outcome: Outcome) -> Attempt:
    return Attempt(
        id="a1",
        at=AT,
        prober="p",
        subject="pop3s://x:995",
        mailbox=None,
        address=None,
        outcome=outcome,
        detail="",
        connections=0,
        seconds=0.0,
        transcript=(),
        readings=(),
    )


def assessment(support: str, readiness: str) -> Assessment:
    return Assessment(
        mailbox="a@contoso.test",
        profile="corp",
        support=Support(support),
        readiness=Readiness(readiness),
        directions=NO_DIRECTION,
        signed_in=None,
        findings=(),
    )


def run(*parts: Attempt | Assessment, interrupted: bool = False, judged: bool = True) -> Run:
    return Run(
        id="r",
        probe="0",
        host="h",
        started=AT,
        finished=AT,
        judged_at=date(2026, 11, 23),
        estate=Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(SERVED,)) if judged else None,
        asked=ASKED,
        attempts=tuple(p for p in parts if isinstance(p, Attempt)),
        readings=(),
        assessments=tuple(p for p in parts if isinstance(p, Assessment)),
        interrupted=interrupted,
    )


GOOD = assessment("supported", "ready")
BUG = attempt(Outcome.BUG)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (run(GOOD), 0),
        (run(GOOD, assessment("not-assessed", "not-assessed")), 0),
        (run(GOOD, assessment("supported", "undetermined")), 3),
        (run(GOOD, assessment("undetermined", "ready")), 3),
        (run(GOOD, assessment("undetermined", "undetermined"), assessment("supported", "not-ready")), 1),
        (run(assessment("unsupported", "ready")), 1),
        (run(assessment("not-listed", "ready")), 1),
        (run(assessment("unsupported", "ready"), BUG), 70),
        (run(GOOD, BUG, interrupted=True), 130),
        (run(attempt(Outcome.COMPLETED), judged=False), 0),
        (run(attempt(Outcome.COMPLETED), attempt(Outcome.NOT_SCHEDULED), judged=False), 0),
        (run(attempt(Outcome.COMPLETED), attempt(Outcome.TIMED_OUT), judged=False), 3),
        (run(BUG, judged=False), 70),
    ],
)
def test_a_run_has_the_exit_code_of_its_worst_part(made: Run, code: int) -> None:
    """130 goes before 70, then 1, 3 and 0; a look is judged by its attempts alone."""
    assert app.exit_code(made) == code


def test_not_listed_may_be_accepted() -> None:
    """What the operator accepts does not count, but everything else still does."""
    accept = frozenset({Support.NOT_LISTED})
    assert app.exit_code(run(assessment("not-listed", "ready")), accept) == 0
    assert app.exit_code(run(assessment("not-listed", "not-ready")), accept) == 1
    assert app.exit_code(run(assessment("unsupported", "ready")), accept) == 1
