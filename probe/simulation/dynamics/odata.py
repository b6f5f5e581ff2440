"""The query options that the Web API accepts, and their effect on rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from probe.model.values import dataclass
from probe.simulation.dynamics.errors import no_property, unreadable
from probe.simulation.dynamics.metadata import Attribute, Entity

Row = Mapping[str, Any]
"""The values of a record that are not the defaults, by the attributes' names."""
RecordFilter = Callable[[Row], bool]

_KNOWN = frozenset({"$select", "$filter", "$orderby", "$count", "$top", "$skiptoken", "$expand", "$apply"})

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+)"
    r"|(?P<word>[A-Za-z_][\w.]*)"
    r"|(?P<mark>[(),=\[\]]))"
)

_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}


def options_of(target: str) -> dict[str, str]:
    """The query options of a request's target, decoded."""
    given = dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))
    for name in given:
        if name.startswith("$") and name not in _KNOWN:
            raise unreadable(f"The query parameter '{name}' is not supported.")
    return given


def value_of(row: Row, attribute: Attribute) -> Any:
    """The value of an attribute in a row."""
    return row.get(attribute.name, attribute.default)


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties of an entity's type, and the words by which a request may name them."""

    entity: Entity
    properties: Mapping[str, Attribute]

    def find(self, name: str) -> Attribute:
        """The attribute behind a property; a lookup has only the one name that it has in answers."""
        attribute = self.properties.get(name)
        if attribute is None:
            raise no_property(name, self.entity.name)
        return attribute

    def selected(self, select: str | None) -> list[Attribute]:
        """The attributes that a request wants; the id comes with any of them."""
        if not select:
            return list(self.properties.values())
        names = [name.strip() for name in select.split(",")]
        found = {name: self.find(name) for name in names}
        return list({self.entity.key: self.find(self.entity.key), **found}.values())

    def ordered(self, rows: Iterable[Row], order: str | None) -> list[Row]:
        """The rows in a request's order; nothing comes before anything."""
        result = list(rows)
        for term in reversed([each.split() for each in (order or "").split(",") if each.strip()]):
            if len(term) > 2 or (len(term) == 2 and term[1] not in ("asc", "desc")):
                raise unreadable(f"Syntax error in '{order}'.")
            attribute = self.find(term[0])
            result.sort(key=lambda row: _sortable(value_of(row, attribute)), reverse=term[1:] == ["desc"])
        return result

    def passing(self, text: str | None) -> RecordFilter:
        """Whether a row passes a $filter."""
        return _Filter(self, text).test if text else lambda row: True


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value.lower() if isinstance(value, str) else value or 0)


@dataclass(frozen=True, slots=True)
class _Literal:
    kind: str
    value: Any


class _Filter:
    """A $filter, read by descent: `or`, `and`, `not`, comparisons, functions of text, and the In function of Dynamics."""

    def __init__(self, shape: Shape, text: str) -> None:
        self._shape = shape
        self._text = text
        self._tokens = list(self._read(text))
        self.test = self._either()
        if self._tokens:
            raise self._error()

    def _read(self, text: str) -> Iterable[_Literal]:
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise self._error()
            yield _Literal(found.lastgroup, found[found.lastgroup])
            at = found.end()

    def _error(self) -> Exception:
        return unreadable(f"Syntax error in '{self._text}'.")

    def _next(self) -> _Literal:
        if not self._tokens:
            raise self._error()
        return self._tokens.pop(0)

    def _at(self, value: str) -> bool:
        return bool(self._tokens) and self._tokens[0].kind in ("word", "mark") and self._tokens[0].value == value

    def _expect(self, *values: str) -> None:
        for value in values:
            if not self._at(value):
                raise self._error()
            self._next()

    def _either(self) -> RecordFilter:
        terms = [self._all()]
        while self._at("or"):
            self._next()
            terms.append(self._all())
        return lambda row: any(term(row) for term in terms)

    def _all(self) -> RecordFilter:
        terms = [self._one()]
        while self._at("and"):
            self._next()
            terms.append(self._one())
        return lambda row: all(term(row) for term in terms)

    def _one(self) -> RecordFilter:
        if self._at("not"):
            self._next()
            inverted = self._one()
            return lambda row: not inverted(row)
        if self._at("("):
            self._next()
            inner = self._either()
            self._expect(")")
            return inner
        word = self._next()
        if word.kind != "word":
            raise self._error()
        if word.value in _FUNCTIONS:
            return self._function(word.value)
        if word.value == "Microsoft.Dynamics.CRM.In":
            return self._membership()
        return self._comparison(self._shape.find(word.value))

    def _function(self, name: str) -> RecordFilter:
        self._expect("(")
        attribute = self._shape.find(self._next().value)
        self._expect(",")
        part = self._next()
        self._expect(")")
        if part.kind != "text":
            raise self._error()
        wanted = _unquoted(part.value).lower()
        return lambda row: _FUNCTIONS[name](str(value_of(row, attribute) or "").lower(), wanted)

    def _membership(self) -> RecordFilter:
        self._expect("(", "PropertyName", "=")
        attribute = self._shape.find(_unquoted(self._next().value))
        self._expect(",", "PropertyValues", "=", "[")
        wanted = set()
        while not self._at("]"):
            wanted.add(_unquoted(self._next().value).lower())
            if self._at(","):
                self._next()
        self._expect("]", ")")
        return lambda row: _written(value_of(row, attribute)) in wanted

    def _comparison(self, attribute: Attribute) -> RecordFilter:
        operator = self._next().value
        wanted = self._literal(attribute)
        if operator == "eq":
            return lambda row: _comparable(value_of(row, attribute)) == wanted
        if operator == "ne":
            return lambda row: _comparable(value_of(row, attribute)) != wanted
        if operator not in _COMPARISONS or wanted is None:
            raise self._error()
        compare = _COMPARISONS[operator]

        def test(row: Row) -> bool:
            value = _comparable(value_of(row, attribute))
            return value is not None and compare(value, wanted)

        return test

    def _literal(self, attribute: Attribute) -> Any:
        """What a property is compared with; it must be of the property's type."""
        token = self._next()
        if token.kind == "word" and token.value == "null":
            return None
        if token.kind == "word" and token.value in ("true", "false"):
            kind, value = "Boolean", token.value == "true"
        elif token.kind == "number":
            kind, value = "Int32", int(token.value)
        elif token.kind == "guid":
            kind, value = "Guid", token.value.lower()
        elif token.kind == "time":
            kind, value = "DateTimeOffset", _normal_time(token.value)
        elif token.kind == "text":
            kind, value = "String", _unquoted(token.value).lower()
        else:
            raise self._error()
        if kind != _EDM.get(attribute.kind, "String"):
            raise unreadable(
                f"A binary operator with incompatible types was detected. Found operand types 'Edm.{_EDM.get(attribute.kind, 'String')}' and "
                f"'Edm.{kind}' for operator kind 'Equal'."
            )
        return value


_EDM = {
    "Boolean": "Boolean",
    "Integer": "Int32",
    "BigInt": "Int32",
    "Picklist": "Int32",
    "State": "Int32",
    "Status": "Int32",
    "Uniqueidentifier": "Guid",
    "Lookup": "Guid",
    "Owner": "Guid",
    "DateTime": "DateTimeOffset",
}


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _comparable(value: Any) -> Any:
    """A value as it is compared: text without its case, as the database's collation has it."""
    return value.lower() if isinstance(value, str) and not _TIME.fullmatch(value) else value


def _written(value: Any) -> str:
    return "" if value is None else str(value).lower()


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _normal_time(text: str) -> str:
    """A time to the second in UTC, as answers write it."""
    try:
        moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        raise unreadable(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_APPLY = re.compile(
    r"filter\(statuscode eq (?P<status>\d+)\)/groupby\(\((?P<group>\w+)\)"
    r"(?:,aggregate\((?P<aggregates>[^()]+)\))?\)"
)


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A $apply of the one form that is known here: rows of one status, counted and folded by one property."""

    status: int
    group: str
    folds: Sequence[tuple[str, str, str]]
    """What is folded, how, and under which name."""

    @classmethod
    def read(cls, text: str) -> Aggregation:
        found = _APPLY.fullmatch(text.replace(" ,", ",").strip())
        if found is None:
            raise unreadable(f"Syntax error in '{text}'.")
        folds = []
        for term in filter(None, (found["aggregates"] or "").split(",")):
            words = term.split()
            if words[:1] == ["$count"] and words[1:2] == ["as"] and len(words) == 3:
                folds.append(("$count", "count", words[2]))
            elif len(words) == 5 and words[1] == "with" and words[3] == "as" and words[2] in ("min", "max"):
                folds.append((words[0], words[2], words[4]))
            else:
                raise unreadable(f"Syntax error in '{term}'.")
        return cls(int(found["status"]), found["group"], tuple(folds))
