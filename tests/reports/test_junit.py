"""Tests of JUnit XML."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest

from probe.document import ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.rules import Readiness, Result, Support
from probe.model.runs import Run
from probe.reports.junit import REPORT
from tests.runs import POP, REACHED, SMTP, TOO_OLD, a_checked_run, a_fact, a_finding, a_mailbox, a_run, an_assessment, an_attempt, an_estate

ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name"}, {"testsuite"}),
    "testsuite": ({"name", "timestamp", "hostname", "time", "tests", "failures", "errors", "skipped"}, {"testcase"}),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
"""What the schema that Jenkins' xunit plugin publishes (junit-10.xsd) has of attributes and children."""


def written(run: Run, **options: Any) -> Element:
    text = "".join(REPORT.render(publish(run), ReportOptions(**options)))
    root: Element = defusedxml.ElementTree.fromstring(text.encode())
    for element in root.iter():
        attributes, children = ALLOWED[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
    for suite in root:
        cases = list(suite)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
        assert int(suite.attrib["tests"]) == len(cases)
    return root


def outcome(root: Element, name: str) -> str:
    (case,) = [case for case in root.iter("testcase") if case.attrib["name"] == name]
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def test_each_mailbox_is_a_case_and_nothing_unknown_passes() -> None:
    """Not ready and unsupported fail, undetermined is an error, what is not served is skipped, and only what is good passes."""
    root = written(a_checked_run())
    assert {suite.attrib["name"] for suite in root} == {"profile branch", "profile corp"}
    for name, expected in {
        "listed@contoso.test": "passed",
        "info@contoso.test": "failure",
        "pop@branch.test": "failure",
        "silent@branch.test": "error",
        "new@contoso.test": "failure",
        "unserved@branch.test": "skipped",
    }.items():
        assert outcome(root, name) == expected


def test_what_is_accepted_passes() -> None:
    """A mailbox that is not listed passes where that is accepted, as the exit code has it."""
    assert outcome(written(a_checked_run(), accept=frozenset({Support.NOT_LISTED})), "new@contoso.test") == "passed"


def test_a_failure_tells_cause_and_what_to_do() -> None:
    """Whoever reads the case alone knows why and what next."""
    (case,) = [case for case in written(a_checked_run()).iter("testcase") if case.attrib["name"] == "info@contoso.test"]
    assert case[0].attrib["message"].startswith(REACHED.title)
    assert "What to do about" in (case[0].text or "")


def test_of_a_look_each_attempt_is_a_case() -> None:
    """An attempt that did not complete is an error with its outcome; one that was not held is skipped."""
    attempts = [
        an_attempt(1, POP),
        an_attempt(2, SMTP, Outcome.TIMED_OUT, "no greeting", prober="smtp-extensions"),
        an_attempt(3, SMTP, Outcome.NOT_SCHEDULED, "nobody allowed it", prober="starttls-injection"),
    ]
    root = written(a_run(attempts=attempts))
    assert outcome(root, "pop3-capabilities at 192.0.2.7") == "passed"
    assert outcome(root, "smtp-extensions at 192.0.2.7") == "error"
    assert outcome(root, "starttls-injection at 192.0.2.7") == "skipped"


def test_an_interrupted_run_does_not_pass() -> None:
    """What was not asked any more is an error of the run."""
    root = written(a_run(interrupted=True, attempts=[an_attempt()]))
    assert outcome(root, "run") == "error"


@pytest.mark.parametrize("said", ["</failure><evil/>", "]]>", "a\x00b", "a\x0bb\x1b[2J", "\ufffe\uffff", "a\ud800b"])
def test_what_a_server_says_is_text(said: str) -> None:
    """Markup is text, and characters that XML does not know are escapes."""
    seen = a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, said)
    assessment = an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, seen))
    root = written(a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=[assessment]))
    assert outcome(root, "a@branch.test") == "failure"


def test_what_is_not_supported_comes_with_its_own_remedy() -> None:
    """A mailbox that works and is not supported is told what to do about that, not about its readiness."""
    seen = a_fact(v.SERVER_PRODUCT, "Exchange Server 2007", POP)
    judged = an_assessment("a@branch.test", Support.UNSUPPORTED, Readiness.READY, a_finding(TOO_OLD, Result.FAILS, seen))
    (case,) = written(a_run(estate=an_estate(), readings=[seen], assessments=[judged])).iter("testcase")
    assert (case[0].text or "").endswith("What to do about exchange-2003-or-2007.")
