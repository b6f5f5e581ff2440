"""A run as it is published: the document `probe.run/2`, and what a report is.

Document and run are two forms of one thing: `forms` says what the document looks like, `publishing` makes it of a run, and `reading` makes
the run of it again. `index` brings together what it says in one place and names in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from probe.document.index import Index
from probe.document.publishing import in_sections, json_pieces, publish, shown
from probe.document.reading import NotADocument, carried_over, read_run, readings
from probe.document.storing import load_document
from probe.model.rules import Support
from probe.model.values import dataclass

if TYPE_CHECKING:
    from probe.document.forms import parse, schema, schema_text
    from probe.document.gate_forms import gate_schema, gate_schema_text

__all__ = [
    "Index",
    "NotADocument",
    "Report",
    "ReportOptions",
    "carried_over",
    "gate_schema",
    "gate_schema_text",
    "in_sections",
    "json_pieces",
    "load_document",
    "parse",
    "publish",
    "read_run",
    "readings",
    "schema",
    "schema_text",
    "shown",
]


_FORMS = ("parse", "schema", "schema_text")
_GATE_FORMS = ("gate_schema", "gate_schema_text")


def __getattr__(name: str) -> Any:
    # The forms bring pydantic, a third of the time that a look at one endpoint takes; to write a run they are not needed.
    if name in _FORMS:
        from probe.document import forms

        return getattr(forms, name)
    if name in _GATE_FORMS:
        from probe.document import gate_forms

        return getattr(gate_forms, name)
    raise AttributeError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a report is wanted. A format for machines may ignore all of it."""

    width: int = 80
    """Columns of the terminal."""
    colour: bool = False
    transcripts: bool = False
    """Whether the conversations are shown word for word."""
    quiet: bool = False
    """The table of verdicts alone."""
    verbose: bool = False
    """Also the endpoints, every name, and what was not asked."""
    accept: frozenset[Support] = frozenset()
    """Verdicts on support that a script lets pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rendering of a published run."""

    id: str
    title: str
    media_type: str
    render: Callable[[Mapping[str, Any], ReportOptions], Iterable[str]]
    """From the document, as `publish` makes it, to text in pieces, which ends with a newline."""
    exit_code: Callable[[Mapping[str, Any], ReportOptions], int] | None = None
    """The exit code that the readers of this format go by; None where it is the command's own."""
