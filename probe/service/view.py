"""The service as its listener shows it: `probe.web.Watch`, over a watcher."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from probe.app import Probing, probers
from probe.document.telling.words import count
from probe.enabling import Pressed, RecordedRequest
from probe.engine.plan import Conversation
from probe.gate import Gated
from probe.history import History, HistoryUnavailable
from probe.memory.state_file import RETRY_SECONDS
from probe.model.attempts import Attempt
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.rules import Finding
from probe.model.runs import Run
from probe.probing import Scope
from probe.schedule import Schedule
from probe.service.enabling import PageEnabling
from probe.service.judging import as_asked, run_about
from probe.service.looks import LookKey, Topic
from probe.service.progress import how_far
from probe.service.watcher import Watcher
from probe.service.writing import unwritten
from probe.web import CannotCheck, EnableOrder, LastLook, LookUnderWay, Standby, WatchedState

LATE = timedelta(minutes=2)
"""How late what is due may be before the schedule counts as not kept."""


class View:
    """What the listener may ask."""

    def __init__(self, watcher: Watcher, schedule: Schedule, probing: Probing, enabling: PageEnabling) -> None:
        self._watcher = watcher
        self._schedule = schedule
        self._probing = probing
        self._enabling = enabling
        self._logins = {name for name, prober in probers().items() if prober.scope is Scope.LOGIN}
        self._asked: dict[str, _AskedLook] = {}

    @property
    def estate(self) -> Estate:
        return self._watcher.estate

    @property
    def started(self) -> datetime:
        return self._watcher.started

    @property
    def history(self) -> History:
        return self._watcher.history

    def state(self) -> WatchedState:
        return self._watcher.shown.now

    async def changed(self, known: WatchedState | None) -> None:
        await self._watcher.shown.otherwise(known)

    def last_look(self, endpoint: str) -> LastLook | None:
        last = self._watcher.last_looks.get(endpoint)
        return None if last is None else LastLook(*last)

    def standby(self) -> Standby:
        if self._watcher.is_standing_by:
            return Standby(False, "another service watches this deployment; this one takes over when that one ends", stands_by=True)
        if (trouble := self._schedule.trouble) is not None:
            return Standby(False, f"nobody is signed in to, since that cannot be written down: {trouble}")
        lag = self.lag()
        if lag > LATE:
            return Standby(False, f"the schedule is {int(lag.total_seconds())} seconds late")
        endpoints, mailboxes = len(self.estate.endpoints), len(self.estate.mailboxes)
        return Standby(True, f"{count(endpoints, 'endpoint', 'endpoints')} and {count(mailboxes, 'mailbox', 'mailboxes')} are watched")

    def lag(self) -> timedelta:
        return timedelta() if self._watcher.is_standing_by else self._schedule.lag(self._watcher.now())

    def under_way(self) -> Sequence[LookUnderWay]:
        return [LookUnderWay(task.kind.value, task.subject, since) for task, since in self._schedule.under_way()]

    def attempts(self) -> Mapping[tuple[str, str], int]:
        return self._watcher.attempts

    def dynamics(self) -> Mapping[tuple[str, str], int]:
        total: Counter[tuple[str, str]] = Counter()
        for part in self._watcher.shown.now.parts.values():
            total.update(part.known.in_dynamics)
        return total

    async def look(self, endpoint: Endpoint) -> None:
        """Look at an endpoint where the last look is older than the schedule's interval."""
        last, interval = self._watcher.last_looks.get(endpoint.url), self.estate.schedule.quick
        if last is None or interval is None or self._watcher.now() - last[0] >= interval:
            await self._once(endpoint.url, [LookKey(Topic.ENDPOINT, endpoint.url)])

    def signed_in(self, mailbox: str) -> datetime | None:
        return self._watcher.last_sign_ins.get(mailbox)

    def next_sign_in(self, mailbox: str, last: datetime | None) -> datetime | None:
        return self._schedule.next_sign_in(mailbox, last, self._watcher.now())

    async def check(self, subject: Mailbox | Endpoint, run_id: str, say: Callable[[str], None]) -> Run:
        """A check of a mailbox or of an endpoint; see `probe.web.Watch`."""
        asked = self._watcher.now()
        if isinstance(subject, Endpoint):
            await self._once(subject.url, [LookKey(Topic.ENDPOINT, subject.url)], say)
            behind = [mailbox for mailbox in self.estate.mailboxes if subject in self.estate.endpoints_of(mailbox)]
        else:
            keys = [LookKey(Topic.ENDPOINT, endpoint.url) for endpoint in dict.fromkeys(self.estate.endpoints_of(subject))]
            await self._once(subject.address, [*keys, LookKey(Topic.ACCOUNT, subject.address)], say)
            behind = [subject]
        whole = await self._watcher.judged_of(subject.address if isinstance(subject, Mailbox) else subject.url)
        if isinstance(subject, Mailbox) and not any(one.mailbox == subject.address for one in whole.assessments):
            raise CannotCheck("the estate was taken up anew meanwhile, and does not have the mailbox, or has not judged it")
        run = run_about(whole, behind, run_id)
        return await self._kept(as_asked(run, asked, self._watcher.now(), self._signed_in_at))

    def _signed_in_at(self, attempt: Attempt) -> datetime | None:
        """When an attempt of the state was held last and found the same, where it signs in and that is known."""
        is_login = attempt.prober in self._logins and attempt.mailbox is not None
        return self._watcher.last_sign_ins.get(attempt.mailbox or "") if is_login else None

    async def gate(self, mailbox: Mailbox, run_id: str, say: Callable[[str], None]) -> Gated:
        """The gate's answer; see `probe.web.Watch`."""
        gated = await self._probing.gate(self.estate, [mailbox], progress=lambda left, of: say(how_far(left, of)))
        assert gated is not None
        return replace(gated, run=await self._kept(replace(gated.run, id=run_id)))

    async def enable(self, gated: Gated, order: EnableOrder, say: Callable[[str], None]) -> Pressed:
        if self._watcher.is_standing_by:
            raise CannotCheck(self.standby().words)
        return await self._enabling.enable(self.estate, gated, order, say)

    async def enabling(self) -> Mapping[str, RecordedRequest]:
        return await self._enabling.requests()

    async def follow_up(self) -> None:
        """See what came of Test & Enable that was asked for from the page and has no outcome yet."""

        def findings(address: str) -> Mapping[str, Finding]:
            run = self._watcher.run_of(address)
            of_it = next((one.findings for one in run.assessments if one.mailbox == address), ())
            return {finding.rule.id: finding for finding in of_it}

        await self._enabling.follow_up(self.estate, findings)

    async def _kept(self, run: Run) -> Run:
        """The run, once it is in the history."""
        try:
            await self.history.record_run(run, RETRY_SECONDS)
        except HistoryUnavailable as unavailable:
            raise CannotCheck(unwritten("the run is not kept", unavailable)) from None
        return run

    async def _once(self, name: str, keys: list[LookKey], say: Callable[[str], None] | None = None) -> None:
        """Hold some looks and wait for what follows from them; who asks for the same meanwhile waits for that, and hears how far it is too."""
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = _AskedLook(self._watcher, keys)
            asked.ends.add_done_callback(lambda _: self._asked.pop(name, None))
        if say is not None:
            asked.tell(say)
        await asyncio.shield(asked.ends)


class _AskedLook:
    """Looks that are held because somebody asked, and all who hear how far they are."""

    def __init__(self, watcher: Watcher, keys: list[LookKey]) -> None:
        self._hear: list[Callable[[str], None]] = []
        self._news = "it waits for its turn at the servers"
        self.ends = asyncio.ensure_future(watcher.look_now(keys, self._progress))

    def tell(self, say: Callable[[str], None]) -> None:
        """Have somebody hear how far they are, now and each time that changes."""
        self._hear.append(say)
        say(self._news)

    def _progress(self, left: Collection[Conversation], of: int) -> None:
        self._news = how_far(left, of)
        for say in self._hear:
            say(self._news)
