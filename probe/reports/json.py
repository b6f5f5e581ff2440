"""The document itself, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probe.document import Options, Report, json_text


def _render(document: Mapping[str, Any], _options: Options) -> str:
    return json_text(document)


REPORT = Report(id="json", title="The whole run as one JSON document (probe.run/1).", media_type="application/json", render=_render)
