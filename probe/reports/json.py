"""The document itself as JSON, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from probe.document import Report, ReportOptions, json_pieces


def _render(document: Mapping[str, Any], _options: ReportOptions) -> Iterable[str]:
    return json_pieces(document)


REPORT = Report(id="json", title="The whole run as one JSON document (probe.run/2).", media_type="application/json", render=_render)
