"""A line of the program's log as JSON has it: the same for everything that stands on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from probe.model.characters import visible


def log_form(at: datetime, level: str, logger: str, message: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """When, how much it matters, who says it, what, and fields of its own; every text in it visible."""
    told = {"at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": level, "logger": logger}
    return {**told, "message": visible(message), **{name: _shown(value) for name, value in fields.items()}}


def _shown(value: Any) -> Any:
    """A field as JSON can hold it, every text in it visible."""
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else visible(str(value))
