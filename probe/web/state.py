"""The newest state of the estate, found by name: what a request asks about, and what is known of it.

It is drawn as it becomes known, part by part and beside the service's loop, and not by whoever asks: who asks has what is drawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Generic, TypeVar, cast

from probe.document.telling.blocks import in_order
from probe.model.attempts import Attempt
from probe.model.endpoints import MOST_URL_BYTES, endpoint_id
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.facts import Facts, Reading
from probe.model.rules import Assessment
from probe.net.threads import in_thread
from probe.web.causes import EstateCauses
from probe.web.parts import DrawnBlock, JsonForm, OpenPart, OpenParts, PartState, endpoint_in_short
from probe.web.problems import RequestProblem
from probe.web.watch import Watch, WatchedState

T = TypeVar("T")

MOST_NAME = MOST_URL_BYTES
"""Characters of what may be asked for by name; no subject has more."""
PATIENCE = 0.03
"""Seconds for which a request waits for what is newer than what is drawn."""
_RESTS = 5
"""How many times as long as a drawing took there is none: a large estate changes all the time."""

_log = logging.getLogger(__name__)


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
    """What is known of the whole estate at one time, indexed."""

    def __init__(self, watched: WatchedState, names: EstateNames, parts: Sequence[PartState], opens: OpenParts) -> None:
        self.watched = watched
        self.run = watched.whole
        """The estate and the time of all of this; without attempts, readings and assessments."""
        self.names = names
        self.parts = parts
        self._opens = opens
        self._part_of = {subject: part for part in reversed(parts) for subject in part.subjects}
        self.judged = sum(len(part.mailboxes) for part in parts)
        """How many mailboxes are judged: all but soon after the service began."""
        self.blocks: Sequence[DrawnBlock] = _sorted(block for part in parts for block in part.blocks)
        """The mailboxes in blocks, the most urgent first."""
        self.causes = EstateCauses(self.blocks)
        """Why they have their verdicts."""

    @property
    def unjudged(self) -> int:
        """How many mailboxes are not judged yet."""
        return len(self.names.estate.mailboxes) - self.judged

    def in_short(self, mailbox: Mailbox) -> JsonForm | None:
        """What lists tell of a mailbox; None where it is not judged yet."""
        part = self._part_of.get(mailbox.address)
        return None if part is None else part.mailboxes.get(mailbox.address)

    def assessment(self, mailbox: Mailbox) -> Assessment | None:
        """What came of a mailbox; None where it is not judged yet."""
        part = self._open(mailbox.address)
        return None if part is None else part.assessments.get(mailbox.address)

    def judged_at(self, mailbox: Mailbox) -> date:
        """The day for which a mailbox is judged. After midnight part after part is judged for the next day, which is already that of the run."""
        part = self._part_of.get(mailbox.address)
        return self.run.judged_at if part is None else part.known.judged_at

    def decided_by(self, rule: str, result: str | None) -> frozenset[str]:
        """The addresses of the mailboxes that a rule decides, or advises; where `result` is given, those of which it comes to that."""
        return frozenset(
            address
            for one in self.blocks
            if any(name == rule and result in (None, told) for name, told in one.deciding)
            for address in one.block.addresses
        )

    def attempts_with(self, subject: str) -> Sequence[Attempt]:
        """The last attempts with a subject, those of accounts there among them, in the order of the plan."""
        part = self._open(subject)
        return () if part is None else part.attempts_with(subject)

    def attempt(self, subject: str, attempt_id: str) -> Attempt | None:
        """An attempt with a subject or with what is known together with it, by its id."""
        part = self._open(subject)
        return None if part is None else part.attempts.get(attempt_id)

    def readings_of(self, subject: str) -> Sequence[Reading]:
        """What is known and missing of a subject and of accounts there."""
        part = self._open(subject)
        return () if part is None else part.readings_of(subject)

    def facts_of(self, subject: str) -> Facts:
        """What is known of a subject itself."""
        part = self._open(subject)
        return Facts(subject) if part is None else part.facts_of(subject)

    def _open(self, subject: str) -> OpenPart | None:
        part = self._part_of.get(subject)
        return None if part is None else self._opens.of(part)

    def endpoint_in_short(self, url: str) -> JsonForm:
        """An endpoint in short."""
        part = self._part_of.get(url)
        known = None if part is None else part.endpoints.get(url)
        return known or endpoint_in_short(url, (), Facts(url))


def _sorted(blocks: Iterable[DrawnBlock]) -> list[DrawnBlock]:
    drawn = {id(one.block): one for one in blocks}
    return [drawn[id(block)] for block in in_order(one.block for one in drawn.values())]


class States:
    """Has the newest state drawn, and gives what is drawn."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names: EstateNames | None = None
        self._opens = OpenParts()
        self._draws: list[Callable[[EstateState], object]] = []
        self._shown: tuple[EstateState, tuple[object, ...]] | None = None
        self._tried: WatchedState | None = None
        """The state that was drawn last, or could not be."""
        self._news = asyncio.Event()
        """Set at the next drawing; each has its own."""

    def drawn(self, draw: Callable[[EstateState], T]) -> Drawn[T]:
        """Have something drawn of each state along with it."""
        assert self._tried is None
        self._draws.append(draw)
        return Drawn(self, len(self._draws) - 1)

    def names(self) -> EstateNames:
        """What the estate names now, which may be otherwise than that of the state that is drawn."""
        estate = self._watch.estate
        if self._names is None or self._names.estate is not estate:
            self._names = EstateNames(estate)
        return self._names

    async def begin(self) -> None:
        """Draw what is known, so that there is something to show."""
        await self._draw()

    async def follow(self) -> None:
        """Draw each state that is newer than what is drawn, until it is cancelled."""
        time = asyncio.get_running_loop().time
        while True:
            await self._watch.changed(self._tried)
            began = time()
            await self._draw()
            # As long as the next one is not drawn, what is drawn is shown with its time.
            await asyncio.sleep((time() - began) * _RESTS)

    def at_hand(self) -> EstateState:
        """The state that is drawn. Raises RequestProblem where nothing could be drawn."""
        if self._shown is None:
            raise RequestProblem(503, "what is known cannot be shown; the service's log says why", {"Retry-After": "60"})
        return self._shown[0]

    async def newest(self, patience: float = PATIENCE) -> EstateState:
        """The newest state that is drawn, waited for so long."""
        return (await self.shown(patience))[0]

    async def shown(self, patience: float = PATIENCE) -> tuple[EstateState, tuple[object, ...]]:
        """As `newest`, with what is drawn of it. Raises RequestProblem where nothing could be drawn."""
        wanted = self._watch.state()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._shown is None or all(self._shown[0].watched is not one for one in (wanted, self._watch.state())):
                    await self._news.wait()
        self.at_hand()
        assert self._shown is not None
        return self._shown

    async def after(self, state: EstateState) -> None:
        """Return once a newer state than this is drawn."""
        while self._shown is None or self._shown[0] is state:
            await self._news.wait()

    async def _draw(self) -> None:
        watched, names = self._watch.state(), self._names
        self._tried = watched
        try:
            self._shown, self._names = await in_thread(lambda: self._made(watched, names), "probe-web-state")
        except Exception:  # noqa: BLE001 - what was drawn before is shown, and the service goes on
            _log.exception("a bug in probe: the newest state is not drawn")
            return
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _made(self, watched: WatchedState, names: EstateNames | None) -> tuple[tuple[EstateState, tuple[object, ...]], EstateNames]:
        """A state with all that is drawn of it."""
        estate = watched.whole.estate
        assert estate is not None
        if names is None or names.estate is not estate:
            names = EstateNames(estate)
        parts = [part for _, part in sorted(watched.parts.items())]
        for part in parts:
            if part.is_large:  # so that nobody who asks has to wait for that
                self._opens.of(part)
        state = EstateState(watched, names, parts, self._opens)
        return (state, tuple(draw(state) for draw in self._draws)), names


class Drawn(Generic[T]):
    """Something that is drawn of each state."""

    def __init__(self, states: States, number: int) -> None:
        self._states, self._number = states, number

    async def newest(self, patience: float = PATIENCE) -> T:
        """What is drawn of the newest state that is drawn."""
        drawings: tuple[Any, ...] = (await self._states.shown(patience))[1]
        return cast("T", drawings[self._number])
