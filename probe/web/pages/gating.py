"""The routes of the page on which somebody asks the gate, and has Test & Enable run once it has said go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from probe.gate import Gated
from probe.gate.wording import NOT_TO_BE_SEEN
from probe.model.estate import Estate
from probe.net.threads import in_thread
from probe.web.access import Caller
from probe.web.asking import JobId, gate_place
from probe.web.documents import judged_mailbox
from probe.web.enabled import asked_enabling
from probe.web.jobs import AskedJob, JobKind, Jobs, JobTopic
from probe.web.pages.asked import reload_for_script
from probe.web.pages.gate import EnableOffer, EnablingView, GateView, offer_of, titles_of
from probe.web.pages.markup import answered
from probe.web.pages.routes import NameInPath
from probe.web.pages.signing_in import form_of_session, refuse_other_sites
from probe.web.places import page_of, page_of_enabling, page_of_gate
from probe.web.problems import RequestProblem
from probe.web.state import States
from probe.web.tokens import TokenScope
from probe.web.watch import CannotCheck, EnableOrder, Watch

_NO_ANSWER = "there is no such answer of the gate for this mailbox, or none any more; ask the gate again"
_NOT_ALLOWED = 405
"""What any other path below a mailbox's page answers to a form."""


def asking_the_gate(watch: Watch, states: States, jobs: Jobs) -> APIRouter:
    """The routes of the gate and its answers."""
    router = APIRouter(include_in_schema=False)

    @router.post("/m/{name:path}/gate")
    async def ask_gate(request: Request, name: NameInPath) -> Response:
        await form_of_session(request)
        mailbox, _ = judged_mailbox(await states.newest(), name)
        if not mailbox.is_served:
            raise RequestProblem(409, "server-side synchronization does not serve this mailbox")
        topic, owner = JobTopic(JobKind.GATE, mailbox.address), request.state.caller.name

        async def work(job: AskedJob) -> Gated:
            return await watch.gate(mailbox, job.id, job.tell)

        # A form that is sent twice asks once.
        asked = next((one for one in jobs.all() if (one.owner, one.topic) == (owner, topic) and not one.ended.is_set()), None)
        asked = asked or jobs.ask(owner, None, topic, gate_place, work)
        return RedirectResponse(page_of_gate(asked.id), 303)

    @router.get("/gate/{job_id}")
    async def show_gate(request: Request, job_id: JobId) -> Response:
        return await gate_page(request, _job(jobs, job_id, JobKind.GATE), states, jobs)

    return router


def enabling(watch: Watch, states: States, jobs: Jobs, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of Test & Enable."""
    router = APIRouter(include_in_schema=False)

    @router.post("/m/{name:path}/enable")
    async def enable(request: Request, name: NameInPath) -> Response:
        if not _is_allowed(watch.estate):
            raise HTTPException(_NOT_ALLOWED, headers={"Allow": "GET"})
        caller: Caller = request.state.caller
        if not caller.scope.includes(TokenScope.ADMIN):
            raise RequestProblem(403, f"a token of scope {TokenScope.ADMIN} is wanted; this one has {caller.scope}")
        refuse_other_sites(request)
        form = await form_of_session(request)
        mailbox, _ = judged_mailbox(await states.newest(), name)
        answer = jobs.get(form.get("gate", ""))
        if answer is None or answer.topic != JobTopic(JobKind.GATE, mailbox.address) or answer.result is None:
            raise RequestProblem(409, _NO_ANSWER)
        if (before := _enabling_after(jobs, answer, caller)) is not None:
            return RedirectResponse(page_of_enabling(before.id), 303)
        gated: Gated = answer.result
        offer = _offer(watch.estate, gated, jobs, answer, caller)
        if offer.why_not:
            raise RequestProblem(409, f"nothing was asked of Dynamics: {offer.why_not}")
        if form.get("address", "").strip().casefold() != mailbox.address.casefold():
            return await gate_page(request, answer, states, jobs, "This is not the address of the mailbox; nothing was asked of Dynamics.")
        if offer.takes_over and form.get("take_over") != "yes":
            wrong = "The box has to be ticked, since this organization would take the mailbox over; nothing was asked of Dynamics."
            return await gate_page(request, answer, states, jobs, wrong)

        async def work(job: AskedJob) -> Any:
            # It may have waited for its turn.
            if why_not := _offer(watch.estate, gated, jobs, answer, caller).why_not:
                raise CannotCheck(why_not)
            order = EnableOrder(id=job.id, who=job.who, takes_over=offer.takes_over)
            return await watch.enable(gated, order, job.tell)

        topic = JobTopic(JobKind.ENABLE, mailbox.address)
        job = jobs.ask(caller.name or "", _key_after(answer), topic, page_of_enabling, work)
        return RedirectResponse(page_of_enabling(job.id), 303)

    @router.get("/enabling/{job_id}")
    async def show_enabling(request: Request, job_id: JobId) -> Response:
        asked, state = await asked_enabling(watch, jobs, job_id), await states.newest()
        mailbox = state.names.mailbox(asked.address)
        view = EnablingView(asked, mailbox, clock())
        titles = titles_of(None if mailbox is None else state.assessment(mailbox))
        context = {"view": view, "asked": asked, "titles": titles, "place": page_of(asked.address)}
        response = answered(request, "enabling.html", context, state.names)
        if not view.goes_on:
            reload_for_script(request, response, request.url.path)
        return response

    return router


async def gate_page(request: Request, job: AskedJob, states: States, jobs: Jobs, wrong: str = "") -> Response:
    """The page of an answer, or of how far it is; `wrong` is what was wrong with the form that has Test & Enable run."""
    names, caller = states.names(), request.state.caller
    context: dict[str, Any] = {
        "job": job,
        "view": None,
        "known": None,
        "on": None,
        "wrong": wrong,
        "not_to_be_seen": NOT_TO_BE_SEEN,
    }
    context |= {"place": page_of(job.topic.subject), "offer": None, "enabling": "", "is_admin": False}
    context["failure"] = "" if job.failure is None else job.failure[1]
    if job.result is not None:
        gated: Gated = job.result
        view = await in_thread(lambda: GateView(gated), "probe-web-document")
        context |= {"view": view, "known": view.known, "on": gated.run.judged_at}
        if _is_allowed(names.estate):
            before = _enabling_after(jobs, job, caller)
            context |= {
                "offer": _offer(names.estate, gated, jobs, job, caller),
                "enabling": "" if before is None else page_of_enabling(before.id),
                "is_admin": caller.session is not None and caller.scope.includes(TokenScope.ADMIN),
            }
    response = answered(request, "gate.html", context, names, 422 if wrong else 200)
    if job.ended.is_set():
        reload_for_script(request, response, request.url.path)
    return response


def _is_allowed(estate: Estate) -> bool:
    return estate.dynamics is not None and estate.dynamics.enable_from_page


def _job(jobs: Jobs, job_id: str, kind: JobKind) -> AskedJob:
    job = jobs.get(job_id)
    if job is None or job.topic.kind is not kind:
        raise RequestProblem(404, "there is no such answer, or none any more")
    return job


def _offer(estate: Estate, gated: Gated, jobs: Jobs, answer: AskedJob, caller: Caller) -> EnableOffer:
    """What may follow an answer, for whoever asks."""
    if caller.name != answer.owner:
        return EnableOffer("somebody else asked the gate; ask it yourself", takes_over=False)
    return offer_of(estate, gated, jobs.seconds_since(answer))


def _key_after(answer: AskedJob) -> str:
    # Begins as no header of a client can, so that no idempotency key of the API is the same.
    return f"\nenable after {answer.id}"


def _enabling_after(jobs: Jobs, answer: AskedJob, caller: Caller) -> AskedJob | None:
    """What was asked of Dynamics after an answer, so that no answer is used twice."""
    return jobs.under(caller.name or "", _key_after(answer))
