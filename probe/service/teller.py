"""Hands over to the alerts what is wrong, what changed and what ends soon, so that each is told once, whatever happens in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from probe.alerts import AlertCondition, AlertKind, Alerts
from probe.engine.judge import Ruleset
from probe.history import History, HistoryUnavailable
from probe.memory import MemoryUnavailable
from probe.model.estate import Estate
from probe.model.facts import Reading
from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.outlook import Coming, outlook
from probe.service.ahead import approaching
from probe.service.cohorts import Cohort, Cohorts, base_key
from probe.service.conditions import SILENT, WhatIsWrong, merged
from probe.service.drift import notices_of
from probe.service.dynamics import PENDING, UNLISTED, WaitingMail, unlisted
from probe.service.keeping import KeptLooks
from probe.service.parts import EstateParts

_log = logging.getLogger(__name__)

_CHANGES = "changes"
"""The name under which it is kept which of the history's changes were told."""
_THREAD = "probe-telling"
_MOST_COMING = 10_000
"""Ends that wait to be handed over; they are found again each day."""


class Teller:
    """What is handed over to the alerts of one deployment."""

    def __init__(self, alerts: Alerts, kept: KeptLooks, history: History, now: datetime) -> None:
        self._alerts = alerts
        self._kept = kept
        self._history = history
        self._pending = WaitingMail(now)
        self._cohorts = Cohorts()
        self._kept_cohorts: list[Cohort] = []
        """As they are on the disk."""
        self._unlisted: tuple[str, ...] | None = None
        """Mailboxes that Dynamics serves and the estate does not have; None until they were looked for."""
        self._news_of: list[AlertCondition] = []
        """Conditions that began or ended, beside which no drift of what they are about is told; until that was handed over."""
        self._news = 0
        self._handed_over = 0
        """How much of the news was handed over: less than all while something waits, or could not be."""
        self.next_due: datetime | None = None
        """When mailboxes that a known cause befell lately may be told of."""
        self._coming: list[Coming] = []
        """What ends soon, and could not be handed over."""

    async def begin(self) -> None:
        """Take up what was told before a restart. Raises HistoryUnavailable and MemoryUnavailable."""
        self._kept_cohorts = await in_thread(self._kept.cohorts, _THREAD)
        self._cohorts = Cohorts(self._kept_cohorts)
        if await in_thread(lambda: self._kept.place(_CHANGES), _THREAD) is None:
            # What changed before there was a service is no news.
            newest = max((change.id for change in await self._history.changes(limit=1, drift_only=False)), default=0)
            await in_thread(lambda: self._kept.move(_CHANGES, newest), _THREAD)

    def take_dynamics(self, readings: Iterable[Reading], now: datetime) -> None:
        """Take in what Dynamics says now."""
        self._pending.take(readings, now)
        self._news += 1

    def take_unlisted(self, addresses: Sequence[str]) -> None:
        """Take in which mailboxes Dynamics serves that the estate does not have."""
        self._unlisted = tuple(addresses)
        self._news += 1

    def has_something(self, now: datetime) -> bool:
        """Whether something is to be handed over though nothing was judged anew."""
        return self._handed_over < self._news or (self.next_due is not None and self.next_due <= now)

    async def tell(
        self, estate: Estate, parts: EstateParts, wrong: Mapping[int, WhatIsWrong], now: datetime, is_told: Callable[[str, str], bool]
    ) -> None:
        """Hand over what is so now, by part of the estate, and what changed since the last time.

        `is_told` says whether the look at an endpoint itself tells a key: what each account sees of it there is not told besides.
        """

        def is_undecided(key: str) -> bool:
            return self._is_undecided(base_key(key), parts, wrong, now)

        found = chain.from_iterable(of_part.conditions for of_part in wrong.values())
        conditions = merged((*found, *self._pending.conditions(estate, now), *unlisted(self._unlisted or ())))
        told, self.next_due = self._cohorts.split(conditions, now, is_undecided)
        # What comes meanwhile waits for the next time.
        number = self._news
        try:
            # First: a cohort that is not kept would be told of under another number after a restart.
            if (cohorts := self._cohorts.all) != self._kept_cohorts:
                await in_thread(lambda: self._kept.keep_cohorts(cohorts), _THREAD)
                self._kept_cohorts = cohorts
            current = {one.key for one in told}
            self._news_of += [
                # A server that answers again may be another one than it was.
                one
                for one in self._alerts.settle(told, now, undecided=is_undecided)
                if one.key in current or f"|{SILENT}|" not in one.key
            ]
            await self._tell_drift(
                estate, frozenset(chain.from_iterable((one.subject, *one.mailboxes) for one in self._news_of)), now, is_told
            )
            self._news_of = []
        except (HistoryUnavailable, MemoryUnavailable) as unavailable:
            self._news += 1
            _log.error("what is wrong is not told yet: %s", unavailable)
        else:
            self._handed_over = number

    async def look_ahead(self, estate: Estate, runs: Iterable[Run], ruleset: Ruleset, now: datetime) -> None:
        """Hand over what ends soon, by the runs of some parts of the estate; what could not be is handed over with the next."""
        ahead = timedelta(days=max(estate.alerts.ahead_days, default=0) + 1)
        self._coming += await in_thread(lambda: [one for run in runs for one in outlook(run, ruleset, run.judged_at + ahead)], _THREAD)
        try:
            self._alerts.approaching(approaching(self._coming, estate), now)
        except MemoryUnavailable as unavailable:
            _log.error("what ends soon is not told yet: %s", unavailable)
            del self._coming[:-_MOST_COMING]
        else:
            self._coming = []

    async def _tell_drift(self, estate: Estate, told: Collection[str], now: datetime, is_told: Callable[[str, str], bool]) -> None:
        """Hand over what changed; what begins or ends on a subject was told with its cause, and is not told as drift besides."""
        place = await in_thread(lambda: self._kept.place(_CHANGES), _THREAD) or 0
        changes = await self._history.changes(newer_than=place)
        if changes:
            affected = _behind(estate, {change.subject for change in changes})
            news = (one for one in changes if one.subject not in told and (one.mailbox is None or not is_told(one.subject, one.key)))
            self._alerts.notify(notices_of(news, affected), now)
            newest = max(change.id for change in changes)
            await in_thread(lambda: self._kept.move(_CHANGES, newest), _THREAD)

    def _is_undecided(self, key: str, parts: EstateParts, wrong: Mapping[int, WhatIsWrong], now: datetime) -> bool:
        """Whether nothing can be said now of what a condition is about."""
        if f"|{PENDING}|" in key:
            return self._pending.is_undecided(now)
        if f"|{UNLISTED}|" in key:
            return self._unlisted is None
        if key.startswith(f"{AlertKind.DYNAMICS}|") and any(of_part.is_unread for of_part in wrong.values()):
            return True
        subject = key.rpartition("|")[2]
        part = parts.of(subject)
        of_part = None if part is None else wrong.get(part.number)
        return part is not None and (of_part is None or subject in of_part.unknown)


def _behind(estate: Estate, subjects: set[str]) -> dict[str, list[tuple[str, str]]]:
    """The mailboxes that each of some subjects concerns, each with its profile."""
    found: dict[str, list[tuple[str, str]]] = {subject: [] for subject in subjects}
    for mailbox in estate.mailboxes:
        for subject in {mailbox.address, *(endpoint.url for endpoint in estate.endpoints_of(mailbox))} & subjects:
            found[subject].append((mailbox.address, mailbox.profile))
    return found
