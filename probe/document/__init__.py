"""The published form of a run: the document `probe.run/2`, and what a report is.

Document and run are two forms of one thing: `forms` defines the document, `publishing` makes it from a run, and `reading` makes
the run from it again. `index` joins what the document says in one place and refers to by id in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from probe.document.index import Index
from probe.document.packing import is_in_packed, packed_run, packed_without, unpacked_run
from probe.document.publishing import conclusion_form, in_sections, json_pieces, publish, rule_form, shown
from probe.document.reading import NotADocument, carried_over, read_run, readings
from probe.document.storing import load_document
from probe.model.rules import Support
from probe.model.values import dataclass

if TYPE_CHECKING:
    from probe.document.forms import parse, schema, schema_text
    from probe.document.gate_forms import gate_schema, gate_schema_text
    from probe.document.telling.coming import Outlook

__all__ = [
    "Index",
    "NotADocument",
    "Report",
    "ReportOptions",
    "carried_over",
    "conclusion_form",
    "gate_schema",
    "gate_schema_text",
    "in_sections",
    "is_in_packed",
    "json_pieces",
    "load_document",
    "packed_run",
    "packed_without",
    "parse",
    "publish",
    "read_run",
    "readings",
    "rule_form",
    "schema",
    "schema_text",
    "shown",
    "unpacked_run",
]


_FORMS = ("parse", "schema", "schema_text")
_GATE_FORMS = ("gate_schema", "gate_schema_text")


def __getattr__(name: str) -> Any:
    # The forms load pydantic, which takes a third of the time of a look at one endpoint. Writing a run does not need them.
    if name in _FORMS:
        from probe.document import forms

        return getattr(forms, name)
    if name in _GATE_FORMS:
        from probe.document import gate_forms

        return getattr(gate_forms, name)
    raise AttributeError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Options of a report. A format for machines may ignore all of them."""

    width: int = 80
    """Columns of the terminal."""
    colour: bool = False
    transcripts: bool = False
    """Whether the transcripts are shown in full."""
    quiet: bool = False
    """Whether only the table of verdicts is shown."""
    verbose: bool = False
    """Whether the endpoints, every name and what was not asked are shown too."""
    accept: frozenset[Support] = frozenset()
    """Verdicts on support that a script lets pass."""
    ahead: Callable[[], Outlook] | None = None
    """Works out what comes, for a report that looks ahead; None where nobody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rendering of a published run."""

    id: str
    title: str
    media_type: str
    render: Callable[[Mapping[str, Any], ReportOptions], Iterable[str]]
    """Turns a document, as `publish` makes it, into text in pieces. The text ends with a newline."""
    with_exit_code: Callable[[Mapping[str, Any], ReportOptions], tuple[Iterable[str], int]] | None = None
    """The same text with the exit code that the readers of this format go by, both reckoned at once; None where the exit code is the command's own."""
    looks_ahead: bool = False
    """Whether it tells what comes, which takes as long as to judge the run dozens of times."""
