"""How a fact is known.

*Observed*: we took part in it. *Declared*: somebody said so. *Inferred*: worked out from other facts.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from probe.model.values import dataclass


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
    """Somebody said so: a banner, the estate, Dynamics' own records."""

    by: Literal["peer", "operator", "dynamics"]
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
