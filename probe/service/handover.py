"""Takes over from a service that watched a deployment before, by what that one left in the history, and leaves the same for the next.

A history that others share is watched by one service at a time, and each has a state folder of its own. What a restart would know stands in the history
too, and whoever takes over goes on as that service would have after a restart: its looks, what is told, and what is on its way. What was on its way may
have arrived since that was written down, and is told as a possible repetition.

The history itself says who watched by it last. Another one there, or nobody, and what this folder has was not told of that history.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from probe.alerts import BOOK_KINDS, Alerts, BookRow
from probe.history import (
    HandoverKey,
    HandoverRow,
    History,
    HistoryChange,
    HistoryUnavailable,
    Sighting,
    WatchedAs,
    WatchedByAnother,
    packed,
    readable,
)
from probe.memory import MemoryUnavailable
from probe.memory.state_file import RETRY_SECONDS
from probe.model.kinds import Json
from probe.net.threads import in_thread, to_its_end
from probe.service.clock import Clock
from probe.service.cohorts import Cohort
from probe.service.keeping import KeptLooks, PackedLook
from probe.service.looks import LookKey, Topic
from probe.service.writing import WritePause

_log = logging.getLogger(__name__)

_THREAD = "probe-handover"
_ESTATE, _LOOK, _COHORT, _READ = "estate", "look", "cohort", "read"
"""Kinds of rows beside those of the alerts: what the looks are of, the looks, who was told of together, until which change drift was told."""
_TOLD = (*BOOK_KINDS, _COHORT, _READ)
_AT_ONCE = 200
"""Looks that are read or written together."""
_PATIENCE = 5.0
"""Seconds for which alerts wait until it is left that they are on their way."""
_TAKE_OVER_SECONDS = 30.0
"""How long it may take to take over: nothing is concluded meanwhile, and a database that hangs is asked again."""
_BEFORE = "changes"
"""What the alerts called the history's changes before a history knew who watched by it."""
_TOPICS = {topic.value for topic in Topic}


class Handover:
    """What one service takes over, and leaves."""

    def __init__(self, history: History, kept: KeptLooks, alerts: Alerts, clock: Clock, lost: Callable[[], None] = lambda: None) -> None:
        """`lost` is called where it is found that another service has taken over."""
        self._history = history
        self._kept = kept
        self._alerts = alerts
        self._clock = clock
        self._lost = lost
        self._watch = "" if history.is_shared else None
        """The name under which this service watched last; None where nobody else ever could, and nothing is left."""
        self._source: str | None = None
        """What the alerts call the history's changes; None while this service does not watch, or nobody else ever could."""
        self._unleft: set[LookKey] = set()
        """Looks that are kept, and not left yet."""
        self._leaving = asyncio.Lock()
        """Held while looks are left, so that nobody goes on before they are."""
        self._is_estate_left = False
        self._left: dict[HandoverKey, int | None] = {}
        """What was left of what was told: hashes of the bodies; None where it is not known which of two was."""
        self._written: int | None = None
        """Rows that the alerts had written when that was left."""
        self._pause = WritePause()

    async def take_over(self) -> str:
        """Go on with what the last service left that watched; gives the name under which the alerts have how far the history's changes are told.

        Raises HistoryUnavailable and MemoryUnavailable: then it can be done again.
        """
        try:
            async with asyncio.timeout(_TAKE_OVER_SECONDS):
                return await self._take_over()
        except TimeoutError:
            raise HistoryUnavailable("what the last service left was not read in time") from None

    async def _take_over(self) -> str:
        last = await self._history.watched_as()
        watch = await self._known_as(last)
        if watch is None:
            # First, so that nobody who watched before writes from now on; a service that is killed meanwhile does not know the name, and takes over anew.
            begun = WatchedAs(secrets.token_hex(8), "" if last is None else last.last)
            await self._history.watch_as(begun, last, self._clock.now())
            watch, last = begun.name, begun
            if not await self._took_over(_source(watch)):
                await self._begin(_source(watch))
        if last != WatchedAs(watch):
            await self._history.watch_as(WatchedAs(watch), last, self._clock.now())
        if self._history.is_shared:
            left = [(kind, await self._history.handed_over(kind)) for kind in _TOLD]
            self._left = {HandoverKey(kind, key): hash(row.body) for kind, rows in left for key, row in rows.items()}
            self._unleft, self._is_estate_left, self._written = set(), False, None
            self._watch, self._source = watch, _source(watch)
            await self._leave_known()
        return _source(watch)

    async def _known_as(self, last: WatchedAs | None) -> str | None:
        """The name under which this folder watched last, where nobody else has taken over since, or not to the end; None where somebody has."""
        for name in () if last is None else dict.fromkeys((last.name, last.last)):
            if await in_thread(partial(self._alerts.read_until, _source(name)), _THREAD) is not None:
                return name
        return None

    def stop(self) -> None:
        """Leave nothing more: another service watches."""
        self._source = None

    def are_kept(self, looks: Iterable[LookKey]) -> None:
        """Hear of looks that are kept anew."""
        if self._source is not None:
            self._unleft.update(looks)

    def estate_is_kept(self) -> None:
        """Hear that the looks are of another estate."""
        self._is_estate_left = False

    @property
    def has_something(self) -> bool:
        """Whether something is to be left, and may be now."""
        is_left = self._is_estate_left and not self._unleft and self._written == self._alerts.written
        return self._source is not None and not is_left and not self._pause.lasts(self._clock.now())

    async def record(self, sightings: Sequence[Sighting]) -> tuple[HistoryChange, ...]:
        """Record what was found, once the looks that found it are left: who knew older ones than the history would have it that everything changed back.

        Raises HistoryUnavailable.
        """
        try:
            await self._leave_known()
        except MemoryUnavailable as unavailable:
            raise HistoryUnavailable(str(unavailable)) from None
        with self._fenced() as watch:
            return await self._history.record(sightings, RETRY_SECONDS, watch)

    async def _hand_over(self, news: Mapping[HandoverKey, HandoverRow | None]) -> None:
        with self._fenced() as watch:
            await self._history.hand_over(news, watch)

    @contextmanager
    def _fenced(self) -> Iterator[str | None]:
        """The name under which something is written; where another one stands there, nothing more is."""
        watch = self._watch
        try:
            yield watch
        except WatchedByAnother:
            if watch == self._watch:
                self.stop()
                self._lost()
            raise

    async def leave_told(self) -> None:
        """Leave what is told, and what is on its way: before it is sent, and after it was."""
        source, now = self._source, self._clock.now()
        if source is None or not self.has_something:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                written = self._alerts.written
                bodies = await to_its_end(partial(self._told, source), _THREAD)
                # Who was told of something that no look says would hear of its end.
                await self._leave_known()
                hashes = {key: hash(body) for key, body in bodies.items()}
                news = {key: HandoverRow(now, body) for key, body in bodies.items() if self._left.get(key) != hashes[key]}
                if self._source != source:
                    return
                # What fails may have been written all the same.
                self._left |= dict.fromkeys(news)
                await self._hand_over({**news, **dict.fromkeys(self._left.keys() - bodies.keys())})
                if self._source == source:
                    self._left, self._written = {**hashes}, written
        except (HistoryUnavailable, MemoryUnavailable, TimeoutError) as failed:
            self._pause.begin(now)
            why = "it does not answer" if isinstance(failed, TimeoutError) else str(failed)
            _log.error("what another service would go on with is not in the history yet: %s", why)

    async def _took_over(self, source: str) -> bool:
        """Put what another service left in the place of what this folder has; whether it left anything."""
        read, estate = (await self._history.handed_over(_READ)).get(""), (await self._history.handed_over(_ESTATE)).get("")
        if read is None:
            return False
        rows = [
            BookRow(kind, key, form)
            for kind in BOOK_KINDS
            for key, row in (await self._history.handed_over(kind)).items()
            if (form := readable(row.body)) is not None
        ]
        cohorts = [one for row in (await self._history.handed_over(_COHORT)).values() if (one := readable(row.body, _cohort)) is not None]
        until = readable(read.body, lambda form: int(form["until"]))
        if until is None:
            until = await self._history.last_written()
        if estate is not None:
            await to_its_end(partial(self._kept.begin_anew, estate.body), _THREAD)
            last: str | None = None
            while looks := await self._history.handed_over(_LOOK, after=last, limit=_AT_ONCE):
                last = list(looks)[-1]
                known = {_look_key(key): PackedLook(row.at, row.body) for key, row in looks.items() if key.partition("|")[0] in _TOPICS}
                await to_its_end(partial(self._kept.put, known), _THREAD)
        await to_its_end(partial(self._kept.keep_cohorts, cohorts), _THREAD)
        # Last, so that a service that is killed meanwhile takes over anew.
        await to_its_end(partial(self._alerts.take_over, rows, source, until, self._clock.now()), _THREAD)
        _log.info("this service goes on with what another one knew and told")
        return True

    async def _begin(self, source: str) -> None:
        """Begin with a history by which nobody watched, or that nobody left anything in: what changed before is no news."""
        until = await self._history.last_written()
        before = await in_thread(partial(self._alerts.read_until, _BEFORE), _THREAD)
        until = until if before is None else min(until, before)
        await to_its_end(partial(self._alerts.note_read, source, until, self._clock.now(), in_place_of=_BEFORE), _THREAD)

    def _told(self, source: str) -> Mapping[HandoverKey, bytes]:
        """What is told, and what is on its way, as it is left."""
        rows, until = self._alerts.handed_over(source)
        cohorts = (BookRow(_COHORT, f"{one.number}|{one.key}", _cohort_form(one)) for one in self._kept.cohorts())
        every = (*rows, *cohorts, BookRow(_READ, "", {"until": until}))
        return {HandoverKey(row.kind, row.key): packed(row.form) for row in every}

    async def _leave_known(self) -> None:
        """Leave the looks that are kept anew, and what they are of where that is another."""
        async with self._leaving:
            if self._source is not None and not self._is_estate_left:
                await self._leave_estate()
            while self._source is not None and self._unleft:
                keys = sorted(self._unleft)[:_AT_ONCE]
                # What is kept anew meanwhile is left again.
                self._unleft.difference_update(keys)
                try:
                    looks = await in_thread(partial(self._kept.packed, keys), _THREAD)
                    rows = {key: HandoverRow(look.since, look.body) for key, look in looks.items()}
                    await self._hand_over({HandoverKey(_LOOK, _look_text(key)): rows.get(key) for key in keys})
                except BaseException:
                    self._unleft.update(keys)
                    raise

    async def _leave_estate(self) -> None:
        """Leave what the looks are of, and find out which looks are to be left."""
        self._is_estate_left = True
        try:
            left, kept = await self._history.handed_over_at(_LOOK), await in_thread(self._kept.times, _THREAD)
            estate = await in_thread(self._kept.packed_estate, _THREAD)
            gone = left.keys() - {_look_text(key) for key in kept}
            row = None if estate is None else HandoverRow(self._clock.now(), estate)
            await self._hand_over({HandoverKey(_ESTATE, ""): row, **{HandoverKey(_LOOK, key): None for key in gone}})
        except BaseException:
            self._is_estate_left = False
            raise
        self._unleft |= {key for key, since in kept.items() if left.get(_look_text(key)) != _as_left(since)}


def _source(watch: str) -> str:
    """What the alerts call the changes of a history that is watched under this name."""
    return f"changes {watch}"


def _look_text(key: LookKey) -> str:
    return f"{key.topic}|{key.subject}"


def _look_key(text: str) -> LookKey:
    topic, _, subject = text.partition("|")
    return LookKey(Topic(topic), subject)


def _as_left(at: datetime) -> datetime:
    """A time as it comes out of the history again."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _cohort_form(one: Cohort) -> Json:
    return {"key": one.key, "number": one.number, "began": one.began.isoformat(), "mailboxes": sorted(one.mailboxes)}


def _cohort(form: Json) -> Cohort:
    began = datetime.fromisoformat(form["began"])
    if began.tzinfo is None:
        raise ValueError(form)
    return Cohort(str(form["key"]), int(form["number"]), began, frozenset(map(str, form["mailboxes"])))
