"""The routes of the page: what people look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from probe.document.telling.blocks import STATUSES
from probe.document.telling.words import ago
from probe.history import HistoryChange, HistoryUnavailable
from probe.model.estate import Endpoint
from probe.web.ahead import WhatComes
from probe.web.documents import endpoint_line, judged_mailbox
from probe.web.jobs import JobKind, Jobs
from probe.web.pages.asked import ask_for_check, asked_check, reload_where_ended
from probe.web.pages.calendar import Calendar
from probe.web.pages.changes import ToldChange, told_changes
from probe.web.pages.endpoint import EndpointView
from probe.web.pages.estate import LINES_A_PAGE, EstateView, Wanted
from probe.web.pages.mailbox import MailboxView
from probe.web.pages.markup import answered
from probe.web.places import page_of
from probe.web.problems import RequestProblem
from probe.web.queries import AfterPlace, page_of_changes, place_after
from probe.web.state import MOST_NAME, EstateState, States
from probe.web.watch import Watch

T = TypeVar("T")

_log = logging.getLogger(__name__)

_YESTERDAY = timedelta(days=1)
_CHANGES_IN_SHORT = 200
"""Intervals of which the estate's page tells what changed with them."""
_TOLD_IN_SHORT = 5
_ENDPOINTS_IN_SHORT = 50
_CAUSES_IN_SHORT = 100
"""And as many kinds of advice."""

_LATENCIES = timedelta(days=14)
_TIMELINE = 50
"""Intervals of which a mailbox or an endpoint is told what changed with them."""
_CHANGES_A_PAGE = 100
_TRANSCRIPTS = 10
_JOBS = 3
"""Answers of the gate of a mailbox, and what was asked of Dynamics, to which its page leads."""

QueryText = Annotated[str, Query(max_length=MOST_NAME)]
NameInPath = Annotated[str, Path(max_length=MOST_NAME)]


def estate_page(watch: Watch, states: States, comes: WhatComes, clock: Callable[[], datetime]) -> APIRouter:
    """The route of the estate."""
    router, drawn = APIRouter(include_in_schema=False), states.drawn(EstateView)

    @router.get("/")
    async def show_estate(
        request: Request,
        q: QueryText = "",
        profile: QueryText = "",
        verdict: QueryText = "",
        group: QueryText = "",
        at: QueryText = "",
        rule: QueryText = "",
        result: QueryText = "",
        page: int = 1,
    ) -> Response:
        wanted = Wanted(q.strip().casefold(), profile, verdict, group, at, rule, result)
        view = await drawn.newest()
        changes: Sequence[HistoryChange] | None = ()
        if not wanted.is_anything:  # what changed does not stand beside what was searched
            changes = await _known(watch.history.changes(since=clock() - _YESTERDAY, limit=_CHANGES_IN_SHORT))
        found, page, total = view.found(wanted, page) if wanted.is_anything else ([], 1, 0)
        state, ahead = view.state, comes.far()
        endpoints = view.endpoints_found(wanted)
        return answered(
            request,
            "estate.html",
            {
                "view": view,
                "wanted": wanted,
                "found": found,
                "total": total,
                "page": page,
                "pages": -(-total // LINES_A_PAGE),
                "verdicts": STATUSES,
                "causes": [*view.causes[:_CAUSES_IN_SHORT], *view.advice[:_CAUSES_IN_SHORT]],
                "more_causes": max(len(view.causes) - _CAUSES_IN_SHORT, 0) + max(len(view.advice) - _CAUSES_IN_SHORT, 0),
                "cause": next((cause for cause in (*view.causes, *view.advice) if cause.id == group), None),
                "endpoints": [
                    (endpoint_line(state, state.names.endpoints[line["subject"]], None), watch.last_look(line["subject"]))
                    for line in endpoints[:_ENDPOINTS_IN_SHORT]
                ],
                "more_endpoints": max(len(endpoints) - _ENDPOINTS_IN_SHORT, 0),
                "coming": ahead.coming[:_TOLD_IN_SHORT],
                "ahead": ahead,
                "changes": _told(changes, _CHANGES_IN_SHORT, _TOLD_IN_SHORT),
                "standby": watch.standby(),
            },
            state.names,
        )

    return router


def one_by_one(watch: Watch, states: States, jobs: Jobs, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of single mailboxes and endpoints."""
    router = APIRouter(include_in_schema=False)

    @router.get("/m/{name:path}")
    async def show_mailbox(request: Request, name: NameInPath, check: QueryText = "") -> Response:
        state = await states.newest()
        mailbox, assessment = judged_mailbox(state, name)
        view = MailboxView(state, mailbox, assessment)
        history, asked, signed_in = watch.history, asked_check(jobs, request, check), watch.signed_in(mailbox.address)
        changes, since = await asyncio.gather(
            _known(history.changes(about=mailbox.address, beside=view.urls, limit=_TIMELINE)),
            _known(history.stands_since(mailbox.address)),
        )
        context = {
            "view": view,
            "known": view.known,
            "on": view.on,
            "run": state.run,
            "place": page_of(mailbox.address),
            "asked": asked,
            "jobs": [job for job in jobs.all() if job.topic.subject == mailbox.address and job.topic.kind is not JobKind.CHECK][:_JOBS],
            "signed_in": signed_in,
            "signed_in_ago": "" if signed_in is None else ago((clock() - signed_in).total_seconds()),
            "changes": _told(changes, _TIMELINE),
            "since": since,
            "last_looks": {url: watch.last_look(url) for url in view.urls},
        }
        return reload_where_ended(request, answered(request, "mailbox.html", context, state.names), asked)

    @router.post("/m/{name:path}/check")
    async def check_mailbox(request: Request, name: NameInPath) -> Response:
        mailbox, _ = judged_mailbox(await states.newest(), name)
        return await ask_for_check(watch, jobs, request, mailbox, page_of(mailbox.address))

    @router.get("/e/{name}")
    async def show_endpoint(request: Request, name: NameInPath, check: QueryText = "") -> Response:
        state = await states.newest()
        endpoint = _endpoint(state, name)
        view, url = EndpointView(state, endpoint), endpoint.url
        history, asked, last = watch.history, asked_check(jobs, request, check), watch.last_look(url)
        changes, latencies, kept = await asyncio.gather(
            _known(history.changes(about=url, limit=_TIMELINE)),
            _known(history.latencies(url, state.run.finished - _LATENCIES)),
            _known(history.transcripts(url, _TRANSCRIPTS)),
        )
        context = {
            "view": view,
            "known": view.known,
            "on": view.on,
            "run": state.run,
            "line": endpoint_line(state, endpoint, last),
            "last": last,
            "place": page_of(url),
            "asked": asked,
            "changes": _told(changes, _TIMELINE),
            "latencies": latencies,
            "kept": kept,
        }
        return reload_where_ended(request, answered(request, "endpoint.html", context, state.names), asked)

    @router.post("/e/{name}/check")
    async def check_endpoint(request: Request, name: NameInPath) -> Response:
        endpoint = _endpoint(await states.newest(), name)
        return await ask_for_check(watch, jobs, request, endpoint, page_of(endpoint.url))

    return router


def over_time(watch: Watch, states: States, comes: WhatComes) -> APIRouter:
    """The routes of what changed and of what comes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/changes")
    async def show_changes(request: Request, after: AfterPlace = None) -> Response:
        changes, following = await page_of_changes(watch.history, place_after(after), _CHANGES_A_PAGE)
        told = told_changes(changes, newer=bool(after), older=following is not None)
        context = {"changes": told, "after": after, "following": following}
        return answered(request, "changes.html", context, (await states.newest()).names)

    @router.get("/calendar")
    async def show_calendar(request: Request, page: int = 1) -> Response:
        return answered(request, "calendar.html", {"calendar": Calendar(comes.far(), page)}, (await states.newest()).names)

    return router


async def _known(asked: Awaitable[T]) -> T | None:
    """What the history knows; None where it cannot be read, so that a page shows at least what is known without it."""
    try:
        return await asked
    except HistoryUnavailable as unavailable:
        _log.error("the history cannot be read", extra={"error": str(unavailable)})
        return None


def _told(changes: Sequence[HistoryChange] | None, limit: int, most: int | None = None) -> list[ToldChange] | None:
    """Changes of at most so many intervals, as a page tells them, the newest of them."""
    if changes is None:
        return None
    return told_changes(changes, older=len({change.id for change in changes}) >= limit)[:most]


def _endpoint(state: EstateState, name: str) -> Endpoint:
    endpoint = state.names.endpoint(name)
    if endpoint is None:
        raise RequestProblem(404, "the estate has no such endpoint")
    return endpoint
