"""Asks Dynamics for Test & Enable, a portion of mailboxes at a time, waits, and compares. The one place from which Dynamics is changed.

Nothing is asked for before it stands in the audit. A process that is killed leaves there what the next one needs: the row of each mailbox decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import field, replace
from datetime import datetime, timedelta

from probe.config.secrets import SecretUnavailable
from probe.document.telling.words import some_of
from probe.dynamics import Client, MailboxRow, TraceLog
from probe.enabling.audit import Audit
from probe.enabling.batches import comparisons
from probe.enabling.books import Books
from probe.enabling.choosing import ALREADY_ENABLED, Candidate, Choice, Followed, Wish, why_not
from probe.enabling.course import DOUBT, Answered, Begun, Course, course_of
from probe.enabling.outcomes import MOST_ALERTS, Reported, alert_form, done_form, pending_form, retold
from probe.gate import GateAnswer, GateVerdict
from probe.memory import MemoryUnavailable
from probe.model.estate import Estate
from probe.model.kinds import Json
from probe.model.values import dataclass
from probe.net.failures import Denied, Throttled, expected
from probe.probing.proofs import NotClaimed

BETWEEN_NEWS = 60.0
"""Seconds after which it is said again what is waited for."""
FEWEST = 5
"""Finished mailboxes before which no share of failures stops a batch."""
ALERTS_BEFORE = timedelta(hours=1)
"""How much older than the request an alert may be by Dynamics' clock, which need not agree with ours."""
ALERTS_BEFORE_UNKNOWN = timedelta(minutes=5)
"""The same where it is not known which alerts there were before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, and how often is asked. Each read is one request for twenty mailboxes."""

    wait: float = 900.0
    """Seconds for one mailbox, from its request on."""
    portion: int = 10
    pause: float = 60.0
    """Seconds between two portions."""
    stop_at: float = 20.0
    """Percent of the finished mailboxes: where more of them failed, nothing more is asked for."""
    first_read: float = 1.0
    """Seconds between reads; each is half as long again as the one before, up to the last."""
    last_read: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done, for whom, and what the audit says of it."""

    estate: Estate
    choice: Choice
    wish: Wish
    patience: Patience
    batch: str
    organization: str
    """The id that the estate binds."""
    who: str
    host: str
    ticket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What came of it."""

    enabled: Mapping[str, dict[str, Json]]
    """By address, as the document `probe.gate/1` has it."""
    not_asked: Mapping[str, str]
    """Why not, by address."""
    is_interrupted: bool = False
    batch: str | None = None
    """The batch, where Dynamics was asked for something, or waited for."""
    notes: tuple[str, ...] = field(default=())
    """Why it ended early, and what could not be read, each in a sentence."""

    @classmethod
    def of(cls, choice: Choice) -> Pressed:
        """What is to be told where nothing was asked for and nothing is waited for."""
        return cls(enabled={address: retold(line) for address, line in choice.done.items()}, not_asked=choice.not_asked)

    def exit_code_of(self, verdict: GateVerdict) -> int:
        """0 where Dynamics reports success in every direction that is used, or it is enabled already; 1 a failure or no go; 3 where that is open."""
        if verdict.answer is GateAnswer.NO_GO:
            return 1
        form = self.enabled.get(verdict.mailbox)
        if form is None:
            is_well = verdict.answer is GateAnswer.GO and self.not_asked.get(verdict.mailbox) == ALREADY_ENABLED
            return 0 if is_well else 3
        reported = {how for how in form["outcome"].values() if how is not None}
        if Reported.FAILURE in reported:
            return 1
        return 0 if reported == {str(Reported.SUCCESS)} else 3


class _Watched:
    """A mailbox that is waited for."""

    def __init__(self, mailbox: Followed, asked: Begun, deadline: datetime, alerts: frozenset[tuple[str, datetime | None]] | None) -> None:
        self.mailbox = mailbox
        self.asked = asked
        self.deadline = deadline
        self.alerts = alerts
        """Those that there were before; None where that is not known."""
        self.is_late = False

    @property
    def ends(self) -> datetime:
        """Until when it is waited for: what is in doubt, until that is over, however short the wait."""
        return max(self.deadline, self.asked.doubtful_until or self.deadline)


ToOrganization = Callable[[], AbstractAsyncContextManager[Client]]


class Enabler:
    """One job. `pressed` tells what has come of it, also after `run` was cancelled."""

    def __init__(
        self,
        job: Job,
        connect: ToOrganization,
        audit: Audit,
        books: Books,
        *,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
        clean: Callable[[str], str],
    ) -> None:
        """`connect` signs in to the organization; `clean` strikes secrets out of what Dynamics says."""
        self._job = job
        self._connect = connect
        self._audit = audit
        self._books = books
        self._clock = clock
        self._say = say
        self._clean = clean
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._watched: dict[str, _Watched] = {}
        self._queue: deque[Candidate] = deque()
        self._enabled = {address: retold(line) for address, line in job.choice.done.items()}
        self._not_asked: dict[str, str] = dict(job.choice.not_asked)
        self._notes: list[str] = []
        self._asked_now: set[str] = set()
        self._finished = self._failed = 0
        self._said_at: datetime | None = None
        self._is_asking = True
        self._is_ended = False

    async def run(self) -> None:
        """Do all of it, unless it ends early, as where the audit cannot be kept; the notes say why. Raises what nobody expected."""
        try:
            await self._all()
        except MemoryUnavailable as unavailable:
            self._end(f"nothing more is asked for: {unavailable}")
        finally:
            await self._hang_up()

    def pressed(self, *, is_interrupted: bool) -> Pressed:
        """What has come of it so far: what was asked for and is not done is pending."""
        pending = {one.mailbox.address: pending_form(one.asked) for one in self._watched.values()}
        not_asked = dict(self._not_asked)
        choice = self._job.choice
        candidates = (*choice.ask, *(candidate for candidate, _ in choice.taken_up))
        for mailbox in (*(candidate.followed for candidate in candidates), *(mailbox for mailbox, _ in choice.left)):
            if mailbox.address not in self._enabled and mailbox.id not in self._watched:
                not_asked.setdefault(mailbox.address, "its turn had not come, or no answer had; ask again to go on")
        return Pressed(
            enabled={**pending, **self._enabled},
            not_asked=not_asked,
            is_interrupted=is_interrupted,
            batch=self._job.batch,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    async def _all(self) -> None:
        choice, now = self._job.choice, self._clock()
        for candidate, asked in choice.taken_up:
            self._watch(candidate.followed, asked, now, None)
        for mailbox, asked in choice.left:
            self._watch(mailbox, asked, now, None)
        self._queue.extend(choice.ask)
        members = (*choice.ask, *choice.theirs)
        self._books.add(self._job.batch, self._job.organization, {one.id: one.mailbox.address for one in members}, now)
        for candidate in choice.theirs:
            self._is_theirs(candidate, candidate.rows.mailbox)
        if choice.taken_up or choice.left:
            # Those that failed meanwhile count before more is asked for.
            await self._read()
        is_first = True
        while not self._is_ended:
            self._hold_back()
            if self._queue and not is_first:
                await asyncio.sleep(self._job.patience.pause)
            is_first = False
            portion = await self._ask_portion()
            await self._wait_for(portion if portion or self._queue else {*self._watched})
            if not self._queue and all(one.is_late for one in self._watched.values()):
                return

    async def _ask_portion(self) -> set[str]:
        """Ask for the next mailboxes; the ids of those that are waited for now."""
        if not self._queue or (client := await self._line()) is None:
            return set()
        portion = [self._queue.popleft() for _ in range(min(self._job.patience.portion, len(self._queue)))]
        alerts = await self._alerts(client, [one.id for one in portion], self._clock() - ALERTS_BEFORE)
        before = None if alerts is None else frozenset((alert.id, alert.modified) for alert in alerts)
        for candidate in portion:
            if self._is_asking:
                await self._ask(client, candidate, before)
        if asked := sum(one.id in self._asked_now for one in portion):
            self._say(f"asked Dynamics for {asked} of {len(portion)}, {len(self._queue)} to follow")
        return {one.id for one in portion} & self._watched.keys()

    async def _ask(self, client: Client, candidate: Candidate, before: frozenset[tuple[str, datetime | None]] | None) -> None:
        address = candidate.mailbox.address
        requested: datetime | None = None

        def about_to(row: MailboxRow) -> bool:
            nonlocal requested
            if (why := why_not(self._job.estate, candidate, row, self._job.wish)) is not None:
                self._not_asked[address] = why
                return False
            requested = self._clock()
            self._write(candidate.followed, **self._request(candidate, row))
            self._asked_now.add(candidate.id)
            return True

        try:
            came = await client.enable(candidate.id, about_to)
        except Exception as failure:
            if (named := expected(failure)) is None:
                raise
            words = self._clean(named[1])
            if requested is not None:
                self._write(candidate.followed, answered=str(Answered.REFUSED), detail=words)
            self._not_asked[address] = f"Dynamics was not asked, or did not take it: {words}"
            self._count(is_failure=True)
            if isinstance(failure, Denied | Throttled | NotClaimed):
                self._ask_no_more(f"Dynamics is asked for nothing more: {words}")
            return
        asked = Begun(id=candidate.id, before=came.before.test_completed, requested=requested, predicted=candidate.predicted)
        match came.state:
            case "scheduled" if requested is None:
                self._is_theirs(candidate, came.before)
            case "sent" | "scheduled":
                # After a 503 the row may show that it was taken all the same.
                self._write(candidate.followed, answered=str(Answered.SENT))
                self._watch(candidate.followed, asked, self._clock(), before)
            case "unknown":
                self._write(candidate.followed, answered=str(Answered.UNKNOWN), detail=self._clean(came.detail))
                self._watch(candidate.followed, replace(asked, doubtful_until=self._clock() + DOUBT), self._clock(), before)

    def _is_theirs(self, candidate: Candidate, row: MailboxRow) -> None:
        now = self._clock()
        self._write(
            candidate.followed, answered=str(Answered.SCHEDULED), before=_exact(row.test_completed), predicted=dict(candidate.predicted)
        )
        asked = Begun(id=candidate.id, before=row.test_completed, requested=None, predicted=candidate.predicted)
        self._watch(candidate.followed, asked, now, None)
        self._say(f"{candidate.mailbox.address}: somebody else has asked for Test & Enable; it is waited for, and not asked for again")

    def _watch(self, mailbox: Followed, asked: Begun, since: datetime, alerts: frozenset[tuple[str, datetime | None]] | None) -> None:
        self._watched[mailbox.id] = _Watched(mailbox, asked, since + timedelta(seconds=self._job.patience.wait), alerts)

    async def _wait_for(self, wanted: set[str]) -> None:
        """Read the rows until each of these is done, or its time is over."""
        pace = self._job.patience.first_read
        while not self._is_ended:
            await self._read()
            left = [self._watched[one] for one in wanted if one in self._watched and not self._watched[one].is_late]
            if not left:
                return
            self._tell_of(left)
            latest = max(one.ends for one in left)
            await asyncio.sleep(max(0.0, min(pace, (latest - self._clock()).total_seconds())))
            pace = min(pace * 1.5, self._job.patience.last_read)

    def _tell_of(self, left: Sequence[_Watched]) -> None:
        """Say now and then what is waited for."""
        now = self._clock()
        if self._said_at is not None and (now - self._said_at).total_seconds() < BETWEEN_NEWS:
            return
        if self._said_at is not None:
            self._say(f"waiting for Dynamics to test {some_of([one.mailbox.address for one in left])}")
        self._said_at = now

    async def _read(self) -> None:
        """See how far each mailbox is that is waited for."""
        if not self._watched or (client := await self._line()) is None:
            self._look_at_the_clock()
            return
        try:
            rows = await client.mailboxes_by_id([*self._watched])
        except Exception as failure:  # noqa: BLE001 - a bug is raised by it
            await self._lost(failure)
            self._look_at_the_clock()
            return
        now, done = self._clock(), []
        for row in rows:
            if (watched := self._watched.get(row.id)) is None:
                continue
            match course_of(watched.asked, row, now):
                case Course.DONE:
                    done.append((watched, row))
                case Course.UNDER_WAY:
                    watched.asked = replace(watched.asked, doubtful_until=None)
                case Course.NOT_SENT:
                    self._was_not_sent(watched)
        if done:
            since = min(one.asked.requested or now for one, _ in done) - ALERTS_BEFORE
            alerts = await self._alerts(client, [row.id for _, row in done], since)
            for watched, row in done:
                self._finish(watched, row, [alert for alert in alerts or () if alert.regarding == row.id])
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        now = self._clock()
        for watched in self._watched.values():
            if not watched.is_late and now >= watched.ends:
                watched.is_late = True
                self._say(f"{watched.mailbox.address}: pending; Dynamics may try for 50 minutes")

    def _was_not_sent(self, watched: _Watched) -> None:
        mailbox, choice = watched.mailbox, self._job.choice
        del self._watched[mailbox.id]
        self._write(mailbox, answered=str(Answered.NOT_SENT))
        if self._is_asking and mailbox.id in choice.may_ask_again and mailbox.id not in self._asked_now:
            self._queue.extend(candidate for candidate, _ in choice.taken_up if candidate.id == mailbox.id)
            return
        self._not_asked[mailbox.address] = "the request did not reach Dynamics: its row has not changed for a minute; ask again"
        self._count(is_failure=True)

    def _finish(self, watched: _Watched, row: MailboxRow, alerts: Sequence[TraceLog]) -> None:
        mailbox, asked, now = watched.mailbox, watched.asked, self._clock()
        since = (asked.requested or now) - ALERTS_BEFORE_UNKNOWN
        new = [
            alert
            for alert in alerts
            if ((alert.id, alert.modified) not in watched.alerts if watched.alerts is not None else (alert.modified or now) >= since)
        ]
        told = [alert_form(alert, mailbox.findings, self._clean) for alert in new[:MOST_ALERTS]]
        form = done_form(asked, row, told, now)
        self._write(mailbox, **form)
        del self._watched[mailbox.id]
        self._enabled[mailbox.address] = form
        told_of = comparisons(mailbox.address, asked.predicted, form)
        self._books.compare(self._job.batch, self._job.organization, mailbox.id, told_of)
        reported = form["outcome"]
        self._count(is_failure=Reported.FAILURE in reported.values())
        self._say(f"{mailbox.address}: " + ", ".join(f"{name} {how}" for name, how in reported.items() if how is not None))

    async def _alerts(self, client: Client, ids: Sequence[str], since: datetime) -> tuple[TraceLog, ...] | None:
        try:
            return await client.alerts(ids, since)
        except Exception as failure:
            if (named := expected(failure)) is None:
                raise
            self._notes.append(f"the alerts could not be read: {self._clean(named[1])}")
            return None

    async def _line(self) -> Client | None:
        """The organization, signed in to; None where that cannot be now."""
        if self._client is None and not self._is_ended:
            try:
                self._client = await self._stack.enter_async_context(self._connect())
            except Exception as failure:  # noqa: BLE001 - a bug is raised by it
                await self._lost(failure)
        return self._client

    async def _lost(self, failure: Exception) -> None:
        """The organization cannot be read now; where that will not change by itself, all ends."""
        named = expected(failure)
        if named is None and not isinstance(failure, SecretUnavailable):
            raise failure
        await self._hang_up()
        words = str(failure) if named is None else self._clean(named[1])
        is_idle = all(one.is_late for one in self._watched.values())
        if named is None or isinstance(failure, Denied | NotClaimed) or (self._queue and is_idle):
            self._end(f"Dynamics cannot be read any more: {words}")
        else:
            self._say(f"Dynamics could not be read just now: {words}")

    async def _hang_up(self) -> None:
        self._client = None
        await self._stack.aclose()

    def _count(self, *, is_failure: bool) -> None:
        self._finished += 1
        self._failed += is_failure

    def _hold_back(self) -> None:
        """Ask for nothing more where too many failed; what is under way is waited for."""
        stop_at = self._job.patience.stop_at
        if self._queue and self._finished >= FEWEST and self._failed * 100 > stop_at * self._finished:
            why = f"{self._failed} of {self._finished} finished mailboxes failed, more than {stop_at:g} % (--stop-at)"
            self._ask_no_more(f"nothing more is asked for: {why}")

    def _ask_no_more(self, why: str) -> None:
        self._queue.clear()
        if self._is_asking:
            self._notes.append(why)
        self._is_asking = False

    def _end(self, why: str) -> None:
        self._is_ended = True
        self._notes.append(why)

    def _request(self, candidate: Candidate, row: MailboxRow) -> dict[str, Json]:
        return {
            "predicted": dict(candidate.predicted),
            "accepted": [str(word) for word in candidate.verdict.accepted],
            "ticket": self._job.ticket,
            "take_over": self._job.wish.takes_over,
            "before": _exact(row.test_completed),
        }

    def _write(self, mailbox: Followed, **what: Json) -> None:
        job = self._job
        self._audit.write(
            {
                "who": job.who,
                "host": job.host,
                "organization": job.organization,
                "mailbox": mailbox.address,
                "id": mailbox.id,
                "batch": job.batch,
                **what,
            }
        )


def _exact(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
