"""Tests of the table for a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from probe.document import ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Readiness, Support
from probe.model.runs import Run
from probe.reports.csv import REPORT
from tests.runs import POP, a_checked_run, a_fact, a_gap, a_mailbox, a_run, an_assessment, an_estate


def rows(run: Run) -> list[dict[str, str]]:
    text = "".join(REPORT.render(publish(run), ReportOptions()))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_there_is_a_row_for_each_mailbox_with_its_verdict_and_what_to_do() -> None:
    """Every mailbox has one row, the most pressing first; what to do stands where something is to be done."""
    told = rows(a_checked_run())
    assert len(told) == len(a_checked_run().assessments)
    by_address = {row["address"]: row for row in told}
    assert told[0]["status"] == "NOT READY"
    info, listed = by_address["info@contoso.test"], by_address["listed@contoso.test"]
    assert (info["support"], info["readiness"], info["incoming"], info["appointments"]) == ("unsupported", "not-ready", "not-ready", "")
    assert info["what_to_do"].startswith("What to do about")
    assert info["endpoints"].startswith("https://mail.contoso.test:443/")
    assert (listed["status"], listed["what_to_do"]) == ("READY", "")


def test_of_a_look_there_is_a_row_for_each_fact_and_each_gap() -> None:
    """A look has facts alone, and why others are not known."""
    gap = a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, "it hides it")
    told = rows(a_run(readings=[a_fact(v.AUTH_MECHANISMS, ("PLAIN", "LOGIN")), gap]))
    assert told[0] == {
        "subject": POP,
        "key": "auth.mechanisms",
        "value": "PLAIN, LOGIN",
        "basis": "observed",
        "why_unknown": "",
        "detail": "",
    }
    assert (told[1]["key"], told[1]["why_unknown"], told[1]["detail"]) == ("server.version", "the server did not say", "it hides it")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_no_cell_is_a_formula(start: str) -> None:
    """A server's words that a spreadsheet would reckon are led by an apostrophe."""
    (row,) = rows(a_run(readings=[a_fact(v.PROTOCOL_GREETING, f"{start}cmd|' /C calc'!A0")]))
    assert row["value"] == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("words", ["x;=cmd|' /C calc'!A0", 'x;  @SUM("a")', "a, b;-1;+2"])
def test_no_cell_is_a_formula_where_semicolons_part_them(words: str) -> None:
    """A spreadsheet of another language takes the same file for cells between semicolons, and none of those is a formula either."""
    text = "".join(REPORT.render(publish(a_run(readings=[a_fact(v.PROTOCOL_GREETING, words)])), ReportOptions()))
    cells = [cell.strip(' "') for row in csv.reader(io.StringIO(text), delimiter=";") for cell in row]
    assert len(cells) > len(text.splitlines())
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    (row,) = rows(a_run(readings=[a_fact(v.PROTOCOL_GREETING, words)]))
    assert row["value"].replace("'", "") == words.replace("'", "")


def test_controls_and_quotes_part_no_row() -> None:
    """Controls are escapes, and quotes and commas stand in quotes, so that a row is a row; lines end as RFC 4180 has it."""
    address = '"sales,x"@branch.test'
    assessment = an_assessment(address, Support.SUPPORTED, Readiness.READY)
    (row,) = rows(a_run(estate=an_estate(a_mailbox(address)), assessments=[assessment]))
    assert row["address"] == address
    (row,) = rows(a_run(readings=[a_fact(v.PROTOCOL_GREETING, "a\tb\rc\x1b")]))
    assert row["value"] == "a\\x09b\\x0dc\\x1b"
    assert "".join(REPORT.render(publish(a_run()), ReportOptions())).endswith("\r\n")
