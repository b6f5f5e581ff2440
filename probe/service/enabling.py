"""Test & Enable from the page: one mailbox at a time, on the record of `probe/enabling/`, and followed up until it has an outcome, over restarts too."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Callable, Collection, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from probe.enabling import (
    PAGE_BATCH,
    AlreadyEnabling,
    Audit,
    Books,
    Choice,
    Followed,
    Job,
    Patience,
    Pressed,
    RecordedRequest,
    Wish,
    choose,
    close_told,
    open_batch,
    page_requests,
)
from probe.enabling.audit import NAME, kept_lines
from probe.memory import Folder, MemoryUnavailable
from probe.model.rules import Finding
from probe.net.threads import in_thread
from probe.service.clock import Clock
from probe.web import CannotCheck, EnableOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from probe.app import Probing
    from probe.gate import Gated
    from probe.model.estate import Estate

_log = logging.getLogger(__name__)

FOLLOWED_EACH = 60.0
"""Seconds between two looks at what was asked for and has no outcome; where nothing is, nobody is asked."""
_ONE_LOOK = Patience(wait=1)


class PageEnabling:
    """What the page may have Dynamics asked for."""

    def __init__(self, folder: Folder, probing: Probing, clock: Clock) -> None:
        """`folder` is the state folder, whose lock keeps any two from asking at once, be it in one process."""
        self._folder, self._probing, self._clock = folder, probing, clock
        self._books = Books(folder)
        self._read: tuple[object, Mapping[str, RecordedRequest]] = (None, {})
        self._reading = asyncio.Lock()
        self._following = asyncio.Lock()
        """Held while it is looked at what was asked for before, which takes seconds: whoever presses waits for that, and is not refused."""

    async def enable(self, estate: Estate, gated: Gated, order: EnableOrder, say: Callable[[str], None]) -> Pressed:
        """Ask Dynamics, wait, and tell what came of it; see `probe.web.Watch`."""
        organization = _organization_of(estate)
        if estate.dynamics is None or not estate.dynamics.enable_from_page:
            raise CannotCheck("the estate does not allow Test & Enable from the page")
        if gated.run.estate != estate:
            raise CannotCheck("the estate was changed after the gate had answered; ask it again")
        async with self._following:
            wish, now = Wish(takes_over=order.takes_over), self._clock.now()
        with self._opened() as audit:
            left = await in_thread(lambda: open_batch(audit, self._books, organization, now), "probe-enabling")
            # A batch of the page has one mailbox, unless the command line took it up.
            if left is not None and not (left.batch.id.startswith(PAGE_BATCH) and len(left.batch.members) == 1):
                raise CannotCheck(
                    f"batch {left.batch.id} of the command line is open: `probe gate ESTATE.toml ADDRESS --enable` takes it up, and with --new leaves it"
                )
            choice = choose(estate, gated, {}, wish)
            if choice.is_empty:
                return Pressed.of(choice)
            meant = {candidate.id for candidate in (*choice.ask, *choice.theirs)}
            if any(one.id in meant and one.is_left(now) for one in (await self.requests()).values()):
                raise CannotCheck("Dynamics was asked for it already, and has no outcome yet")
            if await in_thread(lambda: _is_asked_since(audit, meant, gated.run.finished), "probe-enabling"):
                raise CannotCheck("Dynamics was asked for it after the gate had answered; ask the gate again")
            job = _job(estate, choice, f"{PAGE_BATCH}{order.id}", order.who, wish, Patience())
            pressed = await self._probing.enable(job, audit, self._books, say, asyncio.Event())
            await self._close(audit, organization)
        return pressed

    async def requests(self) -> Mapping[str, RecordedRequest]:
        """What was asked from the page, by the id of the order; see `probe.web.Watch`."""
        async with self._reading:
            try:
                found = (self._folder.path / NAME).stat()
            except FileNotFoundError:
                return {}
            except (OSError, MemoryUnavailable) as failed:
                raise CannotCheck(f"the audit cannot be read: {failed}") from None
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._read[0] != stamp:
                try:
                    requests = await in_thread(lambda: page_requests(kept_lines(self._folder)), "probe-enabling")
                except MemoryUnavailable as unavailable:
                    raise CannotCheck(f"the audit cannot be read: {unavailable}") from None
                self._read = (stamp, requests)
            return self._read[1]

    async def follow_up(self, estate: Estate, findings: Callable[[str], Mapping[str, Finding]]) -> None:
        """See what came of requests that have no outcome, as of those of a service that was killed. Nothing is asked for again.

        `findings` gives those of a mailbox by rule, by which the alerts of Dynamics are explained.
        """
        try:
            now = self._clock.now()
            if not any(one.is_left(now) for one in (await self.requests()).values()):
                return
            organization = _organization_of(estate)
            async with self._following:
                await self._look_at_what_is_left(estate, organization, now, findings)
        except CannotCheck as cannot:
            _log.debug("Test & Enable is not followed up now", extra={"why": str(cannot)})

    async def _look_at_what_is_left(
        self, estate: Estate, organization: str, now: datetime, findings: Callable[[str], Mapping[str, Finding]]
    ) -> None:
        with self._opened() as audit:
            for request in (await self.requests()).values():
                if request.organization == organization and request.is_left(now) and request.past.asked is not None:
                    followed = Followed(id=request.id, address=request.mailbox, findings=findings(request.mailbox))
                    choice = Choice(left=((followed, request.past.asked),))
                    job = _job(estate, choice, request.batch, request.who, Wish(), _ONE_LOOK)
                    pressed = await self._probing.enable(job, audit, self._books, lambda sentence: None, asyncio.Event())
                    for note in pressed.notes:
                        _log.warning("Test & Enable is followed up", extra={"mailbox": request.mailbox, "note": note})
            await self._close(audit, organization)

    async def _close(self, audit: Audit, organization: str) -> None:
        """Let nobody take up what has its outcome: the page tells it, for as long as the audit has it."""
        now = self._clock.now()
        try:
            await in_thread(lambda: close_told(audit, self._books, organization, now), "probe-enabling")
        except MemoryUnavailable as unavailable:
            _log.error("what has its outcome stays open", extra={"why": str(unavailable)})

    @contextmanager
    def _opened(self) -> Iterator[Audit]:
        """The audit, with nobody else asking meanwhile. Raises CannotCheck."""
        try:
            with Audit(self._folder, self._clock.now) as audit:
                yield audit
        except (AlreadyEnabling, MemoryUnavailable) as unavailable:
            raise CannotCheck(str(unavailable)) from None


def _organization_of(estate: Estate) -> str:
    """The id of the one organization that may be asked. Raises CannotCheck."""
    if estate.dynamics is None or estate.dynamics.organization is None:
        raise CannotCheck("the estate binds no organization, so that nothing is asked of Dynamics")
    return estate.dynamics.organization.id


def _is_asked_since(audit: Audit, ids: Collection[str], moment: datetime) -> bool:
    """Whether any of these mailboxes was asked for after a moment, by whomever."""
    return any(line.get("id") in ids and datetime.fromisoformat(line["at"]) > moment for line in audit.lines())


def _job(estate: Estate, choice: Choice, batch: str, who: str, wish: Wish, patience: Patience) -> Job:
    return Job(
        estate=estate,
        choice=choice,
        wish=wish,
        patience=patience,
        batch=batch,
        organization=_organization_of(estate),
        who=who,
        host=platform.node() or "unknown",
    )
