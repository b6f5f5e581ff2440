"""Checks that people have held from a page: the same queue and the same budgets as those that programs ask for."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from probe.model.estate import Endpoint, Mailbox
from probe.model.runs import Run
from probe.web.asking import run_place
from probe.web.jobs import AskedJob, JobKind, Jobs, JobTopic
from probe.web.pages.signing_in import form_of_session
from probe.web.watch import Watch


class AskedCheck(NamedTuple):
    """What became of a check that somebody asked for."""

    id: str
    goes_on: bool
    words: str
    """Whether it waits or is held."""
    news: str
    """How far it is; empty where that is not told."""
    failure: str
    """Why it was not held; empty where it was, or goes on."""


def asked_check(jobs: Jobs, request: Request, job_id: str) -> AskedCheck | None:
    """A check that whoever asks has asked for; None where there is none, or none any more."""
    job = jobs.get(job_id)
    if job is None or job.owner != request.state.caller.name:
        return None
    words = "waits for its turn" if job.state == "waiting" else "is being held"
    return AskedCheck(job.id, not job.ended.is_set(), words, job.news, "" if job.failure is None else job.failure[1])


async def ask_for_check(watch: Watch, jobs: Jobs, request: Request, subject: Mailbox | Endpoint, place: str) -> Response:
    """Have a check held, and lead back to the page that shows it. Raises RequestProblem."""
    await form_of_session(request)
    named = subject.address if isinstance(subject, Mailbox) else subject.url

    async def work(job: AskedJob) -> Run:
        return await watch.check(subject, job.id, job.tell)

    job = jobs.ask(request.state.caller.name, None, JobTopic(JobKind.CHECK, named), run_place, work)
    return RedirectResponse(f"{place}?check={job.id}", 303)


def reload_where_ended(request: Request, response: Response, asked: AskedCheck | None) -> Response:
    """Has a script that asks whether a check has ended load the whole page, once it has."""
    if asked is not None and not asked.goes_on:
        reload_for_script(request, response, f"{request.url.path}?check={asked.id}")
    return response


def reload_for_script(request: Request, response: Response, place: str) -> None:
    """Has a script that asks for a part of a page load the whole of one instead."""
    if request.headers.get("hx-request") == "true":
        response.headers["HX-Redirect"] = place
