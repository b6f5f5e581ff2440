"""Keys: the name of each thing that can be known, the type of its value, and how two values of it are reconciled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Generic, TypeVar

from probe.model.kinds import Build, Kind
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

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def together(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The union of two lists, each name once."""
    return tuple(dict.fromkeys((*one, *other)))


def longer_build(one: Build, other: Build) -> Build | None:
    """The more specific of two builds that agree as far as both go."""
    shared = min(len(one.parts), len(other.parts))
    if one.parts[:shared] != other.parts[:shared]:
        return None
    return max(one, other, key=lambda b: len(b.parts))
