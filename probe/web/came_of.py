"""The route of the API that tells what came of Test & Enable that was asked for on a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response

from probe.history.telling import as_time
from probe.model.rules import Direction
from probe.web.asked_forms import AskedEnablingForm
from probe.web.asking import JobId
from probe.web.enabled import asked_enabling
from probe.web.jobs import Jobs
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.watch import Watch


def telling_what_came(watch: Watch, jobs: Jobs, clock: Callable[[], datetime]) -> APIRouter:
    """The route of what came of Test & Enable."""
    router = APIRouter(prefix="/v1", tags=["asking"], default_response_class=JsonResponse)

    @router.get("/enabling/{job_id}", response_model=AskedEnablingForm)
    async def show_enabling(request: Request, job_id: JobId) -> Response:
        """What came of Test & Enable of one mailbox that was asked for on its page, beside what the gate had predicted. Nothing is asked for here."""
        asked = await asked_enabling(watch, jobs, job_id)
        form = {
            "id": job_id,
            "mailbox": asked.address,
            "who": asked.who,
            "asked_at": None if asked.asked_at is None else as_time(asked.asked_at),
            "goes_on": asked.goes_on(clock()),
            "news": asked.news,
            "failure": asked.failure,
            "not_asked": asked.not_asked,
            "notes": [*asked.notes],
            "predicted": {str(way): asked.predicted.get(way) for way in Direction},
            "enabled": asked.came,
            "unread": asked.unread or None,
        }
        return tagged(request, encoded(form))

    return router
