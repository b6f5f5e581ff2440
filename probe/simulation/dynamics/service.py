"""The asynchronous service: it picks up mailboxes that are scheduled for Test & Enable, tests them, and records the results.

A permanent error disables the workload at once; after a transient one it tries again, up to ten times, five minutes apart. Times are
scaled by a factor, so that a test need not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from probe.model.values import dataclass
from probe.simulation.dynamics.alerts import ERROR, WARNING, Failure, Regarding, Workload, failed, succeeded
from probe.simulation.dynamics.candidates import AsynchronousServer, Candidate, workloads_of
from probe.simulation.dynamics.mail_tests import run
from probe.simulation.dynamics.metadata import ENGLISH, MAILBOX, TRACE_LOG
from probe.simulation.dynamics.organization import Oddity, Organization, written

TRIES = 10
BETWEEN_TRIES = timedelta(minutes=5)
"""TestEmailConfigurationRetryInterval."""
BEFORE_PICK_UP = timedelta(minutes=1)
"""How long a mailbox waits for the service; the real one's time varies."""
AT_ONCE = 10
"""Mailboxes that are tested at the same time."""

_NOT_RUN, _SUCCESS, _FAILURE = 0, 1, 2


Test = Callable[[Candidate, Workload, AsynchronousServer], Mapping[str, Any]]
"""Tests one workload of a mailbox and returns the values for its record. Raises Failure. Runs in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The speed of the service's clock."""

    factor: float = 1 / 3000
    """Real seconds for one second of the service."""
    tries: int = TRIES

    def seconds(self, time: timedelta) -> float:
        """The real duration of a time span."""
        return time.total_seconds() * self.factor


_USUAL_PACE = Pace()


class AsynchronousService:
    """The service of one organization. `async with` starts and stops it; what is under way when it stops is picked up again."""

    def __init__(
        self,
        organization: Organization,
        server: AsynchronousServer,
        *,
        pace: Pace = _USUAL_PACE,
        language: int = ENGLISH,
        test: Test = run,
    ) -> None:
        """`test` is how one workload is tested; another than the default spares the connections, where many mailboxes only have to be got through."""
        self._organization = organization
        self._server = server
        self._pace = pace
        self._language = language
        self._test = test
        self._tasks = asyncio.TaskGroup()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._progress = asyncio.Condition()
        self.tries: dict[str, int] = {}
        """How often each mailbox was tested."""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._organization.scheduled.set()
        self._watch = self._tasks.create_task(self._watching())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in (self._watch, *self._under_way.values()):
            if task is not None:
                task.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def settled(self, *identifiers: str) -> None:
        """Waits until the tests of these mailboxes, or of all, have ended."""
        async with self._progress:
            await self._progress.wait_for(lambda: not any(i in identifiers or not identifiers for i in self._organization.waiting()))

    async def tried(self, identifier: str, times: int) -> None:
        """Waits until a mailbox was tested so many times."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.tries.get(identifier, 0) >= times)

    async def _watching(self) -> None:
        while True:
            await self._organization.scheduled.wait()
            self._organization.scheduled.clear()
            for identifier in list(self._organization.waiting()):
                if identifier not in self._under_way and self._oddity(identifier) is not Oddity.HELD_BY_A_STOPPED_SERVER:
                    self._under_way[identifier] = self._tasks.create_task(self._tested(identifier))

    async def _tested(self, identifier: str) -> None:
        """One mailbox, from being picked up to its outcome."""
        await asyncio.sleep(self._pace.seconds(BEFORE_PICK_UP))
        results: dict[Workload, Failure | None] = {}
        left = workloads_of(self._candidate(identifier))
        for number in range(1, self._pace.tries + 1):
            candidate = self._candidate(identifier)
            self._organization.update(MAILBOX, identifier, {"hostid": self._server.name, "processingstatecode": 1})
            async with self._at_once:
                tested = {each: await asyncio.to_thread(self._result, candidate, each) for each in left}
            learnt: dict[str, Any] = {"hostid": None, "processingstatecode": 0, "processinglastattemptedon": self._moment()}
            for workload, result in tested.items():
                results[workload] = result if isinstance(result, Failure) else None
                learnt.update(result if isinstance(result, Mapping) else {})
            self._organization.update(MAILBOX, identifier, learnt)
            self.tries[identifier] = self.tries.get(identifier, 0) + 1
            again = {each: failure for each, failure in results.items() if failure is not None and not failure.permanent}
            last = not again or number == self._pace.tries
            self._settle(identifier, {each: results[each] for each in left if last or each not in again})
            left = list(again)
            if last:
                break
            self._try_later(identifier, again, number)
            await self._tell()
            await asyncio.sleep(self._pace.seconds(BETWEEN_TRIES))
        self._conclude(identifier, results)
        del self._under_way[identifier]
        await self._tell()

    def _result(self, candidate: Candidate, workload: Workload) -> Mapping[str, Any] | Failure:
        try:
            return self._test(candidate, workload, self._server)
        except Failure as failure:
            return failure

    async def _tell(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    def _candidate(self, identifier: str) -> Candidate:
        row = dict(self._organization.mailboxes[identifier])
        profile = self._organization.profiles.get(row.get("emailserverprofile") or "")
        address = str(row.get("emailaddress") or "").lower()
        claimed = address in {each.lower() for each in self._organization.claimed_elsewhere}
        return Candidate(row, dict(profile) if profile else None, self._oddity(identifier), claimed)

    def _oddity(self, identifier: str) -> Oddity | None:
        return self._organization.oddities.get(str(self._organization.mailboxes[identifier].get("emailaddress") or "").lower())

    def _try_later(self, identifier: str, failures: Mapping[Workload, Failure], number: int) -> None:
        until = self._now() + BETWEEN_TRIES
        changes = {
            "testemailconfigurationretrycount": number,
            "postponetestemailconfigurationuntil": written(until),
            "transientfailurecount": number,
        }
        self._organization.update(MAILBOX, identifier, changes)
        for workload, failure in failures.items():
            self._alert(identifier, failed(workload, failure, self._told(identifier), level=WARNING))

    def _settle(self, identifier: str, results: Mapping[Workload, Failure | None]) -> None:
        """Status, switch and alert of the workloads whose outcome is certain; what was transient to the last is permanent now."""
        row = self._organization.mailboxes[identifier]
        for workload, failure in results.items():
            changes: dict[str, Any] = {workload.status: _SUCCESS if failure is None else _FAILURE, workload.enabled: failure is None}
            if failure is not None:
                alert = failed(workload, failure, self._told(identifier), level=ERROR)
                self._alert(identifier, alert)
                changes |= {
                    "lastsyncerror": failure.code or None,
                    "lastsyncerrorcode": alert["tracecode"],
                    "lastsyncerrorcount": row.get("lastsyncerrorcount", 0) + 1,
                    "lastsyncerroroccurredon": self._moment(),
                    "lastsyncerrormachinename": self._server.name,
                }
            elif workload is Workload.OUTGOING:
                # Waiting mail is sent at once.
                self._organization.pending.pop(identifier, None)
            elif workload is Workload.APPOINTMENTS:
                self._organization.claimed_elsewhere.discard(str(row.get("emailaddress") or ""))
            self._organization.update(MAILBOX, identifier, changes)

    def _conclude(self, identifier: str, results: Mapping[Workload, Failure | None]) -> None:
        """The test is over: the flag is cleared last of all, with the time."""
        failures = any(failure is not None for failure in results.values())
        changes: dict[str, Any] = {"mailboxstatus": _NOT_RUN if not results else _FAILURE if failures else _SUCCESS}
        if results and not failures:
            changes |= {"lastsuccessfulsynccompletedon": self._moment(), "transientfailurecount": 0}
            self._alert(identifier, succeeded(list(results), self._told(identifier)))
        before = self._organization.mailboxes[identifier].get("testmailboxaccesscompletedon")
        changes |= {
            "testemailconfigurationscheduled": False,
            "testemailconfigurationretrycount": 0,
            "postponetestemailconfigurationuntil": None,
            "testmailboxaccesscompletedon": self._later_than(before),
        }
        self._organization.update(MAILBOX, identifier, changes)

    def _alert(self, identifier: str, values: dict[str, Any]) -> None:
        """A new alert, or the one of the same kind about the same record, brought up to date; a warning that lasts becomes a new error."""
        kind = (values["tracecode"], values["level"])
        known = next((row for row in self._organization.alerts(identifier) if (row["tracecode"], row["level"]) == kind), None)
        if known is None:
            self._organization.add_trace_log(identifier, **values)
        else:
            self._organization.update(TRACE_LOG, known["tracelogid"], values)

    def _told(self, identifier: str) -> Regarding:
        row = self._organization.mailboxes[identifier]
        profile = self._organization.profiles.get(row.get("emailserverprofile") or "", {})
        return Regarding(str(row["name"]), str(profile.get("name", "")), self._server.name, self._language)

    def _now(self) -> datetime:
        return self._organization.clock()

    def _moment(self) -> str:
        return written(self._now())

    def _later_than(self, before: str | None) -> str:
        """This moment, or the first one whose second is another than that of the last test: real tests are minutes apart."""
        moment = self._now()
        if before is not None:
            moment = max(moment, datetime.fromisoformat(before) + timedelta(seconds=1))
        return written(moment)
