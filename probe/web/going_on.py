"""What goes on, and the routes of the API that tell it: what somebody asked for, the runs that are kept, what the schedule has done now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from probe.enabling import RecordedRequest
from probe.history.telling import as_time
from probe.web.access import API
from probe.web.asked_forms import AskedForListForm, KeptRunPageForm, ScheduleForm
from probe.web.asking import run_place
from probe.web.enabled import recorded_requests
from probe.web.jobs import AskedJob, JobKind, Jobs
from probe.web.parts import JsonForm
from probe.web.queries import AfterPlace, Limit, after_place, place_after
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.watch import Watch


class AskedSoFar(NamedTuple):
    """What somebody asked for, by whether it goes on."""

    going_on: Sequence[AskedJob]
    pending: Mapping[str, RecordedRequest]
    """The requests to Dynamics that have no outcome yet and are no job that goes on, by id."""
    ended: Sequence[AskedJob]


def asked_so_far(asked: Sequence[AskedJob], recorded: Mapping[str, RecordedRequest], now: datetime) -> AskedSoFar:
    """What goes on and what has ended; what Dynamics was asked for goes on though the job has ended."""
    going_on = {job.id: job for job in asked if not job.ended.is_set()}
    pending = {name: one for name, one in recorded.items() if one.is_left(now) and name not in going_on}
    return AskedSoFar([*going_on.values()], pending, [job for job in asked if job.ended.is_set() and job.id not in pending])


def telling_what_goes_on(watch: Watch, jobs: Jobs, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of what goes on."""
    router = APIRouter(prefix="/v1", tags=["asking"], default_response_class=JsonResponse)

    @router.get("/jobs", response_model=AskedForListForm)
    async def list_jobs(request: Request) -> Response:
        """What somebody asked for, by the API or on a page: what waits and goes on, and what ended within the hour."""
        recorded = await recorded_requests(watch)
        asked = asked_so_far(jobs.all(), recorded.by_id, clock())
        pending = [_of_request(name, one) for name, one in asked.pending.items()]
        told = [*map(_of_job, asked.going_on), *pending, *map(_of_job, asked.ended)]
        return tagged(request, encoded({"jobs": told, "unread": recorded.unread or None}))

    @router.get("/runs", response_model=KeptRunPageForm)
    async def list_runs(request: Request, after: AfterPlace = None, limit: Limit = 100) -> Response:
        """The runs that somebody asked for and that are kept, the newest first; those that go on are jobs."""
        # One more than wanted tells whether there is another page.
        kept = await watch.history.runs(limit + 1, place_after(after))
        following = after_place(kept[limit - 1].place) if len(kept) > limit else None
        told = [{"id": one.run, "finished": as_time(one.finished), "place": run_place(one.run)} for one in kept[:limit]]
        return tagged(request, encoded({"runs": told, "next": following}))

    @router.get("/schedule", response_model=ScheduleForm)
    async def show_schedule(request: Request) -> Response:
        """Whether the schedule is kept, how late it is, and what it has done now."""
        standby, lag = watch.standby(), watch.lag()
        under_way = [{"kind": one.kind, "subject": one.subject, "since": as_time(one.since)} for one in watch.under_way()]
        form = {"ready": standby.is_ready, "detail": standby.words, "lag_seconds": int(lag.total_seconds()), "under_way": under_way}
        return tagged(request, encoded(form))

    return router


def enabling_place(job_id: str) -> str:
    """The path of what came of Test & Enable."""
    return f"{API}enabling/{job_id}"


def _of_job(job: AskedJob) -> JsonForm:
    failure, has_ended = job.failure, job.ended.is_set()
    place: str | None = enabling_place(job.id) if job.topic.kind is JobKind.ENABLE else job.place
    if job.topic.kind is JobKind.CHECK and has_ended and job.result is None:
        place = None
    return {
        "id": job.id,
        "kind": job.topic.kind.value,
        "subject": job.topic.subject,
        "who": job.who,
        "asked_at": as_time(job.asked_at),
        "state": ("done" if failure is None else "failed") if has_ended else job.state,
        "news": job.news if not has_ended else "" if failure is None else failure[1],
        "place": place,
    }


def _of_request(name: str, one: RecordedRequest) -> JsonForm:
    return {
        "id": name,
        "kind": JobKind.ENABLE.value,
        "subject": one.mailbox,
        "who": one.who,
        "asked_at": as_time(one.at),
        "state": "pending",
        "news": "",
        "place": enabling_place(name),
    }
