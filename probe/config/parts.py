"""An estate in parts: its tables while questions are still open, and one key by itself. For what writes estates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from probe.config.problems import EstateError, Problem
from probe.config.reading import read_estate
from probe.model.estate import DynamicsAccess

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def read_tables(text: str, filename: str) -> dict[str, Any]:
    """The tables of an estate as TOML has them, which may want keys that must be there. Raises EstateError with every other mistake."""
    from probe.config.syntax import toml_values

    tables = toml_values(text, filename)
    try:
        read_estate(text, filename)
    except EstateError as wrong:
        mistakes = [problem for problem in wrong.problems if not problem.message.startswith("is missing")]
        if mistakes:
            raise EstateError(mistakes) from None
    return tables


def read_dynamics(table: Mapping[str, Any], authorities: Sequence[str]) -> DynamicsAccess:
    """How Dynamics is read, out of the keys of [dynamics] and the authorities of the deployment. Raises EstateError."""
    from probe.config.across import mistakes_across
    from probe.config.keys import TABLES

    problems = [
        Problem("", None, f"dynamics.{key}", "", wrong) for key, value in table.items() if (wrong := wrong_value("dynamics", key, value))
    ]
    found = mistakes_across({"dynamics": dict(table), "deployment": {"authorities": list(authorities)}})
    problems += [Problem("", None, ".".join(map(str, one.path)), "", one.message) for one in found]
    if problems:
        raise EstateError(problems)
    return DynamicsAccess(**dict(TABLES["dynamics"].model_validate(table)))


def required_keys(kind: str) -> frozenset[str]:
    """The keys that a table must have."""
    from probe.config.keys import TABLES

    return frozenset(key for key, field in TABLES[kind].model_fields.items() if field.is_required())


def keys_of(kind: str) -> frozenset[str]:
    """The keys that a table may have, by its heading without brackets."""
    from probe.config.keys import TABLES

    return frozenset(TABLES[kind].model_fields)


def meaning_of(kind: str, key: str) -> str:
    """What a key means, and an example of it, as messages say it."""
    from probe.config.keys import TABLES
    from probe.config.wording import as_toml

    field = TABLES[kind].model_fields[key]
    return f"{field.description}; write it as in {key} = {as_toml((field.examples or [None])[0])}"


def wrong_value(kind: str, key: str, value: object) -> str | None:
    """What is wrong with a value of a key, as in `must be one mail address`; None where it can stand there."""
    from pydantic import ValidationError

    try:
        _reader(kind, key).validate_python(value, strict=True)
    except ValidationError as wrong:
        error = wrong.errors(include_url=False, include_input=False)[0]
        return str(error.get("ctx", {}).get("error", "")) or "must be of another type"
    return None


@cache
def _reader(kind: str, key: str) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    from probe.config.keys import TABLES

    field = TABLES[kind].model_fields[key]
    annotation: Any = field.annotation
    return TypeAdapter(Annotated[(annotation, *field.metadata)] if field.metadata else annotation)
