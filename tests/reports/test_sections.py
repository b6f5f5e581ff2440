"""The lists of a run's document are made as they are read: no format has one made twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from probe import catalogue
from probe.document import Report, ReportOptions, in_sections
from probe.document.publishing import Section
from probe.model.runs import Run
from tests.runs import a_checked_run

FORMATS = catalogue.load("probe.reports", "REPORT", Report)


class Counted(Section):
    """A list that is made as it is read, and counts how often it is."""

    def __init__(self, section: Section) -> None:
        super().__init__(section._items, section._form, section._written)
        self.readings = 0

    def __iter__(self) -> Iterator[Any]:
        self.readings += 1
        return super().__iter__()

    def in_json(self) -> Iterator[str]:
        self.readings += 1
        return super().in_json()


def _looked() -> Run:
    """The same without an estate."""
    return replace(a_checked_run(), estate=None, assessments=())


@pytest.mark.parametrize("run", [a_checked_run(), _looked()], ids=["check", "look"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_has_no_list_made_twice(name: str, run: Run) -> None:
    """Whatever it shows, and with its exit code where it has one of its own."""
    document = in_sections(run)
    lists = {part: Counted(value) for part, value in document.items() if isinstance(value, Section)}
    report, options = FORMATS[name], ReportOptions(transcripts=True, verbose=True)
    if report.with_exit_code is None:
        pieces = report.render({**document, **lists}, options)
    else:
        pieces, _ = report.with_exit_code({**document, **lists}, options)
    assert "".join(pieces)
    assert {part: one.readings for part, one in lists.items() if one.readings > 1} == {}
