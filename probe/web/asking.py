"""The routes of the API that have something done, and those where its result is: checks, the gate, runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from probe.document import in_sections, json_pieces
from probe.document.forms import Document
from probe.document.gate_forms import GateDocument
from probe.gate import Gated, gate_json, published
from probe.model.estate import Mailbox
from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.web.access import API
from probe.web.forms import CheckRequestForm, GateRequestForm, JobForm
from probe.web.jobs import AskedJob, JobKind, Jobs, JobTopic
from probe.web.problems import RequestProblem
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.state import States
from probe.web.watch import Watch

LONGEST_WAIT_SECONDS = 120.0
GATE_WAIT_SECONDS = 60.0
"""How long an answer of the gate is waited for where the request does not say."""
_AGAIN_SECONDS = "5"
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]+)\"?", re.IGNORECASE)
_AT_ONCE = "respond-async"

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Prefer = Annotated[
    list[str],
    Header(
        default_factory=list,
        description="`wait=SECONDS`: wait so long for the result, at most 120; `respond-async`: do not wait. RFC 7240.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1, max_length=255, description="What was asked for under the same key is not done again; it is remembered for an hour."
    ),
]
_PENDING: dict[int | str, dict[str, Any]] = {
    202: {
        "model": JobForm,
        "description": "It goes on, or waits for its turn.",
        "headers": {"Location": {"description": "Where its result will be.", "schema": {"type": "string"}}},
    }
}


def asking(watch: Watch, states: States, jobs: Jobs) -> APIRouter:
    """The routes that have something done."""
    router = APIRouter(prefix="/v1", tags=["asking"], default_response_class=JsonResponse)

    @router.post("/checks", response_model=Document, responses=_PENDING, dependencies=[Depends(_read_as_json)])
    async def check(request: Request, asked: CheckRequestForm, prefer: Prefer, idempotency_key: IdempotencyKey = None) -> Response:
        """Check a mailbox or an endpoint of the estate now. 202 with the place of the run, unless it is waited for and ends in time.

        An account that signed in for a mailbox at an endpoint less than 15 minutes ago does not sign in again.
        """
        names = states.names()
        subject = names.mailbox(asked.mailbox) if asked.mailbox else names.endpoint(asked.endpoint)
        if subject is None:
            raise RequestProblem(404, f"the estate has no such {'mailbox' if asked.mailbox else 'endpoint'}")
        named = subject.address if isinstance(subject, Mailbox) else subject.url

        async def work(job: AskedJob) -> Run:
            return await watch.check(subject, job.id, job.tell)

        topic = JobTopic(JobKind.CHECK, named)
        job = jobs.ask(_owner(request), idempotency_key, topic, run_place, work)
        return await _answer(request, job, prefer)

    @router.post("/gate", response_model=GateDocument, responses=_PENDING, dependencies=[Depends(_read_as_json)])
    async def gate(request: Request, asked: GateRequestForm, prefer: Prefer, idempotency_key: IdempotencyKey = None) -> Response:
        """Ask the gate of a mailbox: what Test & Enable would report, and whether it may be run. Nothing is enabled.

        It is waited for by itself; 202 with the place of the answer where it takes longer, or where the request prefers that.
        """
        mailbox = states.names().mailbox(asked.mailbox)
        if mailbox is None:
            raise RequestProblem(404, "the estate has no such mailbox")
        if not mailbox.is_served:
            raise RequestProblem(409, "server-side synchronization does not serve this mailbox")

        async def work(job: AskedJob) -> Gated:
            return await watch.gate(mailbox, job.id, job.tell)

        topic = JobTopic(JobKind.GATE, mailbox.address)
        job = jobs.ask(_owner(request), idempotency_key, topic, gate_place, work)
        return await _answer(request, job, prefer, GATE_WAIT_SECONDS)

    @router.get("/gate/{job_id}", response_model=GateDocument, responses=_PENDING)
    async def show_answer(request: Request, job_id: JobId, prefer: Prefer) -> Response:
        """An answer of the gate that was asked for within the last hour. 202 as long as it is not there."""
        job = jobs.get(job_id)
        if job is None or job.topic.kind is not JobKind.GATE:
            raise RequestProblem(404, "there is no such answer, or none any more")
        return await _answer(request, job, prefer)

    @router.get("/runs/{run_id}", response_model=Document, responses=_PENDING)
    async def show_run(request: Request, run_id: JobId, prefer: Prefer) -> Response:
        """A run that somebody asked for, as the document. 202 as long as it goes on; runs are kept for 90 days."""
        job = jobs.get(run_id)
        if job is not None and job.result is None and job.topic.kind in (JobKind.CHECK, JobKind.GATE):
            pending = await _pending(job, run_place(run_id), prefer)
            if pending is not None:
                return pending
        document = await watch.history.document(run_id)
        if document is None:
            raise RequestProblem(404, "there is no such run, or none any more")
        return tagged(request, await in_thread(lambda: encoded(document), "probe-web-document"))

    return router


async def _read_as_json(request: Request) -> None:
    """See to it that a body is what everybody reads in it. Raises RequestProblem."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise RequestProblem(415, "a body in JSON is wanted, as Content-Type: application/json")
    if body:  # which is known to be JSON here
        json.loads(body, object_pairs_hook=_each_once)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # readers differ on which of them counts (RFC 8259 section 4)
        raise RequestProblem(422, "body: a name stands twice in it")
    return found


def run_place(job_id: str) -> str:
    """The path of a run that was asked for."""
    return f"{API}runs/{job_id}"


def gate_place(job_id: str) -> str:
    """The path of an answer of the gate."""
    return f"{API}gate/{job_id}"


async def _answer(request: Request, job: AskedJob, prefer: Sequence[str], otherwise: float = 0.0) -> Response:
    """The result, once it is there; else where it will be. `otherwise`: the seconds for which it is waited for where the client does not say."""
    pending = await _pending(job, job.place, prefer, otherwise)
    return pending or tagged(request, await in_thread(lambda: _body(job.result), "probe-web-document"))


async def _pending(job: AskedJob, place: str, prefer: Sequence[str], otherwise: float = 0.0) -> Response | None:
    """Where the result will be; None once it is there. Raises RequestProblem where there will be none."""
    words = [word.partition(";")[0].strip() for line in prefer for word in line.split(",")]
    is_at_once = any(word.lower() == _AT_ONCE for word in words)
    wanted = next((float(found[1]) for word in words if (found := _WAIT.fullmatch(word))), 0.0 if is_at_once else otherwise)
    if await job.wait(min(wanted, LONGEST_WAIT_SECONDS)):
        return None
    headers = {"Location": place, "Retry-After": _AGAIN_SECONDS} | ({"Preference-Applied": _AT_ONCE} if is_at_once else {})
    return JsonResponse(encoded({"id": job.id, "state": job.state, "place": place}), 202, headers)


def _body(result: Run | Gated) -> bytes:
    pieces = json_pieces(in_sections(result)) if isinstance(result, Run) else gate_json(published(result))
    return "".join(pieces).encode("ascii")


def _owner(request: Request) -> str:
    """Whose the request is: every token has a queue and idempotency keys of its own."""
    return request.state.caller.name or ""
