"""Dynamics' own state of mailboxes, beside what was found at the servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from probe.document.telling.blocks import READINESS_WORDS, Block
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.kinds import Flags, Outcomes

T = TypeVar("T", int, datetime)


class BesideDynamics(NamedTuple):
    """One direction, as we predict it and as Dynamics has it."""

    way: str
    ours: str
    enabled: bool | None
    status: str | None


class StateInDynamics(NamedTuple):
    """What Dynamics has of some mailboxes alike."""

    addresses: Sequence[str]
    ways: Sequence[BesideDynamics]
    approved: bool | None
    last_error: str | None
    last_success: tuple[datetime, ...]
    """Of these mailboxes the earliest and the latest, one time where both are the same, none where it is not known; so, too, below."""
    last_attempt: tuple[datetime, ...]
    last_error_at: tuple[datetime, ...]
    pending: tuple[int, ...]
    """The fewest and the most messages in Pending Send."""


def states_in_dynamics(block: Block, known: Known) -> list[StateInDynamics]:
    """Dynamics' own states of the mailboxes of a block, those alike together, the most mailboxes first; mailboxes of which it is not known are left out."""
    alike: dict[tuple[tuple[BesideDynamics, ...], bool | None, str | None], list[Facts]] = {}
    for address in block.addresses:
        facts = known.of(address)
        flags: Flags = facts.value(v.DYNAMICS_ENABLED) or ()
        outcomes: Outcomes = facts.value(v.DYNAMICS_STATUS) or ()
        if not (flags or outcomes):
            continue
        enabled, status = dict(flags), dict(outcomes)
        ways = tuple(BesideDynamics(way, READINESS_WORDS[ready], enabled.get(way), status.get(way)) for way, ready in block.directions)
        alike.setdefault((ways, facts.value(v.DYNAMICS_APPROVED), facts.value(v.DYNAMICS_LAST_ERROR)), []).append(facts)
    return [
        StateInDynamics(
            [facts.subject for facts in of_it],
            ways,
            approved,
            last_error,
            _from_to(of_it, v.DYNAMICS_LAST_SUCCESS),
            _from_to(of_it, v.DYNAMICS_LAST_ATTEMPT),
            _from_to(of_it, v.DYNAMICS_LAST_ERROR_AT),
            _from_to(of_it, v.DYNAMICS_PENDING_SEND),
        )
        for (ways, approved, last_error), of_it in sorted(alike.items(), key=lambda one: -len(one[1]))
    ]


def _from_to(of_it: Iterable[Facts], key: FactKey[T]) -> tuple[T, ...]:
    values = [value for facts in of_it if (value := facts.value(key)) is not None]
    return tuple(dict.fromkeys((min(values), max(values)))) if values else ()
