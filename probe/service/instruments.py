"""What a watcher looks and judges by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from probe.engine.judge import Ruleset
from probe.engine.observe import Progress
from probe.engine.plan import Plan
from probe.model.attempts import Attempt
from probe.model.estate import Estate
from probe.model.facts import Reading
from probe.model.values import dataclass
from probe.probing import Prober
from probe.schedule import Task

if TYPE_CHECKING:
    from probe.organization import DynamicsState


class Observer(Protocol):
    """Holds conversations. `probe.app.Probing` is one."""

    async def hold(self, plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        """The conversations of a plan, an attempt each; `progress` is told how far they are."""

    async def state_of_dynamics(self, estate: Estate, stop: asyncio.Event) -> DynamicsState:
        """What Dynamics' own records say of an estate."""

    async def last_of_dynamics(self, estate: Estate) -> tuple[Reading, ...]:
        """What they said last, as far as that is kept."""

    async def unlisted_mailboxes(self, estate: Estate) -> tuple[str, ...] | None:
        """Addresses that Dynamics serves and the estate does not have; None where that cannot be told. Raises Throttled where it asks to be left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """By what an estate is looked at and judged."""

    plan: Callable[[Estate, date], Plan]
    """The plan of a check of the whole estate."""
    tasks: Callable[[Estate, Plan], Sequence[Task]]
    """What is to be done for an estate, by that plan."""
    ruleset: Ruleset
    probers: Mapping[str, Prober]
    host: str
    """Name of the host that looks."""
