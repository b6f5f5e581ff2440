"""What was asked for, by programs and by people: a bounded number of jobs, in their order, a few at a time, each once for one idempotency key."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from probe.document.telling.words import bounded
from probe.web.problems import RequestProblem
from probe.web.watch import CannotCheck

AT_ONCE = 4
MOST_WAITING = 100
MOST_OF_ONE = 20
"""Waiting or running, of one token."""
KEPT_SECONDS = 3600.0
"""How long a result and an idempotency key are kept in memory."""
MOST_KEPT = 200
"""Results; those that ended first are dropped first."""
_MOST_NEWS = 500
"""Characters of what is told of something that goes on."""

Failure = tuple[int, str, Mapping[str, str]]
"""What a `RequestProblem` is made of."""
ENDS: Failure = (503, "the service ends", {"Retry-After": "60"})

_log = logging.getLogger(__name__)


class JobKind(StrEnum):
    """What may be asked for."""

    CHECK = "check"
    GATE = "gate"
    ENABLE = "enable"
    """Test & Enable, by Dynamics."""


class JobTopic(NamedTuple):
    """What is asked for, and of what: the same for what is the same request."""

    kind: JobKind
    subject: str
    """Address of a mailbox or URL of an endpoint."""


class AskedJob:
    """Something that was asked for."""

    def __init__(
        self, job_id: str, owner: str, topic: JobTopic, place: str, work: Callable[[AskedJob], Coroutine[Any, Any, Any]], asked_at: datetime
    ) -> None:
        """`owner` is the name of a token; `place` is the path where the result will be."""
        self.id, self.owner, self.topic, self.place, self.asked_at = job_id, owner, topic, place, asked_at
        self._work = work
        self.state: Literal["waiting", "running", "done"] = "waiting"
        self.result: Any = None
        self.failure: Failure | None = None
        self.news = ""
        """How far it is, in a sentence; empty where that is not told."""
        self.ended = asyncio.Event()
        self.ended_at = math.inf

    @property
    def who(self) -> str:
        """Who asked for it, in words."""
        return f"token {self.owner}"

    def tell(self, sentence: str) -> None:
        """Say how far it is. What is too long for a line is cut: names of servers may be in it."""
        self.news = bounded(sentence, _MOST_NEWS)

    async def wait(self, seconds: float) -> bool:
        """Wait until it has ended, or for so long; whether it has. Raises RequestProblem where it failed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        if self.failure is not None:
            raise RequestProblem(*self.failure)
        return self.ended.is_set()

    async def do(self) -> None:
        """Do it, and keep what came of it."""
        self.state = "running"
        try:
            self.result = await self._work(self)
        except CannotCheck as not_held:
            self.failure = (503, str(not_held), {"Retry-After": "60"})
        except Exception:  # noqa: BLE001 - whoever asked is told, and the next is done
            _log.exception("a bug in probe: what was asked for ended by itself", extra={"place": self.place})
            self.failure = (500, "this program failed; its log says where", {})
        except asyncio.CancelledError:
            self.failure = ENDS
            raise
        finally:
            self.state = "done"
            self.ended.set()


class Jobs:
    """What was asked for and is not dropped yet."""

    def __init__(self, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        """`clock` gives the time in UTC, `monotonic` seconds since any moment."""
        self._clock, self._monotonic = clock, monotonic
        self._waiting: asyncio.Queue[AskedJob] = asyncio.Queue(MOST_WAITING)
        self._by_id: OrderedDict[str, AskedJob] = OrderedDict()
        self._by_key: dict[tuple[str, str], AskedJob] = {}
        self._is_over = False

    def get(self, job_id: str) -> AskedJob | None:
        """What was asked for under this id; None where there is none, or none any more."""
        self._drop()
        return self._by_id.get(job_id)

    def all(self) -> list[AskedJob]:
        """Everything that is kept, what was asked for last first."""
        self._drop()
        return [*reversed(self._by_id.values())]

    def under(self, owner: str, key: str) -> AskedJob | None:
        """What was asked for under this key, unless it failed; None where there is none."""
        job = self._by_key.get((owner, key))
        return None if job is None or job.failure is not None else job

    def seconds_since(self, job: AskedJob) -> float:
        """How long ago it ended, however the clock was set meanwhile; less than zero where it has not."""
        return self._monotonic() - job.ended_at

    def ask(
        self,
        owner: str,
        key: str | None,
        topic: JobTopic,
        place: Callable[[str], str],
        work: Callable[[AskedJob], Coroutine[Any, Any, Any]],
    ) -> AskedJob:
        """Have something done, or give what was asked for under the same key, unless that failed. `place` takes its id. Raises RequestProblem."""
        self._drop()
        before = None if key is None else self.under(owner, key)
        if before is not None:
            if before.topic != topic:
                raise RequestProblem(409, "this idempotency key was used for another request")
            return before
        if self._is_over:
            raise RequestProblem(*ENDS)
        if sum(job.owner == owner and not job.ended.is_set() for job in self._by_id.values()) >= MOST_OF_ONE:
            raise RequestProblem(429, f"{MOST_OF_ONE} requests of this token are being answered already", {"Retry-After": "30"})
        job_id = secrets.token_hex(16)
        job = AskedJob(job_id, owner, topic, place(job_id), work, self._clock())
        try:
            self._waiting.put_nowait(job)
        except asyncio.QueueFull:
            raise RequestProblem(503, f"{MOST_WAITING} requests wait already", {"Retry-After": "60"}) from None
        self._by_id[job_id] = job
        if key is not None:
            self._by_key[owner, key] = job
        return job

    async def serve(self) -> None:
        """Do what is asked for until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._serve_in_turn())

    async def _serve_in_turn(self) -> None:
        while True:
            job = await self._waiting.get()
            if not job.ended.is_set():
                await job.do()
                job.ended_at = self._monotonic()

    def close(self) -> None:
        """Take nothing any more, and tell those who wait; what runs goes on until `serve` is cancelled, and is waited for no more."""
        self._is_over = True
        for job in self._by_id.values():
            if not job.ended.is_set():
                job.failure = ENDS
                job.ended.set()

    def _drop(self) -> None:
        now = self._monotonic()
        ended = [job for job in self._by_id.values() if job.ended.is_set()]
        surplus = len(ended) - MOST_KEPT
        gone = {job.id for place, job in enumerate(ended) if place < surplus or now - job.ended_at > KEPT_SECONDS}
        if gone:
            self._by_id = OrderedDict((name, job) for name, job in self._by_id.items() if name not in gone)
            self._by_key = {key: job for key, job in self._by_key.items() if job.id not in gone}
