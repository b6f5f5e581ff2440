"""Tests of JUnit XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest
from lxml import etree

from probe.document import ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.rules import Grade, Readiness, Result, Support, grade
from probe.model.runs import Run
from probe.reports.junit import REPORT
from tests.runs import POP, REACHED, SMTP, TOO_OLD, a_checked_run, a_fact, a_finding, a_mailbox, a_run, an_assessment, an_attempt, an_estate

_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "junit-10.xsd"))
"""What Jenkins takes; see the README beside it."""
_GITLABS_LIMIT = 30_000_000
"""Bytes of a file, by https://docs.gitlab.com/ci/testing/unit_test_reports."""


def written(run: Run, **options: Any) -> Element:
    """What is written of a run, as each of its readers must find it."""
    text = "".join(REPORT.render(publish(run), ReportOptions(**options)))
    _SCHEMA.assertValid(etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True)))
    root: Element = defusedxml.ElementTree.fromstring(text.encode())
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert all(name.strip() for name in names)  # Azure DevOps drops a case without one
    assert len(names) == len(set(names))  # of several GitLab takes the first
    assert len(text.encode()) < _GITLABS_LIMIT
    for suite in root:
        cases = list(suite)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
        assert int(suite.attrib["tests"]) == len(cases)
        assert float(suite.attrib["time"]) == pytest.approx(sum(float(case.attrib["time"]) for case in cases))
        for ended in (one for case in cases for one in case):
            assert (ended.text or "").strip()  # all that GitLab shows of it
            assert ended.tag == "system-out" or ended.attrib["message"].strip()  # what Azure DevOps shows first
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
    assert outcome(root, f"pop3-capabilities {POP} at 192.0.2.7") == "passed"
    assert outcome(root, f"smtp-extensions {SMTP} at 192.0.2.7") == "error"
    assert outcome(root, f"starttls-injection {SMTP} at 192.0.2.7") == "skipped"


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


@pytest.mark.parametrize("support", [one for one in Support if one is not Support.NOT_ASSESSED])
@pytest.mark.parametrize("readiness", [one for one in Readiness if one is not Readiness.NOT_ASSESSED])
def test_only_what_is_known_to_be_good_passes(support: Support, readiness: Readiness) -> None:
    """Of every pair of verdicts: what is bad is a failure, and what is not known is an error, which each reader counts as failed."""
    judged = an_assessment("a@branch.test", support, readiness)
    expected = {Grade.GOOD: "passed", Grade.BAD: "failure", Grade.OPEN: "error"}[grade(support, readiness)]
    assert outcome(written(a_run(estate=an_estate(), assessments=[judged])), "a@branch.test") == expected


@pytest.mark.parametrize("ended", list(Outcome))
def test_only_what_was_completed_passes(ended: Outcome) -> None:
    """Of a look: whatever else came of an attempt does not pass, and what was not asked is skipped."""
    (case,) = written(a_run(attempts=[an_attempt(1, POP, ended, "said so" if ended is not Outcome.COMPLETED else "")])).iter("testcase")
    found = [one.tag for one in case]
    assert found == ([] if ended is Outcome.COMPLETED else ["skipped"] if ended is Outcome.NOT_SCHEDULED else ["error"])


def test_conversations_of_one_kind_with_one_address_are_told_apart() -> None:
    """Two endpoints of one machine have two cases with different names."""
    attempts = [an_attempt(number, subject, prober="tls-handshake") for number, subject in enumerate((POP, SMTP), start=1)]
    assert len(list(written(a_run(attempts=attempts)).iter("testcase"))) == 2


def test_a_mailbox_takes_the_time_of_its_own_conversations() -> None:
    """And the whole file that of the run, so that times that a reader adds up make sense."""
    root = written(a_checked_run())
    took = {case.attrib["name"]: float(case.attrib["time"]) for case in root.iter("testcase")}
    assert took["info@contoso.test"] == pytest.approx(0.031)
    assert took["pop@branch.test"] == 0
    assert float(root.attrib["time"]) == 7
