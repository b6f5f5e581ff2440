"""The newest state of the estate, found by name: what a request asks about, and what is known of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from probe.model.attempts import Attempt
from probe.model.endpoints import endpoint_id
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.facts import Facts, Reading
from probe.model.rules import Assessment
from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.web.watch import Watch

T = TypeVar("T")

MOST_NAME = 512
"""Characters of what may be asked for by name. A subject that is longer has an id."""


class EstateNames:
    """What an estate names, by the names under which it may be asked for."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.endpoints = {endpoint.url: endpoint for endpoint in estate.endpoints}
        self.urls = sorted(self.endpoints)
        self._by_id = {endpoint_id(url): endpoint for url, endpoint in self.endpoints.items()}
        self._mailboxes = {mailbox.id: mailbox for mailbox in estate.mailboxes if mailbox.id is not None}
        self._mailboxes |= {mailbox.address.casefold(): mailbox for mailbox in estate.mailboxes}
        self.by_address = {
            mailbox.address.casefold(): mailbox for mailbox in sorted(estate.mailboxes, key=lambda one: one.address.casefold())
        }
        """The mailboxes by address in small letters, in that order."""
        self.served = Counter(url for mailbox in estate.mailboxes for url in {endpoint.url for endpoint in estate.endpoints_of(mailbox)})
        """How many mailboxes each endpoint serves, by URL."""

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of the estate with this id or subject."""
        return self._by_id.get(name) or self.endpoints.get(name)

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox of the estate with this address, in small or capital letters, or with this id in Dynamics."""
        return self._mailboxes.get(name.casefold())


class EstateState:
    """A run of the whole estate, indexed."""

    def __init__(self, run: Run, names: EstateNames) -> None:
        self.run = run
        self.names = names
        self._attempts: dict[str, list[Attempt]] = {}
        for attempt in run.attempts:
            self._attempts.setdefault(attempt.subject, []).append(attempt)
        self._readings: dict[str, list[Reading]] = {}
        for reading in run.readings:
            self._readings.setdefault(reading.subject, []).append(reading)
        self.assessments: Mapping[str, Assessment] = {assessment.mailbox: assessment for assessment in run.assessments}

    def attempts_with(self, subject: str) -> Sequence[Attempt]:
        """The last attempts with a subject, those of accounts there among them, in the order of the plan."""
        return self._attempts.get(subject, ())

    def readings_of(self, subject: str) -> Sequence[Reading]:
        """What is known and missing of a subject and of accounts there."""
        return self._readings.get(subject, ())

    def facts_of(self, subject: str) -> Facts:
        """What is known of a subject itself."""
        return Facts(subject, [reading for reading in self.readings_of(subject) if reading.mailbox is None])


class States:
    """Gives the newest state, and indexes it once."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names: EstateNames | None = None
        self._state: EstateState | None = None
        self._indexing = asyncio.Lock()

    def names(self) -> EstateNames:
        """What the estate names now."""
        estate = self._watch.estate
        if self._names is None or self._names.estate is not estate:
            self._names = EstateNames(estate)
        return self._names

    def is_newest(self, state: EstateState) -> bool:
        """Whether nothing is known since, and the estate is the same."""
        return state.run is self._watch.run() and state.names is self.names()

    async def newest(self) -> EstateState:
        """The newest state."""
        async with self._indexing:
            run, names = self._watch.run(), self.names()
            if self._state is None or not self.is_newest(self._state):
                # Of ten thousand endpoints there are half a million readings; the schedule goes on meanwhile.
                self._state = await in_thread(lambda: EstateState(run, names), "probe-web-state")
            return self._state


class Drawn(Generic[T]):
    """Something that is drawn once of each state, beside the service's loop: what costs seconds for ten thousand mailboxes.

    While it is drawn of the newest state, what was drawn of the one before serves.
    """

    def __init__(self, states: States, draw: Callable[[EstateState], T], rests: int = 0) -> None:
        """After a drawing there is none until `rests` times as long have passed: a large estate changes all the time."""
        self._states, self._draw, self._rests = states, draw, rests
        self._drawn: tuple[EstateState, T] | None = None
        self._drawing: asyncio.Future[None] | None = None
        self._rests_until = 0.0

    async def newest(self, patience: float = 0.5) -> T:
        """What is drawn of the newest state; where that is not there within so many seconds, of the one before."""
        await self._wait(None if self._drawn is None else patience)
        assert self._drawn is not None
        return self._drawn[1]

    async def at_hand(self, patience: float) -> T | None:
        """As `newest`; None where nothing is drawn yet within so many seconds."""
        await self._wait(patience)
        return None if self._drawn is None else self._drawn[1]

    async def _wait(self, patience: float | None) -> None:
        """Draw the newest state where it is not drawn, and wait for that so long."""
        is_newest = self._drawn is not None and self._states.is_newest(self._drawn[0])
        if self._drawing is None and not is_newest and asyncio.get_running_loop().time() >= self._rests_until:
            self._drawing = asyncio.ensure_future(self._draw_newest())
            # Nobody may be left to hear of a failure.
            self._drawing.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._drawing is not None:
            done, _ = await asyncio.wait([self._drawing], timeout=patience)
            for drawing in done:
                drawing.result()

    async def _draw_newest(self) -> None:
        time = asyncio.get_running_loop().time
        began = time()
        try:
            state = await self._states.newest()
            self._drawn = (state, await in_thread(lambda: self._draw(state), "probe-web-drawing"))
        finally:
            self._drawing = None
            ended = time()
            self._rests_until = ended + (ended - began) * self._rests
