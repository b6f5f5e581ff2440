"""The log on standard error: one line for each thing that the program does, in words or as JSON. Nothing is written unless it is asked for."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from probe.cli.streams import log_lines, tell
from probe.model.log_lines import log_form

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What a record has by itself; the rest is what was handed over by `extra`."""
_OF_EVERY_LINE = ("at", "level", "logger", "message")


def log_to_standard_error(level: str, log_format: str) -> None:
    """Write what the program's own loggers say from this level on, as `text` or `json`. Libraries stay silent: they may log what they send."""
    handler = _Lines(as_json=log_format == "json")
    logger = logging.getLogger("probe")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


class _Lines(logging.Handler):
    """Writes each record as one line. Of an exception it writes nothing: its text may hold anything."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        at = datetime.fromtimestamp(record.created, UTC)
        told = log_form(at, record.levelname.lower(), record.name, record.getMessage(), fields)
        if self._as_json:
            log_lines(json.dumps(told))
        else:
            tell(" ".join(["probe:", *map(told.pop, _OF_EVERY_LINE), *(f"{name}={_in_words(value)}" for name, value in told.items())]))


def _in_words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if text and not any(character in text for character in ' "=\t') else json.dumps(text, ensure_ascii=False)
