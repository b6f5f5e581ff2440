"""What was asked of Dynamics from the page, and what came of it: what its page and the API tell. Out of the job and the audit.

The audit knows more than the job where somebody else has found the outcome, and all there is after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.enabling import Pressed, RecordedRequest
from probe.web.jobs import AskedJob, JobKind, Jobs
from probe.web.problems import RequestProblem
from probe.web.watch import CannotCheck, Watch


class RecordedRequests(NamedTuple):
    """What was asked of Dynamics from the page, as the audit has it."""

    by_id: Mapping[str, RecordedRequest]
    unread: str
    """Why that cannot be read; empty where it can."""


async def recorded_requests(watch: Watch) -> RecordedRequests:
    """What was asked of Dynamics, by a service before this one too."""
    try:
        return RecordedRequests(await watch.enabling(), "")
    except CannotCheck as cannot:
        return RecordedRequests({}, str(cannot))


class AskedEnabling(NamedTuple):
    """Test & Enable of one mailbox that somebody asked for on a page."""

    job: AskedJob | None
    """None where it was asked of a service before this one, or long ago."""
    recorded: RecordedRequest | None
    """None where the audit does not have it, or not yet. One of both there is."""
    unread: str
    """Why the audit cannot be read; empty where it can."""

    @property
    def address(self) -> str:
        """Of the mailbox."""
        return self.recorded.mailbox if self.recorded is not None else "" if self.job is None else self.job.topic.subject

    @property
    def who(self) -> str:
        """Who asked for it, in words."""
        return self.recorded.who if self.recorded is not None else "" if self.job is None else self.job.who

    @property
    def asked_at(self) -> datetime | None:
        """When Dynamics was asked; None where it was not, or not yet."""
        return None if self.recorded is None else self.recorded.at

    @property
    def predicted(self) -> Mapping[str, str | None]:
        """What the gate had predicted of each direction, None where that is not used; empty where nothing is recorded."""
        return {} if self.recorded is None else self.recorded.predicted

    @property
    def came(self) -> JsonObject | None:
        """What came of it, in the form that the gate's document has; None as long as Dynamics was not asked."""
        came = None if self.recorded is None else self.recorded.form
        return self._pressed.enabled.get(self.address) if came is None and self._pressed is not None else came

    @property
    def failure(self) -> str:
        """Why it ended early; empty where it did not."""
        return "" if self.job is None or self.job.failure is None else self.job.failure[1]

    @property
    def not_asked(self) -> str | None:
        """Why Dynamics was not asked; None where it was, or is yet to be."""
        of_job = None if self._pressed is None else self._pressed.not_asked.get(self.address)
        return of_job or (None if self.recorded is None else self.recorded.not_asked)

    @property
    def notes(self) -> Sequence[str]:
        """What has to be known beside, a sentence each without its full stop."""
        return () if self._pressed is None else self._pressed.notes

    @property
    def is_running(self) -> bool:
        """Whether Dynamics is being asked, or waited for by who asked."""
        return self.job is not None and not self.job.ended.is_set()

    @property
    def news(self) -> str:
        """How far that is; empty where it is not told."""
        return self.job.news if self.job is not None and self.is_running else ""

    def is_left(self, now: datetime) -> bool:
        """Whether an outcome is looked for that who asked did not wait for."""
        return self.recorded is not None and self.recorded.is_left(now)

    def goes_on(self, now: datetime) -> bool:
        """Whether more may be known soon."""
        return self.is_running or self.is_left(now)

    @property
    def _pressed(self) -> Pressed | None:
        pressed: Pressed | None = None if self.job is None else self.job.result
        return pressed


async def asked_enabling(watch: Watch, jobs: Jobs, job_id: str) -> AskedEnabling:
    """What was asked for under this id. Raises RequestProblem."""
    job, recorded = jobs.get(job_id), await recorded_requests(watch)
    if job is not None and job.topic.kind is not JobKind.ENABLE:
        job = None
    found = AskedEnabling(job, recorded.by_id.get(job_id), recorded.unread)
    if found.job is None and found.recorded is None:
        if found.unread:
            raise RequestProblem(503, found.unread)
        raise RequestProblem(404, "nothing of this name was asked of Dynamics, as far as it is kept")
    return found
