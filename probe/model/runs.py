"""A run: one pass over an estate or over some endpoints."""

from __future__ import annotations

from datetime import date, datetime

from probe.model.attempts import Attempt
from probe.model.estate import Effect, Estate
from probe.model.facts import Reading
from probe.model.rules import Assessment
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run was asked to find out."""

    mailboxes: tuple[str, ...] | None
    """Addresses; None for all of the estate, and for a look."""
    tls: str
    """`quick`, `full` or `none`."""
    fips: str
    """FIPS profile of the client that is asked about."""
    allow: frozenset[Effect]
    """Effects that the call allowed beyond those of the estate."""
    all_addresses: bool
    """Whether every address of a name was asked for, not the first that answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Attempts, readings and assessments of one pass."""

    id: str
    probe: str
    """Version of this program."""
    host: str
    """Name of the host that probed."""
    started: datetime
    finished: datetime
    judged_at: date
    estate: Estate | None
    """None for a look without an estate; then nothing is judged."""
    asked: Asked
    attempts: tuple[Attempt, ...]
    readings: tuple[Reading, ...]
    """Everything that is known or missing: of the attempts, declared, and inferred."""
    assessments: tuple[Assessment, ...]
    interrupted: bool = False
