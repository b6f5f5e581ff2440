"""Keys: the name of each thing that can be known, the type of its value, and how two values of it are reconciled."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Generic, TypeVar

from probe.model.kinds import Build, Challenge, Json, Kind
from probe.model.provenance import Provenance, Rank
from probe.model.values import dataclass

T = TypeVar("T")


Reconcile = Callable[[T, T], T | None]
"""Reconciles two values of the same rank; None where they contradict each other."""


def equal(one: T, other: T) -> T | None:
    """Two values agree only when they are the same."""
    return one if one == other else None


def by_provenance(provenance: Provenance) -> Rank:
    """Ranks a fact by how it is known: observed before declared, declared before inferred."""
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
    kept: Callable[[T], Json] | None = field(default=None, compare=False)
    """What of a value is compared over time, as JSON; None: all of it. The rest is noise: a pool's host name, a session's id."""
    is_drift: bool = field(default=False, compare=False)
    """Whether a change of that over time is told as drift; every change is kept in the history."""

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def lasting(self, value: T) -> Json:
        """What of a value is compared over time, as JSON."""
        return self.kind.encode(value) if self.kept is None else self.kept(value)


def together(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The union of two lists, each name once."""
    return tuple(dict.fromkeys((*one, *other)))


def longer_build(one: Build, other: Build) -> Build | None:
    """The more specific of two builds that agree as far as both go."""
    shared = min(len(one.parts), len(other.parts))
    if one.parts[:shared] != other.parts[:shared]:
        return None
    return max(one, other, key=lambda b: len(b.parts))


def nothing(_value: object) -> None:
    """Nothing of a value lasts: it may differ each time that it is asked for."""


def in_any_order(names: tuple[str, ...]) -> list[str]:
    """Names of which the order says nothing."""
    return sorted(set(map(str, names)))


def schemes_alone(challenges: tuple[Challenge, ...]) -> list[str]:
    """Schemes of challenges, whose tokens and parameters may be made anew each time."""
    return sorted({challenge.scheme.lower() for challenge in challenges})


def without_query(url: str) -> str:
    """A URL less its query, in which sessions have their ids."""
    return url.partition("?")[0]


def without_numbers(text: str) -> str:
    """A text less its numbers and ids."""
    return re.sub(r"[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*", "#", text)


def magnitude(count: int) -> int:
    """How large a count is: how many digits it has; 0 for what has one, be it 0 or 9."""
    return len(str(count)) if count > 9 else 0
