"""From text to values: what is not TOML is refused, with the line, the key and what would be right."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from probe.config.bounds import too_deep, too_much
from probe.config.keys import HEADINGS, TABLES
from probe.config.positions import positions, shown_key
from probe.config.problems import EstateError, KeyPath, Problem

MOST_SHOWN_OF_A_LINE = 4096
"""Characters of a line that is not TOML in which its key is looked for; what is longer is no line of an estate."""

_SYNTAX = {
    "Invalid value": "text stands in quotes, and true, false and numbers without",
    "Invalid statement": "a line is a heading such as [deployment], or a key, = and a value",
    "Expected '=' after a key in a key/value pair": "write key = value, as in fips = false",
    "Illegal character '\\n'": "text ends with the quote that it began with, on the same line",
    "Unterminated string": "text ends with the quote that it began with",
    "Unescaped '\\' in a string": "write a Windows path in single quotes",
    "Invalid hex value": "write a Windows path in single quotes",
}
"""What would be right, for the mistakes of tomllib that are likely in an estate."""


def _syntax_problem(wrong: ValueError, text: str, filename: str) -> Problem:
    said, _, place = str(wrong).rpartition(" (at ")
    if not said:  # an integer beyond Python's limit on digits: an error of int(), not of tomllib
        long = re.search(r"(?<![0-9_])[0-9][0-9_]{4000}", text)  # from where a number begins, or many shorter ones would take minutes
        line = text.count("\n", 0, long.start()) + 1 if long else None
        return Problem(filename, line, "", "", "is not TOML that can be read: a number is too long")
    number = re.match(r"line ([0-9]+)", place)
    line = int(number[1]) if number else text.rstrip().count("\n") + 1
    lines = text.split("\n")[:line]
    # tomllib read it down to here, so that the tree is bounded as its values are; what stands behind is nobody's concern yet.
    keys = positions("\n".join((*lines[:-1], lines[-1][:MOST_SHOWN_OF_A_LINE])))
    # What stands after the key may be a secret without quotes, which must not be taken for a key because it has an = in it.
    begins = lines[-1].lstrip(" \t[\"'")
    path = next((path for path, at in reversed(keys) if at == line and _begins_with(begins, path)), ()) or _key_of_line(
        lines[-1], line, keys
    )
    given = [at for same, at in keys if same == path and path]
    if len(given) > 1 and said.startswith(("Cannot", "Duplicate")):
        several = f"; head each {path[0]} with {HEADINGS[str(path[0])]}" if path in (("profile",), ("mailbox",)) else "; keep one"
        return Problem(filename, line, shown_key(path), "", f"is given twice (first on line {given[0]}){several}")
    hint = f"; {_SYNTAX[said]}" if said in _SYNTAX else ""
    return Problem(filename, line, shown_key(path), "", f"is not TOML: {said[:1].lower()}{said[1:]}{hint}")


def _begins_with(line: str, path: KeyPath) -> bool:
    """Whether a line begins with the key itself, dotted or not."""
    names = [name for name in path if isinstance(name, str)]
    return any(line.startswith(".".join(names[first:])) for first in range(len(names)))


def _key_of_line(begins: str, line: int, keys: list[tuple[KeyPath, int]]) -> KeyPath:
    """The key of a line that is not TOML, where it begins with a known one; found by its word and the heading above."""
    word = re.match(r"\s*([a-z_]+)", begins)
    above = next((path for path, at in reversed(keys) if at < line and path[0] in TABLES), ())
    if word and above and word[1] in TABLES[above[0]].model_fields:
        return (*above[: 1 if above[0] == "deployment" else 2], word[1])
    return ()


def toml_values(text: str, filename: str) -> dict[str, Any]:
    """What a TOML text holds. Raises EstateError."""
    if text.startswith("\ufeff"):
        raise EstateError([Problem(filename, 1, "", "", "begins with a byte order mark; save the file as UTF-8 without one")])
    if passed := too_much(text):
        raise EstateError([Problem(filename, passed[0], "", "", passed[1])])
    try:
        return tomllib.loads(text)
    except RecursionError:
        wrong = "is nested too deeply; an estate needs two levels"
        problem = Problem(filename, too_deep(text), "", "", wrong)
    except ValueError as error:
        problem = _syntax_problem(error, text, filename)
    raise EstateError([problem])
