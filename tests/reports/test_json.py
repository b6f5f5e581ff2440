"""Tests of the report for programs."""

from __future__ import annotations

import json

from probe.document import Options, publish
from probe.reports.json import REPORT
from tests.runs import a_checked_run, a_run


def test_it_is_the_document() -> None:
    """The JSON report is one JSON document, the published run, and a newline."""
    document = publish(a_checked_run())
    text = REPORT.render(document, Options(quiet=True, colour=True, width=10))
    assert text == json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def test_letters_stand_as_they_are() -> None:
    """Letters outside ASCII are not escaped, so that the report can be read."""
    assert '"from": "zürich"' in REPORT.render(publish(a_run(host="zürich")), Options())
