"""Tests of the folder of reports."""

from __future__ import annotations

from probe import catalogue
from probe.document import Report


def test_the_reports_are_known_by_their_files() -> None:
    """Every file of the folder holds one report, named as the file is."""
    reports = catalogue.load("probe.reports", "REPORT", Report)
    assert {"json", "text"} <= set(reports)
    assert reports["json"].media_type == "application/json"
