"""The document as JSON Lines: an object a line, each of which says its kind, for `jq`, log shippers and databases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from probe.document import Report, ReportOptions, shown

_KINDS = {"attempts": "attempt", "facts": "fact", "missing": "missing", "assessments": "assessment"}
"""By array of the document, the kind of its elements."""


def _render(document: Mapping[str, Any], _options: ReportOptions) -> Iterator[str]:
    """The run itself first, then what its arrays hold, in their order."""
    yield _line("run", {name: part for name, part in document.items() if name not in (*_KINDS, "rules")})
    for name, form in document["rules"].items():
        yield _line("rule", {"id": name, **form})
    for array, kind in _KINDS.items():
        yield from _lines(kind, document[array])


def _lines(kind: str, elements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (_line(kind, element) for element in elements)


def _line(kind: str, form: Mapping[str, Any]) -> str:
    return json.dumps(shown({"kind": kind, **form}), separators=(",", ":")) + "\n"


REPORT = Report(
    id="jsonl",
    title="The run as JSON Lines: the run, rules, attempts, facts, gaps and assessments, an object a line with its `kind`.",
    media_type="application/jsonl",
    render=_render,
)
