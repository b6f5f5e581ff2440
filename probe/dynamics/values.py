"""Values of JSON read strictly: each is of its type, or the record is refused. Nothing is made of what was not given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z")
_PRECISION = len("2026-11-28T08:00:00.123456")
"""Python takes microseconds, and Dynamics may give tenths of them."""


class Malformed(ValueError):
    """A value that is not what it should be; the message says what it is instead, and not its content."""


def text(value: object) -> str:
    """A text, with half characters, which JSON can hold and nothing can write, replaced."""
    if not isinstance(value, str):
        raise Malformed(f"{_kind(value)} in place of text")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def text_or_none(value: object) -> str | None:
    """A text, or null."""
    return None if value is None else text(value)


def integer(value: object) -> int:
    """A whole number."""
    if type(value) is not int:
        raise Malformed(f"{_kind(value)} in place of a whole number")
    return value


def boolean(value: object) -> bool:
    """True or false, and not a number."""
    if not isinstance(value, bool):
        raise Malformed(f"{_kind(value)} in place of true or false")
    return value


def guid(value: object) -> str:
    """An id, in small letters."""
    if not isinstance(value, str) or not _GUID.fullmatch(found := value.lower()):
        raise Malformed(f"{_kind(value)} in place of an id")
    return found


def moment(value: object) -> datetime:
    """A time in UTC, as Dynamics gives all of them."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Malformed(f"{_kind(value)} in place of a time in UTC")
    try:
        return datetime.fromisoformat(value[:-1][:_PRECISION]).replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("a text in place of a time in UTC") from None


def rows(document: Mapping[str, Any], name: str = "value") -> list[dict[str, Any]]:
    """A list of objects."""
    listed = document.get(name)
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise Malformed(f"{_kind(listed)} in place of a list of objects ({name})")
    return listed


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "another text"
        case list():
            return "a list"
        case _:
            return "an object"
