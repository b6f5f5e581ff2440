"""Facts, and what is said in place of one: a missing with its reason.

A fact says how it is known. *Observed*: we took part in it. *Declared*: somebody said so. *Inferred*: worked
out from other facts. Asked for a key, observed is preferred to declared and declared to inferred, unless the key
ranks them otherwise; two of the best rank are reconciled as the key says, and what cannot be reconciled is missing, because it conflicts. So there
is one reading of a key for a subject: a fact with the evidence of all that agree with it, or a missing, which
keeps the facts that contradict each other as its claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, Generic, Literal, TypeVar, cast

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


Reconcile = Callable[[T, T], T | None]
"""Draws two values of the same rank together; None where they contradict each other."""


def equal(one: T, other: T) -> T | None:
    """Two values agree only when they are the same."""
    return one if one == other else None


def by_provenance(provenance: Provenance) -> Rank:
    """A fact is preferred by how it is known: observed to declared, declared to inferred."""
    return provenance.rank


@dataclass(frozen=True, slots=True)
class FactKey(Generic[T]):
    """The name of one thing that can be known, and the type of its value."""

    name: str
    """Stable and published: `service.thing`, named for what was seen."""
    kind: Kind[T]
    doc: str
    """One line of meaning."""
    examples: tuple[T, ...]
    reconcile: Reconcile[T] = field(default=equal, compare=False)
    rank: Callable[[Provenance], Rank] = field(default=by_provenance, compare=False)
    """Which facts of the key are preferred to which."""

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The words that support a fact, as they stood on the wire."""

    attempt: str
    line: int
    """Line number in the attempt's transcript, from 1."""
    excerpt: str
    """The line itself, so that it can be read without the transcript."""


class Rank(IntEnum):
    """How facts of different provenance are preferred; the lowest first."""

    OBSERVED = 0
    DECLARED = 1
    INFERRED = 2


@dataclass(frozen=True, slots=True)
class Observed:
    """We took part in it: a handshake, an obeyed command."""

    evidence: tuple[Evidence, ...] = ()
    rank = Rank.OBSERVED


@dataclass(frozen=True, slots=True)
class Declared:
    """Somebody said so: a banner, the estate."""

    by: Literal["peer", "operator"]
    evidence: tuple[Evidence, ...] = ()
    rank = Rank.DECLARED


@dataclass(frozen=True, slots=True)
class Inferred:
    """Worked out from other facts by a named inference."""

    inference: str
    premises: tuple[str, ...] = ()
    """Keys of the facts that it was worked out from."""
    evidence: tuple[Evidence, ...] = ()
    """What the premises rest on, carried along so that a reader sees the words."""
    rank = Rank.INFERRED


Provenance = Observed | Declared | Inferred


class Why(StrEnum):
    """Why a fact is missing. Each member is a different next step for the reader."""

    NOT_ATTEMPTED = "not-attempted"
    """Nothing that would tell was tried."""
    NOT_APPLICABLE = "not-applicable"
    """The question does not arise for this subject."""
    NOT_DISCLOSED = "not-disclosed"
    """Asked, or looked for, and the peer does not say."""
    NO_CREDENTIALS = "no-credentials"
    DENIED = "denied"
    """The peer knew who asked and would not say, or the estate does not allow the question."""
    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"
    THROTTLED = "throttled"
    CLOSED = "closed"
    TLS_FAILED = "tls-failed"
    OFF_PROTOCOL = "off-protocol"
    UNTRUSTED_PEER = "untrusted-peer"
    CONFLICTING = "conflicting"
    STALE = "stale"
    """It was asked once, and what was heard then no longer tells."""
    INTERRUPTED = "interrupted"
    BUG = "bug"


class Refusal(StrEnum):
    """What a server that refuses an account may mean, as far as its words tell."""

    MFA_REQUIRED = "mfa-required"
    APP_PASSWORD_REQUIRED = "app-password-required"  # noqa: S105 - a word, no secret
    OAUTH_REQUIRED = "oauth-required"
    BASIC_AUTH_DISABLED = "basic-auth-disabled"
    PROTOCOL_DISABLED = "protocol-disabled"
    BAD_CREDENTIALS = "bad-credentials"
    ACCOUNT_LOCKED = "account-locked"
    THROTTLED = "throttled"
    TLS_REQUIRED = "tls-required"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105
    ACCOUNT_DISABLED = "account-disabled"
    BLOCKED_BY_POLICY = "blocked-by-policy"
    TEMPORARY_FAILURE = "temporary-failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """A typed value known of a subject."""

    subject: str
    """An endpoint's URL, a mailbox's address, `profile:NAME` or `deployment`."""
    mailbox: str | None = None
    """The account's address, where the fact is true of one account at an endpoint."""
    key: FactKey[T]
    value: T
    provenance: Provenance
    at: datetime
    attempt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A thing not known of a subject, and why."""

    subject: str
    mailbox: str | None = None
    key: FactKey[Any]
    why: Why
    detail: str = ""
    claims: tuple[Fact[Any], ...] = ()
    """The facts that contradict each other, where that is why."""
    at: datetime | None = field(default=None, compare=False)
    """When the attempt that would have told it began; None where nothing was attempted."""

    @property
    def says_nothing(self) -> bool:
        """Whether it is what any key reads as of which there is no reading."""
        return self.why is Why.NOT_ATTEMPTED and self.detail == UNTRIED


Reading = Fact[Any] | Missing

UNTRIED = "nothing was tried that would tell"
"""The detail of what a key reads as of which there is no reading."""
# A detail is a sentence; claims have the whole values and all of their evidence.
_MAX_PLACES = 2
_MAX_CLAIM = 60


class Facts:
    """What is known of one subject, to be asked by key. Nothing of it is ever changed."""

    def __init__(self, subject: str, readings: Iterable[Reading] = ()) -> None:
        self._subject = subject
        # By the name of the key, whose hash Python keeps. Nearly every key has one reading, which stands alone.
        self._by_key: dict[str, Reading | list[Reading]] = {}
        self._weighed: dict[str, Reading] = {}
        self._add(readings)

    @property
    def subject(self) -> str:
        """Whose facts these are."""
        return self._subject

    def __iter__(self) -> Iterator[Reading]:
        for known in self._by_key.values():
            if isinstance(known, list):
                yield from known
            else:
                yield known

    def read(self, key: FactKey[T]) -> Fact[T] | Missing:
        """The best fact for a key, or why there is none."""
        known = self._by_key.get(key.name)
        if known is None or isinstance(known, list):
            if key.name not in self._weighed:
                self._weighed[key.name] = self._weigh(key, known or [])
            return self._weighed[key.name]
        return known

    def value(self, key: FactKey[T]) -> T | None:
        """The value of the best fact, None where there is none. For inferences that look at a fact if it is there."""
        reading = self.read(key)
        return reading.value if isinstance(reading, Fact) else None

    def claimed(self, key: FactKey[T]) -> tuple[T, ...]:
        """Every value that the best sources claim: one where they agree, several where they contradict each other, none where there is no fact."""
        reading = self.read(key)
        return tuple(claim.value for claim in ((reading,) if isinstance(reading, Fact) else reading.claims))

    def knows(self, key: FactKey[Any]) -> bool:
        """Whether there is any reading for a key, be it a fact or a missing."""
        return key.name in self._by_key

    def with_more(self, readings: Iterable[Reading]) -> Facts:
        """These facts and more of the same subject."""
        more = Facts(self._subject)
        more._by_key.update(self._by_key)
        more._add(readings)
        return more

    def only(self, keys: Iterable[FactKey[Any]]) -> RestrictedFacts:
        """These facts as one sees them who may ask for some keys alone; asking for another is a KeyError."""
        return RestrictedFacts(self, frozenset(key.name for key in keys))

    def _add(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            name = reading.key.name
            known = self._by_key.get(name)
            # Claims are weighed anew: another fact may outrank them.
            claims = reading.claims if isinstance(reading, Missing) else ()
            if known is None and not claims:
                self._by_key[name] = reading
            else:
                before = () if known is None else known if isinstance(known, list) else (known,)
                # A list of its own: that of other facts may be the same.
                self._by_key[name] = [*before, *(claims or (reading,))]

    def _weigh(self, key: FactKey[T], readings: list[Reading]) -> Fact[T] | Missing:
        """What several readings of a key come to, or none."""
        if len(readings) == 1:
            return readings[0]
        facts = cast("list[Fact[T]]", [r for r in readings if isinstance(r, Fact)])
        if not facts:
            gap = _most_telling([r for r in readings if isinstance(r, Missing)])
            return gap or Missing(subject=self._subject, key=key, why=Why.NOT_ATTEMPTED, detail=UNTRIED)
        contradicted = next((r for r in readings if isinstance(r, Missing) and r.why is Why.CONFLICTING), None)
        if contradicted is not None and all(isinstance(f.provenance, Inferred) for f in facts):
            return contradicted  # what one inference found to contradict itself, another does not settle
        best_rank = min(key.rank(f.provenance) for f in facts)
        claims = _drawn_together([f for f in facts if key.rank(f.provenance) == best_rank])
        return claims[0] if len(claims) == 1 else _conflict(claims)


class RestrictedFacts(Facts):
    """A view: it shares the readings, which are never changed, and looks at what is asked."""

    def __init__(self, facts: Facts, names: frozenset[str]) -> None:
        self._subject = facts._subject
        self._by_key = facts._by_key
        self._weighed = facts._weighed
        self._names = names
        self.was_named = False
        """Whether somebody asked for the subject: what follows from more than values is not true of another subject with the same values."""

    @property
    def subject(self) -> str:
        """Whose facts these are."""
        self.was_named = True
        return self._subject

    def __iter__(self) -> Iterator[Reading]:
        return (reading for reading in super().__iter__() if reading.key.name in self._names)

    def read(self, key: FactKey[T]) -> Fact[T] | Missing:
        self._check(key)
        return super().read(key)

    def knows(self, key: FactKey[Any]) -> bool:
        self._check(key)
        return super().knows(key)

    def with_more(self, readings: Iterable[Reading]) -> Facts:
        """What may be asked here and more of the same subject; it may be asked for all of that."""
        return Facts(self._subject, [*self, *readings])

    def _check(self, key: FactKey[Any]) -> None:
        if key.name not in self._names:
            raise KeyError(f"{key.name} is asked for, but not among the keys that are needed")


def _drawn_together(facts: list[Fact[T]]) -> list[Fact[T]]:
    """Facts of one key and rank as one where all agree; else as few as contradict each other."""
    claims: list[Fact[T]] = []
    for fact in facts:
        for place, claim in enumerate(claims):
            value = fact.key.reconcile(claim.value, fact.value)
            if value is not None:
                claims[place] = _joined(claim, fact, value)
                break
        else:
            claims.append(fact)
    return claims


def _joined(one: Fact[T], other: Fact[T], value: T) -> Fact[T]:
    """Two facts that agree on a value as the one that says as much, with the evidence of both."""
    best, more = (other, one) if value == other.value and value != one.value else (one, other)
    evidence = tuple(dict.fromkeys((*best.provenance.evidence, *more.provenance.evidence)))
    if value == best.value and evidence == best.provenance.evidence:
        return best
    return replace(best, value=value, provenance=replace(best.provenance, evidence=evidence))


def _conflict(claims: list[Fact[T]]) -> Missing:
    told = f"sources disagree: {' and '.join(map(_told, claims))}"
    first = claims[0]
    return Missing(subject=first.subject, mailbox=first.mailbox, key=first.key, why=Why.CONFLICTING, detail=told, claims=tuple(claims))


def _told(claim: Fact[Any]) -> str:
    """The value and where it was seen, or who says so, as far as a sentence goes."""
    value = str(claim.key.kind.encode(claim.value))
    lines = ", ".join(f"{line.attempt} line {line.line}" for line in claim.provenance.evidence[:_MAX_PLACES])
    where = lines or _speaker(claim.provenance) or claim.attempt
    return (value if len(value) <= _MAX_CLAIM else f"{value[:_MAX_CLAIM]}...") + (f" ({where})" if where else "")


def _speaker(provenance: Provenance) -> str:
    """Who says what no line of a conversation shows; empty where nobody is known to."""
    match provenance:
        case Declared(by="operator"):
            return "the estate"
        case Inferred(inference=inference):
            return inference
        case _:
            return ""


def _most_telling(gaps: list[Missing]) -> Missing | None:
    """Of several reasons for one gap, the one that somebody ran into rather than one that nobody tried."""
    weak = (Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE)
    return next((g for g in gaps if g.why not in weak), gaps[0] if gaps else None)


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


def together(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """What either of two lists names, each once."""
    return tuple(dict.fromkeys((*one, *other)))


def longer_build(one: Build, other: Build) -> Build | None:
    """The more specific of two builds that agree as far as both go."""
    shared = min(len(one.parts), len(other.parts))
    if one.parts[:shared] != other.parts[:shared]:
        return None
    return max(one, other, key=lambda b: len(b.parts))


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


def _decode_challenge(form: Json) -> Challenge:
    return Challenge(form["scheme"], form["token"], tuple((n, v) for n, v in form["parameters"]))


def _object(**properties: Json) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


class UnknownWord(ValueError):
    """A word that is not in the closed list of a key: of a later version, perhaps."""


def _text(form: Json) -> str:
    if not isinstance(form, str):
        raise TypeError
    return form


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
MOMENT: Kind[datetime] = Kind("time", _encode_time, lambda form: datetime.fromisoformat(form), {"type": "string", "format": "date-time"})
BUILD: Kind[Build] = Kind("build", str, Build.parse, {"type": "string", "pattern": r"^\d+\.\d+\.\d+(\.\d+)?$"})
UPDATE: Kind[UpdateRange] = Kind(
    "update",
    lambda v: {"exact": v.exact} if v.exact is not None else {"at_least": v.at_least, "at_most": v.at_most},
    lambda form: UpdateRange(form.get("exact"), form.get("at_least"), form.get("at_most")),
    {"oneOf": [_object(exact=_TEXT), _object(at_least=_TEXT_OR_NULL, at_most=_TEXT_OR_NULL)]},
)
SESSION: Kind[TlsSession] = Kind(
    "TLS session",
    lambda v: {"version": v.version, "suite": v.suite, "group": v.group, "scheme": v.scheme},
    lambda form: TlsSession(form["version"], form["suite"], form["group"], form["scheme"]),
    _object(version=_TEXT_OR_NULL, suite=_TEXT_OR_NULL, group=_TEXT_OR_NULL, scheme=_TEXT_OR_NULL),
)
CHAIN_END: Kind[ChainEnd] = Kind(
    "end of a chain",
    lambda v: {"subject": v.subject, "not_after": _encode_time(v.not_after)},
    lambda form: ChainEnd(form["subject"], datetime.fromisoformat(form["not_after"])),
    _object(subject=_TEXT, not_after={"type": "string", "format": "date-time"}),
)
Lists = tuple[tuple[str, tuple[str, ...]], ...]
"""A list of names for each of some versions, in the order of the versions."""
Flags = tuple[tuple[str, bool], ...]
"""A yes or no for each of some versions."""

LISTS: Kind[Lists] = Kind(
    "list of text by version",
    lambda v: {version: list(names) for version, names in v},
    lambda form: tuple((version, tuple(names)) for version, names in form.items()),
    {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
)
FLAGS: Kind[Flags] = Kind(
    "boolean by version", dict, lambda form: tuple(form.items()), {"type": "object", "additionalProperties": {"type": "boolean"}}
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
