"""What was seen, as intervals: what was so when, what changed, how long looks took, and the whole runs that somebody asked for. And what one service
leaves for the next that watches.

`async with open_history(place, name)` gives the history of a deployment. A look writes what it found by `record`, which says what changed; one that
finds nothing new updates one row in place. `entries` says what is compared, `recording` how intervals begin and end, `timelines` what can be asked,
`keeping` what is dropped, `handover` what is left for another service.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, delete, insert

from probe.document import in_sections, json_pieces
from probe.history import handover, keeping, recording, timelines
from probe.history.claim import DeploymentClaim
from probe.history.entries import Sighting, judgement, repeated, says_again, sighting, sightings_of
from probe.history.handover import HandoverKey, HandoverRow, packed, readable, unpacked
from probe.history.keeping import Dropped
from probe.history.latency import Latency
from probe.history.moments import stored
from probe.history.schema import DOCUMENT
from probe.history.storage import HistoryUnavailable, Storage, opened
from probe.history.timelines import HistoryChange, Interval, KeptRun, KeptSubject, KeptTranscript, TimelinePlace
from probe.history.waiting import Recording
from probe.memory.folder import Folder
from probe.model.estate import HistoryLimits, Secret
from probe.model.named_address import NamedAddress
from probe.model.runs import Run

__all__ = [
    "DeploymentClaim",
    "Dropped",
    "HandoverKey",
    "HandoverRow",
    "History",
    "HistoryChange",
    "HistoryUnavailable",
    "Interval",
    "KeptRun",
    "KeptSubject",
    "KeptTranscript",
    "Latency",
    "Recording",
    "Sighting",
    "TimelinePlace",
    "WatchedAs",
    "WatchedByAnother",
    "judgement",
    "open_history",
    "packed",
    "readable",
    "repeated",
    "says_again",
    "sighting",
    "sightings_of",
    "unpacked",
]

T = TypeVar("T")

_WATCH = "watch"
"""Kind of the row whose key names who watches."""


class WatchedAs(NamedTuple):
    """Who watches."""

    name: str
    before: str | None = None
    """Who watched last, while that is being taken over; empty: nobody did. None: it is taken over."""

    @property
    def last(self) -> str:
        """Who watched last to whom all was known; empty: nobody did."""
        return self.name if self.before is None else self.before


class WatchedByAnother(HistoryUnavailable):
    """Nothing is written for a service that watches no more."""

    def __init__(self) -> None:
        super().__init__("another service watches this deployment now, and this one writes nothing more into its history")


class History:
    """The history of one deployment. Each method is a transaction of its own, and raises HistoryUnavailable."""

    def __init__(self, storage: Storage, deployment: str) -> None:
        """`deployment` is the name that the estate gives it; rows belong to it."""
        self.storage = storage
        self._name = deployment

    async def record(
        self, sightings: Sequence[Sighting], patience: float | None = None, watch: str | None = None
    ) -> tuple[HistoryChange, ...]:
        """Write what was found, all of it or nothing; gives what changed, drift or not, the newest first. `patience` is as of `Storage.write`.

        `watch` is the name under which the service that writes watches: WatchedByAnother is raised where that is not the last one. None: whoever writes may.
        """

        def work(connection: Connection) -> tuple[HistoryChange, ...]:
            self._make_sure_of(connection, watch)
            changes = recording.record(connection, self._name, sightings)
            return tuple(timelines.changes_by_id(connection, changes))

        return await self.storage.write(work, patience)

    async def record_run(self, run: Run, patience: float | None = None) -> tuple[HistoryChange, ...]:
        """Write what a run that somebody asked for found, and the whole of its document; as `record`.

        Of an interrupted run the document alone is kept.
        """
        packer = zlib.compressobj()
        body = b"".join([*(packer.compress(piece.encode("ascii")) for piece in json_pieces(in_sections(run))), packer.flush()])
        sightings = tuple(sightings_of(run))

        def work(connection: Connection) -> tuple[HistoryChange, ...]:
            changes = recording.record(connection, self._name, sightings)
            deployment = recording.deployment_of(connection, self._name)
            connection.execute(delete(DOCUMENT).where(DOCUMENT.c.deployment_id == deployment, DOCUMENT.c.run == run.id))
            connection.execute(insert(DOCUMENT).values(deployment_id=deployment, run=run.id, at=stored(run.finished), body=body))
            return tuple(timelines.changes_by_id(connection, changes))

        return await self.storage.write(work, patience)

    async def knows(self, about: str) -> bool:
        """Whether anything was ever found of a subject or of an account."""
        return await self._of_deployment(lambda connection, ours: timelines.knows(connection, ours, about), otherwise=False)

    async def subjects(self) -> tuple[KeptSubject, ...]:
        """Every subject of which something is known."""
        return await self._of_deployment(lambda connection, ours: tuple(timelines.subjects(connection, ours)), otherwise=())

    async def last_seen_by_accounts(self) -> Mapping[str, datetime]:
        """As `timelines.last_seen_by_accounts`."""
        return await self._of_deployment(timelines.last_seen_by_accounts, otherwise={})

    async def intervals(self, about: str | None = None, *, beside: Sequence[str] = (), open_only: bool = False) -> tuple[Interval, ...]:
        """What was so when, of a subject or account (and of the subjects `beside` it) or of all; `open_only`: what was found last."""
        return await self._of_deployment(
            lambda connection, ours: tuple(timelines.intervals(connection, ours, about, beside=beside, open_only=open_only)), otherwise=()
        )

    async def changes(self, **wanted: Any) -> tuple[HistoryChange, ...]:
        """What changed, the newest first; `since`, `about`, `beside`, `after`, `newer_than`, `limit` and `drift_only` are as of `timelines.changes`."""
        return await self._of_deployment(lambda connection, ours: tuple(timelines.changes(connection, ours, **wanted)), otherwise=())

    async def last_written(self) -> int:
        """As `timelines.last_written`."""
        return await self.storage.read(timelines.last_written)

    async def stands_since(self, mailbox: str) -> datetime | None:
        """As `timelines.stands_since`."""
        return await self._of_deployment(lambda connection, ours: timelines.stands_since(connection, ours, mailbox), otherwise=None)

    async def latencies(self, subject: str, since: datetime) -> tuple[tuple[datetime, bool, Latency], ...]:
        """As `timelines.latencies`."""
        return await self._of_deployment(
            lambda connection, ours: tuple(timelines.latencies(connection, ours, subject, since)), otherwise=()
        )

    async def transcripts(self, about: str, limit: int = 20, after: TimelinePlace | None = None) -> tuple[KeptTranscript, ...]:
        """Conversations with a subject, or of an account, in which something changed, the newest first; `after` is the place of the last that is known."""
        return await self._of_deployment(
            lambda connection, ours: tuple(timelines.transcripts(connection, ours, about, limit, after)), otherwise=()
        )

    async def runs(self, limit: int, after: TimelinePlace | None = None) -> tuple[KeptRun, ...]:
        """The whole runs that are kept, the newest first; `after` is the place of the last that is known."""
        return await self._of_deployment(lambda connection, ours: tuple(timelines.runs(connection, ours, limit, after)), otherwise=())

    async def document(self, run: str) -> Any:
        """A whole run that somebody asked for, `probe.run/2`; None where it is not kept."""
        return await self._of_deployment(lambda connection, ours: timelines.document(connection, ours, run), otherwise=None)

    async def sweep(self, limits: HistoryLimits, now: datetime, patience: float | None = None) -> Dropped:
        """Draw latencies together, and drop what is too old or too much. `patience` is as of `Storage.write`."""
        dropped = await self._written(lambda connection, ours: keeping.sweep(connection, ours, limits, now), Dropped(), patience)
        if dropped.is_for_size:
            await self.storage.compact(patience)
        return dropped

    async def erase(self, address: str) -> Dropped:
        """Erase one person's mailbox, from the files too. Raises HistoryUnavailable where somebody reads them meanwhile: then it may be in them still."""
        dropped = await self._written(lambda connection, ours: keeping.erase(connection, ours, NamedAddress(address)), Dropped())
        if not await self.storage.compact():
            raise HistoryUnavailable(
                f"{self.storage.told} is read by another program, so that its files may hold what was erased; erase again"
            )
        return dropped

    async def rename(self, old: str, new: str) -> bool:
        """Give what is kept of a deployment to one of another name; as `keeping.rename`."""
        return await self.storage.write(lambda connection: keeping.rename(connection, old, new))

    def claim(self, deployment: str | None = None) -> DeploymentClaim:
        """The claim to watch this deployment, or another one of the database, which one service has at a time."""
        return DeploymentClaim(self.storage, self._name if deployment is None else deployment)

    @property
    def is_shared(self) -> bool:
        """Whether services with other state folders may watch by it: then each leaves what the one that takes over is to know."""
        return not self.storage.is_sqlite

    async def watched_as(self) -> WatchedAs | None:
        """Who watched by it last; None where nobody did."""
        return await self.storage.read(self._watched_as)

    async def watch_as(self, watch: WatchedAs, last: WatchedAs | None, now: datetime) -> None:
        """Have it known who watches from now on, in the place of who watched last; raises WatchedByAnother where somebody else does meanwhile."""

        def work(connection: Connection) -> None:
            if self._watched_as(connection) != last:
                raise WatchedByAnother
            before = {} if last is None else {HandoverKey(_WATCH, last.name): None}
            row = HandoverRow(now, packed({"before": watch.before}))
            ours = recording.made_deployment(connection, self._name)
            handover.hand_over(connection, ours, {**before, HandoverKey(_WATCH, watch.name): row})

        await self.storage.write(work)

    async def hand_over(self, news: Mapping[HandoverKey, HandoverRow | None], watch: str | None = None) -> None:
        """Leave rows for whoever takes over; as `handover.hand_over`. `watch` is as of `record`."""

        def work(connection: Connection) -> None:
            self._make_sure_of(connection, watch)
            handover.hand_over(connection, recording.made_deployment(connection, self._name), news)

        await self.storage.write(work)

    async def handed_over(self, kind: str, *, after: str | None = None, limit: int | None = None) -> Mapping[str, HandoverRow]:
        """The rows of a kind, as `handover.rows`."""
        return await self._of_deployment(lambda connection, ours: dict(handover.rows(connection, ours, kind, after, limit)), otherwise={})

    async def handed_over_at(self, kind: str) -> Mapping[str, datetime]:
        """As `handover.times`."""
        return await self._of_deployment(lambda connection, ours: handover.times(connection, ours, kind), otherwise={})

    def _watched_as(self, connection: Connection) -> WatchedAs | None:
        def work(connection: Connection, ours: int) -> WatchedAs | None:
            found = handover.rows(connection, ours, _WATCH, None, None)
            return next((WatchedAs(name, readable(row.body, lambda form: form.get("before"))) for name, row in found), None)

        return self._found(work, None, connection)

    def _make_sure_of(self, connection: Connection, watch: str | None) -> None:
        """Within the transaction, so that nobody takes over before its end. Raises WatchedByAnother."""
        if watch is not None and ((last := self._watched_as(connection)) is None or last.name != watch):
            raise WatchedByAnother

    async def _of_deployment(self, work: Callable[[Connection, int], T], *, otherwise: T) -> T:
        """What a piece of work reads of this deployment; `otherwise` where nothing was ever recorded of it."""
        return await self.storage.read(partial(self._found, work, otherwise))

    async def _written(self, work: Callable[[Connection, int], T], otherwise: T, patience: float | None = None) -> T:
        """The same of work that may write. `patience` is as of `Storage.write`."""
        return await self.storage.write(partial(self._found, work, otherwise), patience)

    def _found(self, work: Callable[[Connection, int], T], otherwise: T, connection: Connection) -> T:
        ours = recording.deployment_of(connection, self._name)
        return otherwise if ours is None else work(connection, ours)


@asynccontextmanager
async def open_history(place: Folder | Secret, deployment: str) -> AsyncIterator[History]:
    """The history of a deployment, in a state folder or at a `postgresql://` URL, for as long as the context lasts. Raises HistoryUnavailable."""
    async with opened(place) as storage:
        yield History(storage, deployment)
