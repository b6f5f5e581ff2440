"""JUnit XML for Jenkins, GitLab and Azure DevOps: a suite for each profile, a case for each mailbox; of a look, a case for each attempt.

A mailbox that is not ready or not supported is a failure. One of which it is not known is an error: what was not seen never passes.
"""

from __future__ import annotations

import re
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
    root = ElementTree.Element("testsuites", name="probe")
    suites = _looked_at(root, document) if document["estate"] is None else _checked(root, document, options)
    if document["interrupted"]:
        suite = suites.setdefault("run", _suite(root, "run", document))
        _case(suite, "run", "run", "error", "interrupted", "the run was interrupted: what is missing here was not asked")
    for suite in suites.values():
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    ElementTree.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield ElementTree.tostring(root, encoding="unicode") + "\n"


def _checked(root: ElementTree.Element, document: Mapping[str, Any], options: ReportOptions) -> dict[str, ElementTree.Element]:
    known, on = Known(document), date.fromisoformat(document["judged_at"])
    suites: dict[str, ElementTree.Element] = {}
    for group in groups_of(blocks_of(document["assessments"], known), on):
        for block in group.blocks:
            name = f"profile {block.profile}"
            suite = suites.get(name)
            if suite is None:
                suite = suites[name] = _suite(root, name, document)
            for address in block.addresses:
                _of_mailbox(suite, address, group, block, known, on, options)
    return suites


def _of_mailbox(
    suite: ElementTree.Element, address: str, group: Group, block: Block, known: Known, on: date, options: ReportOptions
) -> None:
    if block.support is Support.NOT_ASSESSED:
        _case(suite, block.profile, address, "skipped", "", group.cause[0])
    elif (stands := block.grade(options.accept)) is Grade.GOOD:
        case = _case(suite, block.profile, address)
        ElementTree.SubElement(case, "system-out").text = _in_xml(block.verdict)
    else:
        how = "failure" if stands is Grade.BAD else "error"
        case = _case(suite, block.profile, address, how, spaced(block.status.lower()), group.cause[0])
        text = [block.verdict, *(f"{finding['title']} ({finding['rule']})" for finding in block.decided)]
        case[0].text = _in_xml("\n".join((*text, step_for(block, address, known, on))))


def _looked_at(root: ElementTree.Element, document: Mapping[str, Any]) -> dict[str, ElementTree.Element]:
    suites: dict[str, ElementTree.Element] = {}
    for attempt in document["attempts"]:
        subject = attempt["subject"]
        suite = suites.get(subject)
        if suite is None:
            suite = suites[subject] = _suite(root, subject, document)
        name = attempt["prober"] + (f" at {attempt['address']}" if attempt["address"] else "")
        seconds, outcome = f"{attempt['seconds']:.3f}", Outcome(attempt["outcome"])
        if outcome is Outcome.COMPLETED:
            _case(suite, subject, name, seconds=seconds)
        elif outcome is Outcome.NOT_SCHEDULED:
            _case(suite, subject, name, "skipped", "", attempt["detail"])
        else:
            _case(suite, subject, name, "error", outcome, f"{spaced(outcome)}: {attempt['detail']}".removesuffix(": "), seconds=seconds)
    return suites


def _suite(root: ElementTree.Element, name: str, document: Mapping[str, Any]) -> ElementTree.Element:
    started, finished = (datetime.fromisoformat(document[end]) for end in ("started", "finished"))
    # The schema of Ant's task, which the others follow, takes a time without a zone: it is UTC.
    return ElementTree.SubElement(
        root,
        "testsuite",
        name=_in_xml(name),
        timestamp=started.replace(tzinfo=None).isoformat(),
        hostname=_in_xml(document["from"]),
        time=f"{(finished - started).total_seconds():.3f}",
    )


def _case(
    suite: ElementTree.Element, classname: str, name: str, how: str = "", kind: str = "", message: str = "", *, seconds: str = "0"
) -> ElementTree.Element:
    case = ElementTree.SubElement(suite, "testcase", classname=_in_xml(classname), name=_in_xml(name), time=seconds)
    if how:
        ElementTree.SubElement(case, how, {"message": _in_xml(message), **({"type": kind} if kind else {})})
    return case


def _in_xml(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", visible(text, keep="\n"))


REPORT = Report(
    id="junit",
    title="JUnit XML for Jenkins, GitLab and Azure DevOps: a case for each mailbox; what is not known is an error.",
    media_type="application/xml",
    render=_render,
)
