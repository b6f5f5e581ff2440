"""What goes on, as its page shows it: what somebody asked for, and what the schedule has done now. Pure in the jobs, the audit and the schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from probe.web.asking import run_place
from probe.web.enabled import recorded_requests
from probe.web.going_on import AskedSoFar, asked_so_far
from probe.web.jobs import AskedJob, JobKind, Jobs
from probe.web.pages.markup import answered
from probe.web.places import page_of, page_of_enabling, page_of_gate
from probe.web.state import States
from probe.web.watch import LookUnderWay, Watch

_NAMES = {JobKind.CHECK: "Check", JobKind.GATE: "Gate", JobKind.ENABLE: "Test & Enable"}
_LOOKS_SHOWN = 50
_SCHEDULED = {
    "quick": "a look at the endpoint",
    "posture": "everything that the endpoint takes of TLS",
    "canary": "a sign-in",
    "logins": "a sign-in",
    "roundtrip": "a test mail",
    "dynamics": "Dynamics' own state",
}


class JobLine(NamedTuple):
    """Something that was asked for."""

    name: str
    subject: str
    who: str
    since: datetime
    word: str
    tone: str
    news: str
    place: str
    """Where its result is, or will be; empty where there is none."""


class RunsView:
    """What the page shows."""

    def __init__(self, asked: AskedSoFar, under_way: Sequence[LookUnderWay]) -> None:
        self.going_on = [
            *map(_line, asked.going_on),
            *(
                JobLine(
                    _NAMES[JobKind.ENABLE], one.mailbox, one.who, one.at, "PENDING", "doubtful", "it is followed up", page_of_enabling(name)
                )
                for name, one in asked.pending.items()
            ),
        ]
        self.ended = [*map(_line, asked.ended)]
        self.looks = [(one, _SCHEDULED.get(one.kind, one.kind)) for one in under_way[:_LOOKS_SHOWN]]
        self.more = max(len(under_way) - _LOOKS_SHOWN, 0)


def _line(job: AskedJob) -> JobLine:
    # Of Test & Enable that has ended, what came of it stands on its page alone.
    word, tone = ("ENDED", "none" if job.topic.kind is JobKind.ENABLE else "good") if job.failure is None else ("FAILED", "bad")
    if not job.ended.is_set():
        word, tone = ("WAITS", "none") if job.state == "waiting" else ("GOES ON", "doubtful")
    news = job.news if not job.ended.is_set() else "" if job.failure is None else job.failure[1]
    places = {
        JobKind.CHECK: run_place(job.id) if job.result is not None else "",
        JobKind.GATE: page_of_gate(job.id),
        JobKind.ENABLE: page_of_enabling(job.id),
    }
    return JobLine(_NAMES[job.topic.kind], job.topic.subject, job.who, job.asked_at, word, tone, news, places[job.topic.kind])


def showing_runs(watch: Watch, states: States, jobs: Jobs, clock: Callable[[], datetime]) -> APIRouter:
    """The route of what goes on."""
    router = APIRouter(include_in_schema=False)

    @router.get("/runs")
    async def show_runs(request: Request) -> Response:
        recorded, now, lag = await recorded_requests(watch), clock(), watch.lag()
        view = RunsView(asked_so_far(jobs.all(), recorded.by_id, now), watch.under_way())
        context = {
            "view": view,
            "now": now,
            "late": int(lag.total_seconds()),
            "standby": watch.standby(),
            "unread": recorded.unread,
            "page_of": page_of,
        }
        return answered(request, "runs.html", context, states.names())

    return router
