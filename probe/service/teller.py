"""Hands over to the alerts what is wrong, what changed and what ends soon, so that each is told once, whatever happens in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain

from probe.alerts import AlertCondition, AlertKind, Alerts, Happened, Notice
from probe.engine.judge import Ruleset
from probe.history import History, HistoryChange, HistoryUnavailable
from probe.memory import MemoryUnavailable
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, profile_subject
from probe.model.facts import Reading
from probe.model.runs import Run
from probe.model.values import dataclass
from probe.net.threads import in_thread, to_its_end
from probe.outlook import Coming, outlook
from probe.service.ahead import approaching
from probe.service.alternating import ALTERNATES, Alternations, steady_after
from probe.service.cohorts import Cohort, Cohorts, base_key
from probe.service.conditions import SILENT, WhatIsWrong, merged
from probe.service.drift import notices_of
from probe.service.dynamics import PENDING, UNLISTED, WaitingMail, unlisted
from probe.service.keeping import KeptLooks
from probe.service.parts import EstateParts
from probe.service.writing import WritePause

_log = logging.getLogger(__name__)

_THREAD = "probe-telling"
_CONFIRMED_WITHIN = timedelta(minutes=2)
"""After its first look an endpoint that does not answer is found to be so by a second one."""
_MOST_COMING = 10_000
"""Ends that wait to be handed over; they are found again each day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToldState:
    """What was found to be so, as it is handed over."""

    estate: Estate
    now: datetime
    wrong: Mapping[int, WhatIsWrong]
    of_dynamics: Sequence[AlertCondition]
    changes: Sequence[HistoryChange] | None
    """What changed and was not told yet; None where that cannot be read."""
    number: int
    """Of the news that it has."""
    is_undecided: Callable[[str], bool]
    has_news: Callable[[HistoryChange], bool]
    is_late: bool
    is_partial: bool
    unlooked: frozenset[str]
    """Mailboxes of which an endpoint was not looked at yet."""


class Teller:
    """What is handed over to the alerts of one deployment."""

    def __init__(self, alerts: Alerts, kept: KeptLooks, history: History, ruleset: Ruleset, now: datetime) -> None:
        self._alerts = alerts
        self._kept = kept
        self._history = history
        self._ruleset = ruleset
        self._by_dynamics = frozenset(rule.id for rule in ruleset.rules.values() if rule.needs.all_keys & v.DYNAMICS_KEYS)
        """Rules that go by what Dynamics says."""
        self._is_dynamics_read = False
        """Whether Dynamics was asked since the beginning, be it in vain."""
        self._began = now
        self._pending = WaitingMail()
        self._cohorts = Cohorts()
        self._kept_cohorts: list[Cohort] = []
        """As they are on the disk."""
        self._unlisted: tuple[str, ...] | None = None
        """Mailboxes that Dynamics serves and the estate does not have; None until they were looked for."""
        self._source = ""
        """The name under which the alerts keep which of the history's changes were told."""
        self._told_until = 0
        """Id of the last of the history's changes that was told, or passed over."""
        self._alternations = Alternations()
        self._news_of: list[AlertCondition] = []
        """Conditions that began or ended while the history could not be read, beside which no drift of what they are about is told."""
        self._news = 0
        self._handed_over = 0
        """How much of the news was handed over: less than all while something waits, or could not be."""
        self._pause = WritePause()
        self.next_due: datetime | None = None
        """When something is to be told by time alone: of mailboxes that a known cause befell lately, or that what alternated stays as it is."""
        self._coming: list[Coming] = []
        """What ends soon, and could not be handed over."""

    async def begin(self, estate: Estate, source: str, now: datetime, endpoint_tells: Callable[[str, str], bool]) -> None:
        """Take up what was told before. Raises HistoryUnavailable and MemoryUnavailable.

        `source` is the name under which the alerts keep which of the history's changes were told; `endpoint_tells` is as of `tell`.
        """
        self._kept_cohorts = await in_thread(self._kept.cohorts, _THREAD)
        self._cohorts = Cohorts(self._kept_cohorts)
        told_until = await in_thread(partial(self._alerts.read_until, source), _THREAD)
        # A history of which an earlier copy was put back numbers what comes from now on as what is lost.
        told_until = min(told_until or 0, await self._history.last_written())
        self._source, self._told_until = source, told_until
        quick = estate.schedule.quick
        standing = await in_thread(self._alerts.standing, _THREAD)
        caused = frozenset(chain.from_iterable((one.subject, *one.mailboxes) for one in standing if f"|{ALTERNATES}|" not in one.key))
        changes = await self._history.changes(since=now - 2 * steady_after(quick))
        told = (one for one in changes if one.id <= told_until and one.subject not in caused and _has_news(one, endpoint_tells))
        self._alternations.take(told, quick)
        self._alternations.drop_untold({one.key for one in standing}, _behind(estate, self._alternations.subjects))

    def take_dynamics(self, readings: Iterable[Reading], now: datetime) -> None:
        """Take in what Dynamics says now."""
        self._pending.take(readings, now)
        self._is_dynamics_read = True
        self._news += 1

    def take_unlisted(self, addresses: Sequence[str]) -> None:
        """Take in which mailboxes Dynamics serves that the estate does not have."""
        self._unlisted = tuple(addresses)
        self._news += 1

    def has_something(self, now: datetime) -> bool:
        """Whether something is to be handed over though nothing was judged anew."""
        is_due = self.next_due is not None and self.next_due <= now
        return not self._pause.lasts(now) and (self._handed_over < self._news or is_due or bool(self._coming))

    async def tell(
        self,
        estate: Estate,
        parts: EstateParts,
        wrong: Mapping[int, WhatIsWrong],
        now: datetime,
        endpoint_tells: Callable[[str, str], bool],
        *,
        is_late: bool = False,
        is_partial: bool = False,
    ) -> None:
        """Hand over what is so now, by part of the estate, and what changed since the last time. `is_late`: what was found waits to be written.

        `is_partial`: some parts wait to be judged as others were; what is wrong with all of them is told once, when they are, and were looked at.
        `endpoint_tells` says whether the look at an endpoint itself tells a key: what each account sees of it there is not told besides.
        """
        quick = estate.schedule.quick
        # Once for all conditions: thousands of parts may be asked about thousands of them.
        unlooked = frozenset(chain.from_iterable(of_part.unlooked for of_part in wrong.values()))
        is_partial = is_partial or (bool(unlooked) and self._waits_for_first_looks(quick, now))
        is_unread = self._is_unread(wrong, is_partial=is_partial)
        is_open = is_partial or bool(unlooked)

        def is_undecided(key: str) -> bool:
            if f"|{ALTERNATES}|" in key and now < self._watched_from(quick):
                return True
            return self._is_undecided(base_key(key), estate, parts, wrong, is_unread=is_unread, is_open=is_open)

        has_news = partial(_has_news, endpoint_tells=endpoint_tells)
        changes = await self._new_changes()
        if changes is not None:
            # What cannot be read may have changed again.
            self._alternations.take(filter(has_news, changes), quick)
            self._alternations.drop_what_stays(now, quick)
        # What comes meanwhile waits for the next time.
        number, of_dynamics = self._news, self._of_dynamics(estate)
        found = _ToldState(
            estate=estate,
            now=now,
            wrong=wrong,
            of_dynamics=of_dynamics,
            changes=changes,
            number=number,
            is_undecided=is_undecided,
            has_news=has_news,
            is_late=is_late,
            is_partial=is_partial,
            unlooked=unlooked,
        )
        if self._coming:
            await self._tell_what_comes(estate, now)
        try:
            # Thousands of conditions may last.
            await to_its_end(partial(self._settle, found), _THREAD)
        except MemoryUnavailable as unavailable:
            self._news += 1
            self._pause.begin(now)
            _log.error("what is wrong is not told yet: %s", unavailable)

    def _settle(self, found: _ToldState) -> None:
        """Hand over what is wrong, what Dynamics says, and what changed, so far as that can be read."""
        quick, now, changes = found.estate.schedule.quick, found.now, found.changes
        alternating = self._alternations.conditions(_behind(found.estate, self._alternations.subjects))
        of_parts = [
            one
            for of_part in found.wrong.values()
            for one in of_part.conditions
            if not (found.is_partial and one.subject == DEPLOYMENT_SUBJECT)
        ]
        profiles = {mailbox.address: mailbox.profile for mailbox in found.estate.mailboxes}
        conditions = merged((*of_parts, *found.of_dynamics, *alternating))
        told, next_cohort = self._cohorts.split(conditions, now, found.is_undecided, profiles.get, found.unlooked)
        next_end = None if changes is None else self._alternations.next_end(quick)
        watched_from = self._watched_from(quick)
        looked_at = self._began + (quick or timedelta(0)) + _CONFIRMED_WITHIN
        ahead = (one for one in (looked_at, watched_from) if now < one)
        self.next_due = min(filter(None, (next_cohort, next_end, *ahead)), default=None)
        current = {one.key for one in told}

        def beside(news: Iterable[AlertCondition]) -> list[AlertCondition]:
            # A server that answers again may be another one than it was, and what alternates says nothing of what else changed.
            return [one for one in news if (one.key in current or f"|{SILENT}|" not in one.key) and f"|{ALTERNATES}|" not in one.key]

        caused: list[HistoryChange] = []

        def drift(news: Sequence[AlertCondition]) -> list[Notice]:
            """What changed; what begins or ends on a subject was told with its cause, and is not told as drift besides."""
            of_news = frozenset(chain.from_iterable((one.subject, *one.mailboxes) for one in (*self._news_of, *beside(news))))
            caused.extend(one for one in changes or () if one.subject in of_news)
            new = [
                one for one in changes or () if one.subject not in of_news and not self._alternations.lead_back(one) and found.has_news(one)
            ]
            return notices_of(new, _behind(found.estate, {one.subject for one in new}))

        # First: a cohort that is not kept would be told of under another number after a restart.
        if (cohorts := self._cohorts.all) != self._kept_cohorts:
            self._kept.keep_cohorts(cohorts)
            self._kept_cohorts = cohorts
        until = max((change.id for change in changes or ()), default=None)
        happened = None if until is None else Happened(source=self._source, until=until, notices=drift)
        news = self._alerts.settle(told, now, undecided=found.is_undecided, unwatched=_unwatched(found.estate), happened=happened)
        if changes is None:
            self._news += 1
            self._news_of += beside(news)
            self._pause.begin(now)
            return
        # What is written late is not read yet, and is told beside nothing that it was told with.
        self._news_of = [*self._news_of, *beside(news)] if found.is_late else []
        self._handed_over = found.number
        if until is not None:
            self._told_until = until
            self._alternations.pass_over(caused)
            self._alternations.forget(until)

    async def look_ahead(self, estate: Estate, runs: Iterable[Run], now: datetime) -> None:
        """Hand over what ends soon, by the runs of some parts of the estate; what could not be is handed over with the next."""
        ahead = timedelta(days=max(estate.alerts.ahead_days, default=0) + 1)

        def found() -> list[Coming]:
            return [one for run in runs for one in outlook(run, self._ruleset, run.judged_at + ahead, quotes_peers=False)]

        self._coming += await in_thread(found, _THREAD)
        await self._tell_what_comes(estate, now)

    async def _tell_what_comes(self, estate: Estate, now: datetime) -> None:
        coming = self._coming
        try:
            await to_its_end(lambda: self._alerts.approaching(approaching(coming, estate), now), _THREAD)
        except MemoryUnavailable as unavailable:
            self._pause.begin(now)
            _log.error("what ends soon is not told yet: %s", unavailable)
            del self._coming[:-_MOST_COMING]
        else:
            self._coming = []

    def _watched_from(self, quick: timedelta | None) -> datetime:
        """When it is known what alternates: what did so before a start may do so still, and is over once it was watched for as long."""
        return self._began + steady_after(quick)

    def _waits_for_first_looks(self, quick: timedelta | None, now: datetime) -> bool:
        """Whether all endpoints are looked at for the first time. One that is never looked at keeps nothing from being told after that."""
        return quick is not None and now < self._began + quick + _CONFIRMED_WITHIN

    def _is_unread(self, wrong: Mapping[int, WhatIsWrong], *, is_partial: bool) -> bool:
        """Whether it is not known of every mailbox what Dynamics says now: not read yet, or in vain, or not judged."""
        return is_partial or not self._is_dynamics_read or any(of_part.is_unread for of_part in wrong.values())

    async def _new_changes(self) -> Sequence[HistoryChange] | None:
        """What changed and was not told yet; None where that cannot be read."""
        try:
            return await self._history.changes(newer_than=self._told_until)
        except HistoryUnavailable as unavailable:
            _log.error("what changed is not told yet: %s", unavailable)
            return None

    def _of_dynamics(self, estate: Estate) -> tuple[AlertCondition, ...]:
        """What Dynamics says that no rule is about; nothing where it is not read any more."""
        if not estate.watches_dynamics:
            return ()
        listed = {mailbox.address.casefold() for mailbox in estate.mailboxes} if self._unlisted else frozenset()
        # The estate may have come to have them since they were looked for.
        left = [address for address in self._unlisted or () if address.casefold() not in listed]
        return (*self._pending.conditions(estate), *unlisted(left))

    def _is_undecided(
        self, key: str, estate: Estate, parts: EstateParts, wrong: Mapping[int, WhatIsWrong], *, is_unread: bool, is_open: bool
    ) -> bool:
        """Whether nothing can be said now of what a condition is about.

        `is_unread`: what Dynamics says is not known of every mailbox; `is_open`: nor is what befalls the whole deployment.
        """
        if f"|{PENDING}|" in key:
            return estate.watches_dynamics and self._pending.is_undecided
        if f"|{UNLISTED}|" in key:
            return estate.watches_dynamics and self._unlisted is None
        if estate.watches_dynamics and key.split("|")[1] in self._by_dynamics and is_unread:
            return True
        subject = key.rpartition("|")[2]
        if subject == DEPLOYMENT_SUBJECT:
            return is_open
        part = parts.of(subject)
        of_part = None if part is None else wrong.get(part.number)
        return part is not None and (of_part is None or subject in of_part.unknown)


def _unwatched(estate: Estate) -> Callable[[AlertCondition], bool]:
    """Whether an estate has what a condition is of no more, or none of the mailboxes that it befell, or Dynamics is not read any more."""

    @cache
    def watched() -> frozenset[str]:
        profiles = (profile_subject(profile.name) for profile in estate.profiles)
        addresses = (mailbox.address for mailbox in estate.mailboxes)
        return frozenset((DEPLOYMENT_SUBJECT, *profiles, *addresses, *(endpoint.url for endpoint in estate.endpoints)))

    def is_unwatched(condition: AlertCondition) -> bool:
        is_unread = condition.kind is AlertKind.DYNAMICS and not estate.watches_dynamics
        # Mailboxes that the estate lacks are in no estate until that is over.
        are_gone = f"|{UNLISTED}|" not in condition.key and not condition.more_mailboxes and watched().isdisjoint(condition.mailboxes)
        return is_unread or condition.subject not in watched() or (are_gone and bool(condition.mailboxes))

    return is_unwatched


def _has_news(change: HistoryChange, endpoint_tells: Callable[[str, str], bool]) -> bool:
    """Whether a change is more than what an account sees of what the look at an endpoint itself tells."""
    return change.mailbox is None or not endpoint_tells(change.subject, change.key)


def _behind(estate: Estate, subjects: set[str]) -> dict[str, list[tuple[str, str]]]:
    """The mailboxes that each of some subjects concerns, each with its profile."""
    found: dict[str, list[tuple[str, str]]] = {subject: [] for subject in subjects}
    for mailbox in estate.mailboxes if found else ():
        for subject in {mailbox.address, *(endpoint.url for endpoint in estate.endpoints_of(mailbox))} & subjects:
            found[subject].append((mailbox.address, mailbox.profile))
    return found
