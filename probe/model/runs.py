"""A run: one pass over an estate or over some endpoints."""

from __future__ import annotations

from dataclasses import field
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
    estate: Estate | None = field(repr=False)
    """None for a look without an estate; then nothing is judged."""
    asked: Asked
    # Not printed: Python 3.11 prints a task's result when the task of asyncio.run ends, which for 10,000 mailboxes takes a minute and a half.
    attempts: tuple[Attempt, ...] = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)
    """Everything that is known or missing: of the attempts, declared, and inferred."""
    assessments: tuple[Assessment, ...] = field(repr=False)
    interrupted: bool = False
