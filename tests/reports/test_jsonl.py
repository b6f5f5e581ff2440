"""Tests of the document as JSON Lines."""

from __future__ import annotations

import json

from probe.document import ReportOptions, publish
from probe.reports.jsonl import REPORT
from tests.runs import a_checked_run, a_run, an_attempt


def test_the_lines_are_the_parts_of_the_document() -> None:
    """Each line is an object with its kind; taken together they hold what the document holds, once."""
    document = publish(a_checked_run())
    lines = [json.loads(line) for line in "".join(REPORT.render(document, ReportOptions())).splitlines()]
    kinds = {"attempts": "attempt", "facts": "fact", "missing": "missing", "assessments": "assessment"}
    for array, kind in kinds.items():
        assert [{k: v for k, v in line.items() if k != "kind"} for line in lines if line["kind"] == kind] == document[array]
    rules = {line["id"]: {k: v for k, v in line.items() if k not in ("kind", "id")} for line in lines if line["kind"] == "rule"}
    assert rules == document["rules"]
    assert lines[0] == {"kind": "run", **{k: v for k, v in document.items() if k not in (*kinds, "rules")}}
    assert sum(line["kind"] == "run" for line in lines) == 1


def test_a_line_is_one_line_in_ascii_whatever_a_server_says() -> None:
    """Neither a line end of a server's nor a letter beyond ASCII parts a line or leaves ASCII."""
    document = publish(a_run(attempts=[an_attempt(detail="a\u2028b\nc zürich\x1b[2J")]))
    text = "".join(REPORT.render(document, ReportOptions()))
    assert text.isascii()
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2
    assert text.endswith("\n")
