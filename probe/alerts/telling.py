"""What is told to whom, once: incidents out of conditions, events out of both, and their deliveries."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import partial

from probe.alerts import digests
from probe.alerts.book import AlertBook, AlertDelivery, DeliveryState, Incident, OpenBook, Told
from probe.alerts.conditions import AlertCondition, Approaching, Notice, Recipients
from probe.alerts.handover import BookRow
from probe.alerts.incidents import FLAP_TIME, KNOWN_AFTER, is_unsteady, news, next_look
from probe.alerts.retrying import due_at, state_after
from probe.alerts.targets import Send
from probe.alerts.wording import AlertPlace, EventKind, Message, digest, message, new_event_id
from probe.memory.folder import Folder, MemoryUnavailable
from probe.memory.state_file import RETRY_SECONDS
from probe.model.values import dataclass
from probe.model.watching import AlertSettings
from probe.net.alert_request import Delivered, DeliveryEnding
from probe.net.threads import in_thread, to_its_end

_log = logging.getLogger(__name__)

HELD_LOOK = timedelta(seconds=30)
"""How often it is looked whether maintenance is over."""
_SWEEP_EVERY = timedelta(days=1)
_THREAD = "probe-alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is told, to whom, when: taken from the estate."""

    settings: AlertSettings
    recipients: Recipients
    in_maintenance: Callable[[datetime], bool] = lambda now: False
    """Whether nobody is told anything now."""
    zone: tzinfo | None = None
    """Of the times in texts, and of the digest; None: this machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What was read, in order, out of something that numbers it."""

    source: str
    """As `changes`."""
    until: int
    """Number of the last that was read."""
    notices: Callable[[Sequence[AlertCondition]], Iterable[Notice]]
    """What is told of it, given the conditions that begin or end at the same time."""


class Alerts:
    """The alerts of one deployment. One process at a time has it open; `deliver` is for the loop, the others for any thread, and may wait for each other.

    What is handed in is on the disk when a method returns. MemoryUnavailable says that it is not, and that the same may be handed in again.
    """

    def __init__(self, folder: Folder, deployment: str, send: Send, telling: Telling) -> None:
        """`send` is that of `probe.alerts.targets.TargetSender`."""
        self._book = AlertBook(folder, deployment, RETRY_SECONDS)
        self._deployment = deployment
        self._send = send
        self._telling = telling
        self._current: dict[str, AlertCondition] | None = None
        """The conditions as they were handed in last; None before the first time."""
        self._undecided: frozenset[str] = frozenset()
        self._open: frozenset[str] = frozenset()
        """Keys of the open incidents after the last review."""
        self._look_at: datetime | None = None
        """When the next review is due though nothing changes; None: never."""
        self._looked_at: datetime | None = None
        self._may_have_newcomers = True
        """Whether targets may be named for an open incident that never heard of it: the estate was another when that was told."""
        self._one_at_a_time = threading.RLock()
        """Held by whoever writes in the book, and by whoever changes what goes with it."""
        self._busy: set[str] = set()
        self._is_begun = False
        self._unwritten: list[tuple[AlertDelivery, DeliveryState, datetime, dict[str, object]]] = []
        """How deliveries ended that could not be written down."""

    def reload(self, telling: Telling) -> None:
        """Go by another estate from now on."""
        with self._one_at_a_time:
            self._telling = telling
            self._looked_at = None
            self._may_have_newcomers = True

    def settle(
        self,
        conditions: Iterable[AlertCondition],
        now: datetime,
        *,
        undecided: Callable[[str], bool] = lambda key: False,
        unwatched: Callable[[AlertCondition], bool] = lambda condition: False,
        happened: Happened | None = None,
    ) -> list[AlertCondition]:
        """Take what is so now: all conditions. A new one begins an incident, one that is gone ends it, one that lasts is told again after a time.

        An open incident is left as it is while `undecided` says of its key that nobody knows. `unwatched` says of a condition that is gone that nobody looks for
        it any more, so that its end is told as that. What `happened` besides is told, and counts as read, in the same
        transaction: a program that is killed has told all of it or reads it again. Gives the conditions that began or ended. Raises MemoryUnavailable.
        """
        with self._one_at_a_time:
            current = {condition.key: condition for condition in conditions}
            unknown = frozenset(key for key in self._open - current.keys() if undecided(key))
            is_known = self._is_known(current, unknown, now)
            news: list[AlertCondition] = []
            if not is_known or happened is not None:
                with self._book.opened() as page:
                    if not is_known:
                        news, unknown, opened, look_at = self._took(page, current, undecided, unwatched, now)
                    if happened is not None:
                        self._tell_new(page, happened.notices(news), now)
                        page.note_read(happened.source, happened.until, now)
            if is_known:
                self._current = current
            else:
                self._keep(current, unknown, opened, look_at, now)
            return news

    def _took(
        self,
        page: OpenBook,
        current: Mapping[str, AlertCondition],
        undecided: Callable[[str], bool],
        unwatched: Callable[[AlertCondition], bool],
        now: datetime,
    ) -> tuple[list[AlertCondition], frozenset[str], frozenset[str], datetime | None]:
        """The conditions that began or ended, the keys of which nobody knows, those that are open, and when to look again."""
        news: list[AlertCondition] = []
        before = {incident.condition.key: incident for incident in page.incidents(current)}
        unknown = frozenset(key for key in before.keys() - current.keys() if undecided(key))
        for key, condition in current.items():
            if (incident := before.get(key)) is None:
                page.begin(condition, now)
                news.append(condition)
            elif incident.present:
                # Thousands may last while one begins.
                if incident.condition != condition:
                    page.change(incident.id, condition=condition)
            else:
                page.change(incident.id, present=True, changed=now, condition=condition)
                page.note_beginning(key, now)
                news.append(condition)
        for key, incident in before.items():
            if incident.present and key not in current and key not in unknown:
                # As it was seen last: its counts may have changed since it was written down.
                last = (self._current or {}).get(key, incident.condition)
                last = replace(last, is_unwatched=unwatched(last))
                page.change(incident.id, present=False, changed=now, condition=last)
                news.append(last)
        return news, unknown, *self._review(page, current, unknown, now)

    def notify(self, notices: Iterable[Notice], now: datetime) -> None:
        """Tell what happened once; a key that was told before is passed over. Raises MemoryUnavailable: then none of them was told."""
        named = list(notices)
        if named:
            with self._one_at_a_time, self._book.opened() as page:
                self._tell_new(page, named, now)

    def _tell_new(self, page: OpenBook, notices: Iterable[Notice], now: datetime) -> None:
        for notice in notices:
            if page.is_new(notice.key, now):
                # What could not be read, or handed in, for hours was not seen just now.
                self._tell(page, EventKind.NOTICE, notice, now, began=min(notice.since or now, now))

    def standing(self) -> list[AlertCondition]:
        """The conditions that were there when the book was written last. Raises MemoryUnavailable."""
        with self._one_at_a_time, self._book.opened() as page:
            return [incident.condition for incident in page.incidents() if incident.present]

    def read_until(self, source: str) -> int | None:
        """The number of the last that was read of a source of `Happened`; None where nothing was. Raises MemoryUnavailable."""
        with self._one_at_a_time, self._book.opened() as page:
            return page.read_until(source)

    def note_read(self, source: str, until: int, now: datetime, *, in_place_of: str) -> None:
        """Have nothing told of what a source has until then, which had another name before. Raises MemoryUnavailable."""
        with self._one_at_a_time, self._book.opened() as page:
            page.forget_read(in_place_of)
            page.note_read(source, until, now)

    @property
    def written(self) -> int:
        """As of the book."""
        return self._book.written

    def handed_over(self, source: str) -> tuple[list[BookRow], int | None]:
        """What whoever takes over is to know, and until when a source was read, at one moment. Raises MemoryUnavailable."""
        with self._one_at_a_time, self._book.opened() as page:
            return page.handed_over(), page.read_until(source)

    def take_over(self, rows: Iterable[BookRow], source: str, until: int, now: datetime) -> None:
        """Go on with what another service has told, which `handed_over` gave there: nothing that is open in this book is told any more.

        Of `source` it was read until then. Raises MemoryUnavailable.
        """
        with self._one_at_a_time:
            recipients = self._telling.recipients
            with self._book.opened() as page:
                page.take_over(rows, recipients.everybody, recipients.local, now)
                page.note_read(source, until, now)
                # What was told elsewhere is in no digest of this book.
                page.mark("digest", now)
            self._current, self._undecided, self._open, self._look_at, self._looked_at = None, frozenset(), frozenset(), None, None
            self._may_have_newcomers = True

    def approaching(self, items: Iterable[Approaching], now: datetime) -> None:
        """Tell what ends soon: once for each subject, day and stage of `ahead_days`. Raises MemoryUnavailable, as `notify`."""
        today, stages = self._local(now).date(), self._telling.settings.ahead_days
        self.notify([notice for item in items if (notice := item.notice(today, stages)) is not None], now)

    async def deliver(self, now: datetime, may_send: Callable[[], bool] = lambda: True) -> None:
        """Tell what has become due by time alone, and send what is waiting: to each target in order, to all at once. Raises MemoryUnavailable.

        Nothing more is begun to be sent once `may_send` says no. It ends once nothing more can be sent now. It may be called again meanwhile, and then passes over the targets that are being served.
        """
        await self._serve_all(await to_its_end(partial(self._told_by_time, now), _THREAD), now, may_send)

    def _told_by_time(self, now: datetime) -> list[str]:
        """Tell what has become due by time alone. Gives the targets for which something waits."""
        with self._one_at_a_time:
            self._write_down_endings()
            reviewed = None
            with self._book.opened() as page:
                if not self._is_begun:
                    page.take_up_again(now)
                self._sweep(page, now)
                if not (is_held := self._telling.in_maintenance(now)):
                    # Thousands of conditions may last: what was reviewed as it was handed in is reviewed again when something of it is due by time.
                    if self._current is not None and not self._is_known(self._current, self._undecided, now):
                        reviewed = self._review(page, self._current, self._undecided, now)
                    self._digest(page, now)
                targets = [] if is_held else [delivery.target for delivery in page.first_open()]
            self._is_begun = True
            if reviewed is not None and self._current is not None:
                self._keep(self._current, self._undecided, *reviewed, now)
            return targets

    async def _serve_all(self, targets: Iterable[str], now: datetime, may_send: Callable[[], bool]) -> None:
        failures: list[MemoryUnavailable] = []

        async def served(target: str) -> None:
            if target in self._busy:
                return
            self._busy.add(target)
            try:
                await self._serve(target, now, may_send)
            except MemoryUnavailable as unavailable:
                # What is on its way to the others is not broken off for it.
                failures.append(unavailable)
            finally:
                self._busy.discard(target)

        async with asyncio.TaskGroup() as group:
            for target in targets:
                group.create_task(served(target))
        if failures:
            raise failures[0]

    def next_due(self, now: datetime) -> datetime | None:
        """When `deliver` has something to do; None where nothing is to be expected. Raises MemoryUnavailable."""
        at = self._telling.settings.digest
        times = [None if at is None else digests.next_due(now, at, self._telling.zone)]
        with self._one_at_a_time, self._book.opened() as page:
            waiting = [due_at(delivery, now) for delivery in page.first_open() if delivery.target not in self._busy]
            is_digest_due = self._is_digest_due(page, now)
        if self._telling.in_maintenance(now):
            times += [now + HELD_LOOK] if waiting or is_digest_due or self._look_at is not None else []
        else:
            times += [*waiting, self._look_at]
        return min((time for time in times if time is not None), default=None)

    def _is_known(self, current: Mapping[str, AlertCondition], unknown: frozenset[str], now: datetime) -> bool:
        """Whether it was all handed in before, and nothing is due by time."""
        return (
            self._current is not None
            and self._looked_at is not None
            and self._looked_at <= now
            and (self._look_at is None or now < self._look_at)
            and unknown == self._undecided
            and current.keys() == self._current.keys()
            and all(condition.severity is self._current[key].severity for key, condition in current.items())
        )

    def _keep(
        self, current: dict[str, AlertCondition], unknown: frozenset[str], opened: frozenset[str], look_at: datetime | None, now: datetime
    ) -> None:
        # After the transaction, so that what was not written down is handed in again.
        self._current, self._undecided, self._open, self._look_at, self._looked_at = current, unknown, opened, look_at, now
        # What nobody knows of now, or may be told of, is told to newcomers once it can be.
        self._may_have_newcomers &= self._telling.in_maintenance(now) or bool(unknown)

    def _review(
        self, page: OpenBook, current: Mapping[str, AlertCondition], unknown: frozenset[str], now: datetime
    ) -> tuple[frozenset[str], datetime | None]:
        """Tell of each open incident what its recipients do not know. The keys of those that stay open, and when to look again."""
        is_held = self._telling.in_maintenance(now)
        heard = page.heard_of_open() if self._may_have_newcomers and not is_held else None
        opened, looks = set(), []
        for written in page.incidents(current):
            key = written.condition.key
            if key in unknown:
                opened.add(key)
                continue
            incident, condition = self._not_of_the_future(page, written, now), current.get(key, written.condition)
            if not is_held and (kind := self._news(page, incident, condition, now)) is not None:
                incident = self._tell_incident(page, incident, condition, kind, now)
            elif heard is not None and incident.present and incident.told is Told.BEGUN and incident.acknowledged is None:
                self._tell_newcomers(page, incident, condition, heard.get(incident.id, set()), now)
            if not incident.present and incident.told is Told.NOTHING:
                page.change(incident.id, ended=now)
                continue
            opened.add(key)
            looks.append(now + HELD_LOOK if is_held else next_look(incident, self._telling.settings.remind))
        return frozenset(opened), min((look for look in looks if look is not None), default=None)

    def _news(self, page: OpenBook, incident: Incident, condition: AlertCondition, now: datetime) -> EventKind | None:
        beginnings = page.beginnings(condition.key, now - FLAP_TIME, now)
        unsteady = is_unsteady(incident, beginnings, now)
        return news(incident, condition.severity, now, unsteady=unsteady, remind=self._telling.settings.remind)

    @staticmethod
    def _not_of_the_future(page: OpenBook, incident: Incident, now: datetime) -> Incident:
        """Where the clock was set back: what lies ahead is from now on counted from now."""
        if incident.changed <= now and incident.at <= now:
            return incident
        changed, at = min(incident.changed, now), min(incident.at, now)
        page.change(incident.id, changed=changed, at=at)
        return replace(incident, changed=changed, at=at)

    def _tell_incident(self, page: OpenBook, incident: Incident, condition: AlertCondition, kind: EventKind, now: datetime) -> Incident:
        known = KNOWN_AFTER[kind]
        values: dict[str, object] = {"told": known, "at": now, "severity": condition.severity, "condition": condition}
        if kind in (EventKind.WORSE, EventKind.RECOVERED):
            values["acknowledged"] = None
        if incident.told is Told.UNSTEADY:
            page.forget_beginnings(condition.key)
        page.change(incident.id, **values)
        self._tell(page, kind, condition, now, began=incident.began, incident=incident.id)
        return replace(incident, **values)  # type: ignore[arg-type]

    def _tell_newcomers(self, page: OpenBook, incident: Incident, condition: AlertCondition, heard: Collection[str], now: datetime) -> None:
        """Tell of what lasts whoever the estate names for it now, and did not when it was told. This machine's logs have what they were told."""
        recipients = self._telling.recipients
        targets = [target for target in recipients.of(condition.profiles) if target not in heard and target not in recipients.local]
        if targets:
            self._tell(page, EventKind.REMINDER, condition, now, began=incident.began, incident=incident.id, targets=targets)

    def _tell(
        self,
        page: OpenBook,
        kind: EventKind,
        about: AlertCondition,
        now: datetime,
        *,
        began: datetime,
        incident: int | None = None,
        targets: Sequence[str] | None = None,
    ) -> None:
        """`targets` are whom it goes to where that is not everybody whom it concerns."""
        told = message(kind, about, self._place, incident=incident, began=self._local(began), now=self._local(now))
        recipients = self._telling.recipients
        if targets is None and kind is EventKind.RECOVERED and incident is not None:
            # Whoever heard of it hears of its end, and nobody else.
            targets = [target for target in page.heard_of(incident) if target in recipients.everybody]
        whom = recipients.of(about.profiles) if targets is None else targets
        self._write(page, kind, told, whom, now, incident=incident, subject=about.subject, heading=about.title)

    @staticmethod
    def _write(
        page: OpenBook,
        kind: EventKind,
        told: Message,
        targets: Iterable[str],
        now: datetime,
        *,
        incident: int | None = None,
        subject: str = "",
        heading: str = "",
    ) -> None:
        event = new_event_id()
        page.tell(kind, event, told, targets, now, incident=incident, subject=subject, heading=heading)
        _log.info("alert", extra={"event": event, "kind": kind.value, "about": subject, "incident": incident})

    def _digest(self, page: OpenBook, now: datetime) -> None:
        """Tell what changed since the last digest, where its time has come and something did."""
        if self._telling.settings.digest is None:
            return
        last = page.marked("digest")
        if last is None:
            page.mark("digest", now)
            return
        if last > now:
            # The clock was set back. What was told since is for the next digest still.
            page.note_read("digest", page.read_until("digest") or 0, now)
            return
        if not self._is_digest_due(page, now):
            return
        lasting = [incident.condition.title for incident in page.incidents() if incident.present]
        parts = digests.parts_of(page.told_since("digest"), lasting)
        page.mark("digest", now)
        if parts:
            written = digest(self._place, parts, self._local(last), self._local(now))
            self._write(page, EventKind.DIGEST, written, self._telling.recipients.of(()), now)

    def _is_digest_due(self, page: OpenBook, now: datetime) -> bool:
        """Whether the time of a digest has come since the last."""
        at, last = self._telling.settings.digest, page.marked("digest")
        return at is not None and last is not None and last < digests.last_due(now, at, self._telling.zone)

    def _sweep(self, page: OpenBook, now: datetime) -> None:
        last = page.marked("sweep")
        if last is None or not last <= now < last + _SWEEP_EVERY:
            page.sweep(now)
            page.mark("sweep", now)

    async def _serve(self, target: str, now: datetime, may_send: Callable[[], bool]) -> None:
        """Send to one target what is waiting for it, in order, until one cannot be sent now."""
        while may_send() and (delivery := await self._claim(target, now)) is not None:
            try:
                ended = await self._send(target, delivery.message, delivery.event_id, delivery.is_repetition)
            except BaseException:
                unseen = Delivered(DeliveryEnding.UNSEEN, "the program ended, or failed, while it was sent")
                with suppress(MemoryUnavailable):  # then it is written down before anything more is sent
                    await to_its_end(partial(self._end, delivery, unseen, now), _THREAD)
                raise
            if not await to_its_end(partial(self._end, delivery, ended, now), _THREAD):
                return

    async def _claim(self, target: str, now: datetime) -> AlertDelivery | None:
        claim = in_thread(partial(self._claimed, target, now), _THREAD)
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            await asyncio.wait([claim])
            if claim.exception() is None and (delivery := claim.result()) is not None:
                # Nobody sends it now, so it is no repetition when somebody does.
                with suppress(MemoryUnavailable):  # then it is written down before anything more is sent
                    await to_its_end(partial(self._change, delivery, DeliveryState.WAITING, now, {"tries": delivery.tries}), _THREAD)
            raise

    def _claimed(self, target: str, now: datetime) -> AlertDelivery | None:
        """The next delivery to a target, from now on under way; None where none may be sent now."""
        with self._one_at_a_time, self._book.opened() as page:
            for delivery in page.first_open(target):
                if target not in self._telling.recipients.everybody:
                    page.settle(delivery, DeliveryState.FAILED, now, why="the estate no longer names it")
                    _log.error("alert is not delivered, and not tried again", extra={"event": delivery.event_id, "target": target})
                elif delivery.state is DeliveryState.WAITING and due_at(delivery, now) <= now:
                    page.settle(delivery, DeliveryState.SENDING, now, tries=delivery.tries + 1)
                    return delivery
        return None

    def _end(self, delivery: AlertDelivery, ended: Delivered, now: datetime) -> bool:
        """Write down how a delivery ended; whether it is out of the way of the next."""
        state, values = state_after(delivery, ended, now)
        fields = {"event": delivery.event_id, "target": delivery.target, "why": ended.why}
        if state is DeliveryState.SENT:
            _log.info("alert is delivered", extra={"event": delivery.event_id, "target": delivery.target})
        elif state is DeliveryState.FAILED:
            _log.error("alert is not delivered, and not tried again", extra=fields)
        else:
            _log.warning("alert is not delivered yet", extra=fields)
        self._change(delivery, state, now, values)
        return state is not DeliveryState.WAITING

    def _change(self, delivery: AlertDelivery, state: DeliveryState, now: datetime, values: dict[str, object]) -> None:
        with self._one_at_a_time:
            self._unwritten.append((delivery, state, now, values))
            self._write_down_endings()

    def _write_down_endings(self) -> None:
        """Raises MemoryUnavailable where it cannot be written now; nothing is sent to these targets until it was."""
        while self._unwritten:
            delivery, state, now, values = self._unwritten[0]
            with self._book.opened() as page:
                page.settle(delivery, state, now, **values)
            del self._unwritten[0]

    @property
    def _place(self) -> AlertPlace:
        return place_of(self._deployment, self._telling.settings)

    def _local(self, now: datetime) -> datetime:
        return now.astimezone(self._telling.zone)


def place_of(deployment: str, settings: AlertSettings) -> AlertPlace:
    """What alerts of a deployment say beside what they are about."""
    return AlertPlace(deployment=deployment, link=None if settings.link is None else settings.link.rstrip("/"))
