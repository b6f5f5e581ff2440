"""JUnit XML for Jenkins, GitLab and Azure DevOps: a suite for each profile, a case for each mailbox; of a look, a case for each attempt.

A mailbox that is not ready or not supported is a failure. One of which it is not known is an error: what was not seen never passes.

The forms are those of Jenkins' schema (junit-10.xsd of its xUnit plugin). GitLab shows what stands within an element, takes the first of several cases of
one name, and files of less than 30 MB (https://docs.gitlab.com/ci/testing/unit_test_reports, read 2026-11-30). Azure DevOps shows the attribute
`message`, counts an error as failed, adds up the times of the suites, and drops a case without a name (JunitResultReader.cs of azure-pipelines-agent).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree

from probe.document import Report, ReportOptions
from probe.document.telling.blocks import Block, blocks_of
from probe.document.telling.groups import Group, groups_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.words import spaced
from probe.model.attempts import Outcome
from probe.model.characters import visible
from probe.model.rules import Grade, Support

_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What stands in no document of XML 1.0, not even as a reference: https://www.w3.org/TR/xml/#charsets."""


def _render(document: Mapping[str, Any], options: ReportOptions) -> Iterator[str]:
    root = ElementTree.Element("testsuites", name="probe", time=f"{_duration(document):.3f}")
    suites = _looked_at(root, document) if document["estate"] is None else _checked(root, document, options)
    if document["interrupted"]:
        suite = suites.setdefault("run", _suite(root, "run", document))
        _case(suite, "run", "run", "error", "interrupted", "the run was interrupted: what is missing here was not asked")
    for suite in suites.values():
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        suite.set("time", f"{sum(float(case.attrib['time']) for case in cases):.3f}")
        for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    ElementTree.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield ElementTree.tostring(root, encoding="unicode") + "\n"


def _checked(root: ElementTree.Element, document: Mapping[str, Any], options: ReportOptions) -> dict[str, ElementTree.Element]:
    known, on = Known(document), date.fromisoformat(document["judged_at"])
    took: dict[str, float] = defaultdict(float)
    for attempt in known.all_attempts:
        if attempt["mailbox"] is not None:
            took[attempt["mailbox"]] += attempt["seconds"]
    suites: dict[str, ElementTree.Element] = {}
    for group in groups_of(blocks_of(document["assessments"], known), on):
        for block in group.blocks:
            name = f"profile {block.profile}"
            suite = suites.get(name)
            if suite is None:
                suite = suites[name] = _suite(root, name, document)
            for address in block.addresses:
                _of_mailbox(suite, address, group, block, known, on, options, took[address])
    return suites


def _of_mailbox(
    suite: ElementTree.Element, address: str, group: Group, block: Block, known: Known, on: date, options: ReportOptions, seconds: float
) -> None:
    if block.support is Support.NOT_ASSESSED:
        _case(suite, block.profile, address, "skipped", "", group.cause[0], seconds=seconds)
    elif (stands := block.grade(options.accept)) is Grade.GOOD:
        case = _case(suite, block.profile, address, seconds=seconds)
        ElementTree.SubElement(case, "system-out").text = _in_xml(block.verdict)
    else:
        how = "failure" if stands is Grade.BAD else "error"
        decided = (f"{finding['title']} ({finding['rule']})" for finding in block.decided)
        text = "\n".join((block.verdict, *decided, step_for(block, address, known, on)))
        _case(suite, block.profile, address, how, spaced(block.status.lower()), group.cause[0], text=text, seconds=seconds)


def _looked_at(root: ElementTree.Element, document: Mapping[str, Any]) -> dict[str, ElementTree.Element]:
    suites: dict[str, ElementTree.Element] = {}
    for attempt in document["attempts"]:
        subject = attempt["subject"]
        suite = suites.get(subject)
        if suite is None:
            suite = suites[subject] = _suite(root, subject, document)
        name = f"{attempt['prober']} {subject}" + (f" at {attempt['address']}" if attempt["address"] else "")
        seconds, outcome = attempt["seconds"], Outcome(attempt["outcome"])
        if outcome is Outcome.COMPLETED:
            _case(suite, subject, name, seconds=seconds)
        elif outcome is Outcome.NOT_SCHEDULED:
            _case(suite, subject, name, "skipped", "", attempt["detail"])
        else:
            _case(suite, subject, name, "error", outcome, f"{spaced(outcome)}: {attempt['detail']}".removesuffix(": "), seconds=seconds)
    return suites


def _duration(document: Mapping[str, Any]) -> float:
    started, finished = (datetime.fromisoformat(document[end]) for end in ("started", "finished"))
    return (finished - started).total_seconds()


def _suite(root: ElementTree.Element, name: str, document: Mapping[str, Any]) -> ElementTree.Element:
    started = datetime.fromisoformat(document["started"])
    # The schema of Ant's task, which the others follow, takes a time without a zone: it is UTC.
    return ElementTree.SubElement(
        root,
        "testsuite",
        name=_in_xml(name),
        timestamp=started.replace(tzinfo=None).isoformat(),
        hostname=_in_xml(document["from"]),
    )


def _case(
    suite: ElementTree.Element,
    classname: str,
    name: str,
    how: str = "",
    kind: str = "",
    message: str = "",
    *,
    text: str = "",
    seconds: float = 0.0,
) -> ElementTree.Element:
    """Add a case. How it ended stands in an element: `message` in its attribute, and that or a longer `text` within."""
    case = ElementTree.SubElement(suite, "testcase", classname=_in_xml(classname), name=_in_xml(name), time=f"{seconds:.3f}")
    if how:
        ended = ElementTree.SubElement(case, how, {"message": _in_xml(message), **({"type": kind} if kind else {})})
        ended.text = _in_xml(text or message)
    return case


def _in_xml(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", visible(text, keep="\n"))


REPORT = Report(
    id="junit",
    title="JUnit XML for Jenkins, GitLab and Azure DevOps: a case for each mailbox; what is not known is an error.",
    media_type="application/xml",
    render=_render,
)
