"""Types of values that a fact can have, and the JSON form of each, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from probe.model.values import dataclass

T = TypeVar("T")


Json = Any
"""What the json module takes: None, bool, int, float, str, lists and string-keyed dicts of them."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A type of value, and its JSON form both ways."""

    name: str
    encode: Callable[[T], Json]
    decode: Callable[[Json], T]
    schema: Mapping[str, Json]
    """JSON Schema of the encoded form."""


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """An Exchange build: `15.1.2507.57`, or three numbers where only three were shown."""

    parts: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    @classmethod
    def parse(cls, text: str) -> Build:
        """`15.1.2507.57`, `15.01.2507.057` or `15.1.2507`. Raises ValueError for anything else."""
        numbers = text.split(".")
        if len(numbers) not in (3, 4) or not all(n.isascii() and n.isdigit() and len(n) <= 6 for n in numbers):
            raise ValueError("a build is three or four numbers with dots between")
        return cls(tuple(map(int, numbers)))


@dataclass(frozen=True, slots=True)
class UpdateRange:
    """Which update of a product runs: exactly, or between two neighbours, either of which may be open."""

    exact: str | None = None
    at_least: str | None = None
    at_most: str | None = None


@dataclass(frozen=True, slots=True)
class TlsSession:
    """What a handshake agreed on; None where that cannot be seen."""

    version: str | None
    """`TLSv1.2`, `TLSv1.3`, ..."""
    suite: str | None
    """IANA name."""
    group: str | None = None
    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """When the first certificate of a chain ends."""

    subject: str
    """Whose certificate that is, RFC 4514."""
    not_after: datetime

    def is_outlasted(self, sent: Iterable[Validity], on: date) -> bool:
        """Whether another certificate of that name was sent that lasts beyond a day: cross-signed, or renewed. Which of two a client takes was not seen."""
        return any(one.subject == self.subject and one.not_after.date() > on for one in sent)


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate is valid."""

    subject: str
    """Whose certificate it is, RFC 4514."""
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way that an HTTP server says one may sign in (RFC 9110 section 11.6.1)."""

    scheme: str
    """As written; schemes compare without case."""
    token: str | None = None
    """The token68, as NTLM and Negotiate carry it."""
    parameters: tuple[tuple[str, str], ...] = ()


def _identity(value: T) -> T:
    return value


def _encode_time(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _decode_time(form: Json) -> datetime:
    """In UTC, as rules take the day of it; a time without a zone is one in UTC."""
    moment = datetime.fromisoformat(_text(form))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _decode_challenge(form: Json) -> Challenge:
    return Challenge(_text(form["scheme"]), _text_or_null(form["token"]), tuple((_text(n), _text(v)) for n, v in form["parameters"]))


def _object(**properties: Json) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


class UnknownWord(ValueError):
    """A word that is not in the closed list of a key: of a later version, perhaps."""


def _text(form: Json) -> str:
    if not isinstance(form, str):
        raise TypeError
    return form


def _text_or_null(form: Json) -> str | None:
    return None if form is None else _text(form)


def _texts(form: Json) -> tuple[str, ...]:
    if not isinstance(form, list | tuple):
        raise TypeError
    return tuple(map(_text, form))


def _flag(form: Json) -> bool:
    if not isinstance(form, bool):
        raise TypeError
    return form


def _number(form: Json) -> int:
    if not isinstance(form, int) or isinstance(form, bool):
        raise TypeError
    return form


def _word(form: Json, words: frozenset[str]) -> str:
    word = _text(form)
    if word not in words:
        raise UnknownWord(f"{word!r:.60} is none of {', '.join(sorted(words))}")
    return word


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}

TEXT: Kind[str] = Kind("text", _identity, _text, _TEXT)
TEXTS: Kind[tuple[str, ...]] = Kind("list of text", list, _texts, {"type": "array", "items": _TEXT})
FLAG: Kind[bool] = Kind("boolean", _identity, _flag, {"type": "boolean"})
COUNT: Kind[int] = Kind("number", _identity, _number, {"type": "integer"})
DAY: Kind[date] = Kind("date", date.isoformat, date.fromisoformat, {"type": "string", "format": "date"})
MOMENT: Kind[datetime] = Kind("time", _encode_time, _decode_time, {"type": "string", "format": "date-time"})
BUILD: Kind[Build] = Kind("build", str, Build.parse, {"type": "string", "pattern": r"^\d+\.\d+\.\d+(\.\d+)?$"})
UPDATE: Kind[UpdateRange] = Kind(
    "update",
    lambda v: {"exact": v.exact} if v.exact is not None else {"at_least": v.at_least, "at_most": v.at_most},
    lambda form: UpdateRange(*(_text_or_null(form.get(end)) for end in ("exact", "at_least", "at_most"))),
    {"oneOf": [_object(exact=_TEXT), _object(at_least=_TEXT_OR_NULL, at_most=_TEXT_OR_NULL)]},
)
SESSION: Kind[TlsSession] = Kind(
    "TLS session",
    lambda v: {"version": v.version, "suite": v.suite, "group": v.group, "scheme": v.scheme},
    lambda form: TlsSession(*(_text_or_null(form[part]) for part in ("version", "suite", "group", "scheme"))),
    _object(version=_TEXT_OR_NULL, suite=_TEXT_OR_NULL, group=_TEXT_OR_NULL, scheme=_TEXT_OR_NULL),
)
CHAIN_END: Kind[ChainEnd] = Kind(
    "end of a chain",
    lambda v: {"subject": v.subject, "not_after": _encode_time(v.not_after)},
    lambda form: ChainEnd(_text(form["subject"]), _decode_time(form["not_after"])),
    _object(subject=_TEXT, not_after={"type": "string", "format": "date-time"}),
)
VALIDITIES: Kind[tuple[Validity, ...]] = Kind(
    "list of validity periods",
    lambda v: [{"subject": one.subject, "not_before": _encode_time(one.not_before), "not_after": _encode_time(one.not_after)} for one in v],
    lambda form: tuple(Validity(_text(one["subject"]), _decode_time(one["not_before"]), _decode_time(one["not_after"])) for one in form),
    {
        "type": "array",
        "items": _object(
            subject=_TEXT, not_before={"type": "string", "format": "date-time"}, not_after={"type": "string", "format": "date-time"}
        ),
    },
)
Lists = tuple[tuple[str, tuple[str, ...]], ...]
"""A list of names for each of some versions, in the order of the versions."""
Flags = tuple[tuple[str, bool], ...]
"""A yes or no for each of some versions."""
LISTS: Kind[Lists] = Kind(
    "list of text by version",
    lambda v: {version: list(names) for version, names in v},
    lambda form: tuple((version, _texts(names)) for version, names in form.items()),
    {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
)
FLAGS: Kind[Flags] = Kind(
    "boolean by version",
    dict,
    lambda form: tuple((version, _flag(value)) for version, value in form.items()),
    {"type": "object", "additionalProperties": {"type": "boolean"}},
)
Outcomes = tuple[tuple[str, str], ...]
"""What came of something in each direction."""
_DIRECTIONS = ("incoming", "outgoing", "appointments")
_OUTCOMES = ("not-run", "success", "failure")
DIRECTION_FLAGS: Kind[Flags] = Kind(
    "boolean by direction",
    dict,
    lambda form: tuple((direction, _flag(form[direction])) for direction in _DIRECTIONS),
    _object(**{direction: {"type": "boolean"} for direction in _DIRECTIONS}),
)
DIRECTION_WORDS: Kind[Outcomes] = Kind(
    "outcome by direction",
    dict,
    lambda form: tuple((direction, _word(form[direction], frozenset(_OUTCOMES))) for direction in _DIRECTIONS),
    _object(**{direction: {"type": "string", "enum": list(_OUTCOMES)} for direction in _DIRECTIONS}),
)
CHALLENGES: Kind[tuple[Challenge, ...]] = Kind(
    "list of challenges",
    lambda v: [{"scheme": c.scheme, "token": c.token, "parameters": [list(p) for p in c.parameters]} for c in v],
    lambda form: tuple(map(_decode_challenge, form)),
    {
        "type": "array",
        "items": _object(
            scheme=_TEXT,
            token=_TEXT_OR_NULL,
            parameters={"type": "array", "items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}},
        ),
    },
)


def choice(*values: str) -> Kind[str]:
    """A text out of a closed list. Decoding raises UnknownWord for another."""
    words = frozenset(map(str, values))
    return Kind("one of " + ", ".join(values), str, lambda form: _word(form, words), {"type": "string", "enum": [str(v) for v in values]})


def choices(*values: str) -> Kind[tuple[str, ...]]:
    """A list of texts, each out of a closed list. Decoding raises UnknownWord for another."""
    words = frozenset(map(str, values))
    return Kind(
        "some of " + ", ".join(values),
        lambda value: [str(word) for word in value],
        lambda form: tuple(_word(word, words) for word in _texts(form)),
        {"type": "array", "items": {"type": "string", "enum": [str(v) for v in values]}},
    )
