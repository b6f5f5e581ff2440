"""What comes, worked out of the newest state beside everything else: each part of the estate is judged again for days ahead, which takes long.

It is worked out of one part after another, and anew of a part that was judged anew. What is told has the time of what it is worked out of.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain
from typing import NamedTuple

from probe import app
from probe.net.threads import in_thread
from probe.outlook import FAR, Coming, Unseen, unseen
from probe.web.parts import PartState
from probe.web.problems import RequestProblem
from probe.web.state import EstateNames, States

SOON = timedelta(days=90)
"""How far the estate in short looks."""
_RESTS = 3
"""How many times as long as a part took there is a rest."""

_log = logging.getLogger(__name__)


class _PartAhead(NamedTuple):
    """What comes of one part."""

    part: PartState
    """Of which it is worked out."""
    soon: Sequence[Coming]
    far: Sequence[Coming]
    unseen: Sequence[Unseen]
    has_failed: bool = False
    """Whether that could not be worked out, for a bug."""


class Ahead(NamedTuple):
    """What comes of the estate, as far as it is worked out."""

    known: datetime | None
    """The earliest time that a part of it is worked out of; None where not all parts are worked out yet."""
    start: date
    until: date
    coming: Sequence[Coming]
    unseen: Sequence[Unseen]
    """The endpoints of which it is not known when their certificate or their chain ends, each with the reason."""
    worked_out: int
    parts: int
    """Of how many parts of the estate, and how many there are."""


class WhatComes:
    """What comes of the newest state."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._wanted = asyncio.Event()
        self._of: dict[int, _PartAhead] = {}
        self._names: EstateNames | None = None
        self._joined: tuple[list[Coming], list[Coming]] | None = None
        """What comes of all parts, soon and far."""
        self._members: dict[str, frozenset[str]] | None = None
        """The mailboxes that each of it befalls, by its id; None until somebody asks."""
        self._by_place: dict[str, Coming] | None = None

    async def follow(self) -> None:
        """Work out what comes of each part that is newer than what was worked out, from when somebody first asks from now on, until it is cancelled."""
        self._wanted.clear()
        await self._wanted.wait()
        time = asyncio.get_running_loop().time
        while True:
            state = self._states.at_hand()
            if self._names is not state.names:
                self._of, self._names, self._joined = {}, state.names, None
            number = next((n for n, part in state.watched.parts.items() if n not in self._of or self._of[n].part is not part), None)
            if number is None:
                await self._states.after(state)
                continue
            part, began = state.watched.parts[number], time()
            try:
                self._of[number] = await in_thread(partial(_worked_out, part), "probe-web-ahead")
            except Exception:  # noqa: BLE001 - of the other parts it is told all the same
                _log.exception("a bug in probe: what comes is not worked out")
                self._of[number] = _PartAhead(part, (), (), (), has_failed=True)
            self._joined = None
            await asyncio.sleep((time() - began) * _RESTS)

    def soon(self) -> Ahead:
        """What comes up, for the estate in short. Raises RequestProblem."""
        return self._ahead(SOON, self._all()[0])

    def far(self) -> Ahead:
        """What comes, for the calendar. Raises RequestProblem."""
        return self._ahead(FAR, self._all()[1])

    def members(self, coming: str) -> frozenset[str]:
        """The addresses of the mailboxes that something befalls, soon or late, by its id; none where nothing of that id comes. Raises RequestProblem."""
        if self._members is None:
            found: dict[str, list[str]] = {}
            for one in chain(*self._all()):
                found.setdefault(coming_id(one), []).extend(one.mailboxes)
            self._members = {name: frozenset(addresses) for name, addresses in found.items()}
        members = self._members.get(coming, frozenset())
        if not members and self.far().known is None:
            raise RequestProblem(503, "not all that comes is worked out yet, and so far nothing has that id", {"Retry-After": "10"})
        return members

    def by_place(self) -> Mapping[str, Coming]:
        """What comes, for the calendar, by places that are in the order of days."""
        if self._by_place is None:
            found = {f"{one.day}.{coming_id(one)}": one for one in self._all()[1]}
            self._by_place = {place: found[place] for place in sorted(found)}
        return self._by_place

    def _all(self) -> tuple[list[Coming], list[Coming]]:
        if self._joined is None:
            self._members = self._by_place = None
            of_parts = self._of.values()
            self._joined = (
                joined(chain.from_iterable(one.soon for one in of_parts)),
                joined(chain.from_iterable(one.far for one in of_parts)),
            )
        return self._joined

    def _ahead(self, ahead: timedelta, coming: Sequence[Coming]) -> Ahead:
        state, worked_out = self._states.at_hand(), [one.part.known for one in self._of.values()]
        self._wanted.set()
        start = min((part.judged_at for part in worked_out), default=state.run.judged_at)
        has_failed = any(one.has_failed for one in self._of.values())
        is_whole = not state.unjudged and self._names is state.names and len(worked_out) >= len(state.parts) and not has_failed
        return Ahead(
            known=min((part.finished for part in worked_out), default=state.run.finished) if is_whole else None,
            start=start,
            until=start + ahead,
            coming=coming,
            unseen=[gap for one in self._of.values() for gap in one.unseen],
            worked_out=len(worked_out),
            parts=len(state.parts),
        )


def coming_id(one: Coming) -> str:
    """The id of something that comes: the same for the same thing on the same day."""
    return hashlib.sha256("\n".join((one.day.isoformat(), one.rule, one.words)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def joined(coming: Iterable[Coming]) -> list[Coming]:
    """What comes of several parts of an estate, the earliest first; what befalls mailboxes of several parts on one day, as one."""
    found: dict[tuple[date, str, str], list[Coming]] = {}
    for one in coming:
        found.setdefault((one.day, one.rule, one.words), []).append(one)
    told = [
        replace(
            of_it[0],
            endpoints=tuple(dict.fromkeys(chain.from_iterable(one.endpoints for one in of_it))),
            subjects=tuple(dict.fromkeys(chain.from_iterable(one.subjects for one in of_it))),
            mailboxes=tuple(chain.from_iterable(one.mailboxes for one in of_it)),
        )
        if len(of_it) > 1
        else of_it[0]
        for of_it in found.values()
    ]
    return sorted(told, key=lambda one: one.day)


def _worked_out(part: PartState) -> _PartAhead:
    run = part.known.run()
    return _PartAhead(part, app.outlook(run, run.judged_at + SOON), app.outlook(run, run.judged_at + FAR), list(unseen(run)))
