"""Facts, and what stands in place of a fact that is not known: a `Missing` with its reason.

A fact says how it is known (`probe.model.provenance`). Reading a key prefers observed facts to declared ones and declared to inferred ones, unless
the key ranks them otherwise. Two facts of the best rank are reconciled as the key says. Where they cannot be, the value is missing because of a
conflict. So a key has one reading for a subject: a fact with the evidence of all that agree with it, or a `Missing` that keeps the contradicting
facts as its claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from probe.model.keys import FactKey
from probe.model.provenance import Declared, Inferred, Provenance
from probe.model.values import dataclass

T = TypeVar("T")


class Why(StrEnum):
    """Why a fact is missing. Each member calls for a different next step."""

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
        """Whether this is the default reading, which a key has where nothing was recorded for it."""
        return self.why is Why.NOT_ATTEMPTED and self.detail == UNTRIED


Reading = Fact[Any] | Missing


UNTRIED = "nothing was tried that would tell"
"""The detail of the default reading."""


# A detail is a sentence; claims have the whole values and all of their evidence.
_MAX_PLACES = 2


_MAX_CLAIM = 60


class Facts:
    """What is known of one subject, by key. Immutable."""

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
            weighed = self._weighed.get(key.name)
            if weighed is None:
                weighed = self._weighed[key.name] = self._untried(key) if known is None else self._weigh(key, known)
            return weighed
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
        """These facts restricted to some keys. Reading any other key raises KeyError."""
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

    def _untried(self, key: FactKey[Any]) -> Missing:
        return Missing(subject=self._subject, key=key, why=Why.NOT_ATTEMPTED, detail=UNTRIED)

    def _weigh(self, key: FactKey[T], readings: list[Reading]) -> Fact[T] | Missing:
        """What several readings of a key come to."""
        if len(readings) == 1:
            return readings[0]
        facts = cast("list[Fact[T]]", [r for r in readings if isinstance(r, Fact)])
        if not facts:
            return _most_telling([r for r in readings if isinstance(r, Missing)])
        contradicted = next((r for r in readings if isinstance(r, Missing) and r.why is Why.CONFLICTING), None)
        if contradicted is not None and all(isinstance(f.provenance, Inferred) for f in facts):
            return contradicted  # what one inference found to contradict itself, another does not settle
        best_rank = min(key.rank(f.provenance) for f in facts)
        claims = _drawn_together([f for f in facts if key.rank(f.provenance) == best_rank])
        return claims[0] if len(claims) == 1 else _conflict(claims)


class RestrictedFacts(Facts):
    """A view of facts. It shares their readings, which are immutable, and checks each key that is read."""

    def __init__(self, facts: Facts, names: frozenset[str]) -> None:
        self._subject = facts._subject
        self._by_key = facts._by_key
        self._weighed = facts._weighed
        self._names = names
        self.was_named = False
        """Whether the subject's name was read. A conclusion that depends on the name does not hold for another subject with the same values."""

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
        """The readable facts together with more facts of the same subject, all of which may be read."""
        return Facts(self._subject, [*self, *readings])

    def _check(self, key: FactKey[Any]) -> None:
        if key.name not in self._names:
            raise KeyError(f"{key.name} is asked for, but not among the keys that are needed")


def _drawn_together(facts: list[Fact[T]]) -> list[Fact[T]]:
    """Facts of one key and rank, merged into one where all agree; otherwise into as few as contradict each other."""
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
    """The value and where it was seen, or who says so, shortened to fit a sentence."""
    value = str(claim.key.kind.encode(claim.value))
    lines = ", ".join(f"{line.attempt} line {line.line}" for line in claim.provenance.evidence[:_MAX_PLACES])
    where = lines or _speaker(claim.provenance) or claim.attempt
    return (value if len(value) <= _MAX_CLAIM else f"{value[:_MAX_CLAIM]}...") + (f" ({where})" if where else "")


def _speaker(provenance: Provenance) -> str:
    """The source of a fact that no line of a conversation shows; empty where none is known."""
    match provenance:
        case Declared(by="operator"):
            return "the estate"
        case Declared(by="dynamics"):
            return "Dynamics"
        case Inferred(inference=inference):
            return inference
        case _:
            return ""


def _most_telling(gaps: list[Missing]) -> Missing:
    """The most telling of several reasons for one gap: something that went wrong comes before something that nobody tried."""
    weak = (Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE)
    return next((g for g in gaps if g.why not in weak), gaps[0])
