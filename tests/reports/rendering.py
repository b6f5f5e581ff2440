"""Text reports of small runs, for tests of what they say."""

from __future__ import annotations

from typing import Any

from probe.document import ReportOptions, publish
from probe.model.facts import Reading
from probe.model.remedies import steps
from probe.model.rules import Finding, Readiness, Support
from probe.model.runs import Run
from probe.reports.text import REPORT
from tests.runs import (
    a_mailbox,
    a_run,
    an_assessment,
    an_estate,
)


def render(run: Run, *, signed_in: str = "yes", **options: Any) -> str:
    """The text report of a run in which it stands so with signing in for every mailbox that is served."""
    document = publish(run)
    assessments = [{**a, "signed_in": None if a["support"] == Support.NOT_ASSESSED else signed_in} for a in document["assessments"]]
    return "".join(REPORT.render({**document, "assessments": assessments}, ReportOptions(**options)))


def may_be_wider(line: str) -> bool:
    """Whether a line may be wider than the page: it holds a URL, or is a command to be pasted."""
    return "://" in line or any(step.is_command for step in steps(f"`{line.strip()}`"))


def one_mailbox(run_of: Any) -> Run:
    """A run of one mailbox with one finding."""
    return a_run(
        estate=an_estate(a_mailbox("sales@branch.test")),
        assessments=[an_assessment("sales@branch.test", Support.UNSUPPORTED, Readiness.READY, run_of)],
    )


def of_one_mailbox(*findings: Finding, support: Support = Support.UNDETERMINED, readings: tuple[Reading, ...] = ()) -> str:
    """The report of one mailbox with some findings, its spaces folded."""
    judged = [an_assessment("sales@branch.test", support, Readiness.UNDETERMINED, *findings)]
    return " ".join(render(a_run(estate=an_estate(), assessments=judged, readings=readings)).partition("MAILBOXES")[2].split())
