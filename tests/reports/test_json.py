"""Tests of the report for programs."""

from __future__ import annotations

import json

import pytest

from probe.document import ReportOptions, publish
from probe.reports.json import REPORT
from tests.runs import a_checked_run, a_run


def test_it_is_the_document() -> None:
    """The JSON report is one JSON document, the published run, and a newline."""
    document = publish(a_checked_run())
    text = "".join(REPORT.render(document, ReportOptions(quiet=True, colour=True, width=10)))
    assert json.loads(text) == document
    assert text.endswith("}\n")


def test_each_element_of_an_array_has_a_line_of_its_own() -> None:
    """A document of thousands of mailboxes is read line by line, and compared line by line; an empty array takes none."""
    document = publish(a_checked_run())
    lines = "".join(REPORT.render(document, ReportOptions())).splitlines()
    for array in ("attempts", "facts", "missing", "assessments"):
        begin = next(number for number, line in enumerate(lines) if line == f'"{array}":[')
        elements = [json.loads(line.rstrip(",")) for line in lines[begin + 1 : begin + 1 + len(document[array])]]
        assert elements == document[array]
    assert "".join(REPORT.render({"a": [], "b": {}, "c": [1]}, ReportOptions())) == '{"a":[],\n"b":{},\n"c":[\n1\n]}\n'
    assert "".join(REPORT.render({}, ReportOptions())) == "{}\n"


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("zürich", r"z\u00fcrich"),
        ("\U0001f600", r"\ud83d\ude00"),
        ("\x7f\x9b", r"\\x7f\\x9b"),
        ("a\u202eb\ufeff\U000e0041", r"a\\u202eb\\ufeff\\U000e0041"),
    ],
)
def test_it_is_written_in_ascii(host: str, written: str) -> None:
    """Letters beyond ASCII are written as the escapes of JSON; what a terminal obeys is an escape in the text itself."""
    text = "".join(REPORT.render(publish(a_run(host=host)), ReportOptions()))
    assert f'"from":"{written}"' in text
    assert text.isascii()


def test_no_control_is_in_it_though_a_document_held_one() -> None:
    """DEL, which is ASCII, is written as an escape of JSON like any other control."""
    assert "".join(REPORT.render({"from": "\x7f\x1b"}, ReportOptions())) == '{"from":"\\u007f\\u001b"}\n'
