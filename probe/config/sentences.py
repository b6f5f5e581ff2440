"""What is wrong with a table by itself: the errors of pydantic, in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import ErrorDetails

from probe.config.keys import HEADINGS, TABLES, NotOneOf
from probe.config.problems import Found, KeyPath
from probe.config.wording import Guesses, as_toml, listed


def _missing(path: KeyPath, data: dict[str, Any], guesses: Guesses) -> str:
    if len(path) == 1:
        return f"is missing; write a table headed {HEADINGS[str(path[0])]}"
    field = TABLES[path[0]].model_fields[str(path[-1])]
    return f"is missing: {field.description}; write it as in {path[-1]} = {_example(path)}"


def _unknown(path: KeyPath, data: dict[str, Any], guesses: Guesses) -> str:
    if near := meant_key(path, data, guesses):
        return f"is not known here; did you mean {near if len(path) > 1 else HEADINGS[near]}?"
    if len(path) == 1:
        return f"is not known here; an estate holds {listed(HEADINGS.values())}"
    return f"is not known here; the keys are {', '.join(TABLES[path[0]].model_fields)}"


def _not_a_list(path: KeyPath, data: dict[str, Any], guesses: Guesses) -> str:
    if len(path) == 1:
        return f"must be headed with double brackets, {HEADINGS[str(path[0])]}, since there may be several"
    return f"must be a list, as in {path[-1]} = {_example(path)}"


_SENTENCES: dict[str, Callable[[KeyPath, dict[str, Any], Guesses], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "list_type": _not_a_list,
    "bool_type": lambda path, data, guesses: "must be true or false, without quotes",
    "string_type": lambda path, data, guesses: f"must be text in quotes, as in {path[-1]} = {_example(path)}",
    "model_type": lambda path, data, guesses: f"must be a table, headed {HEADINGS[str(path[0])]}",
    "too_short": lambda path, data, guesses: f"must hold at least one table, headed {HEADINGS[str(path[0])]}",
}
"""pydantic's kinds of error that these tables can draw, in our words; our own sentences come as `value_error`."""


def _example(path: KeyPath) -> str:
    examples = TABLES[path[0]].model_fields[str(path[-1])].examples or []
    return as_toml(examples[0])


def meant_key(path: KeyPath, data: dict[str, Any], guesses: Guesses) -> str | None:
    """The known key that a misspelt one was probably meant to be, one that is not there yet if there is such."""
    table: Any = data
    for part in path[:-1]:
        table = table[part]
    known = HEADINGS if len(path) == 1 else TABLES[path[0]].model_fields
    return guesses.nearest(str(path[-1]), [key for key in known if key not in table]) or guesses.nearest(str(path[-1]), known)


def translated(error: ErrorDetails, data: dict[str, Any], guesses: Guesses) -> Found:
    """One error of pydantic in our words."""
    path, kind = error["loc"], error["type"]
    if kind == "value_error":
        wrong = error["ctx"]["error"]
        return Found(path, wrong.told(guesses) if isinstance(wrong, NotOneOf) else str(wrong))
    return Found(path, _SENTENCES[kind](path, data, guesses), is_missing=kind == "missing")
