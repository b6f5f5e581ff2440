"""The routes of the API that read: the estate in short, mailboxes, endpoints, changes, rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BeforeValidator

from probe import app
from probe.history import History, HistoryChange
from probe.history.telling import change_as_json, latency_as_json
from probe.model.rules import Readiness, Support
from probe.web.ahead import WhatComes
from probe.web.documents import (
    coming_up,
    endpoint_detail,
    endpoint_line,
    judged_mailbox,
    mailbox_detail,
    mailbox_line,
    page,
    rule_detail,
    summary,
    urls_of,
)
from probe.web.forms import (
    ChangePageForm,
    EndpointDetailForm,
    EndpointPageForm,
    MailboxDetailForm,
    MailboxPageForm,
    RuleDetailForm,
    RuleListForm,
    SummaryForm,
)
from probe.web.parts import JsonForm
from probe.web.problems import RequestProblem
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.state import MOST_NAME, States
from probe.web.watch import Watch

_LATENCIES = timedelta(days=14)
_TIMELINE = 50
"""Intervals of which a mailbox or an endpoint is told what changed with them."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def _is_moment(text: str) -> str:
    """A date and time with its zone, as RFC 3339 has it. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("a date and time with its zone is wanted, as in 2026-11-29T08:30:00Z")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_is_moment)]
After = Annotated[str | None, Query(max_length=MOST_NAME, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="The most that a page has.")]


def reading(watch: Watch, states: States, comes: WhatComes) -> APIRouter:
    """The routes that read."""
    router = APIRouter(prefix="/v1", tags=["estate"], default_response_class=JsonResponse)
    in_short = states.drawn(summary)

    @router.get("/summary", response_model=SummaryForm)
    async def show_summary(request: Request) -> Response:
        """The estate in short: counts by verdict, causes with the worst first, and what comes up next."""
        return tagged(request, encoded({**await in_short.newest(), **coming_up(comes.soon())}))

    @router.get("/mailboxes", response_model=MailboxPageForm)
    async def list_mailboxes(
        request: Request,
        support: Annotated[list[Support], Query(description="Only these; may be given again.")] = [],  # noqa: B006 - FastAPI copies it
        readiness: Annotated[list[Readiness], Query(description="Only these; may be given again.")] = [],  # noqa: B006
        profile: Annotated[str | None, Query(max_length=256, description="Only those of this email server profile.")] = None,
        q: Annotated[str, Query(max_length=320, description="Only those whose address has this in it.")] = "",
        after: After = None,
        limit: Limit = 100,
    ) -> Response:
        """The mailboxes of the estate by address, each in short."""
        state, wanted = await states.newest(), q.casefold()
        found = {
            name: (in_short, mailbox)
            for name, mailbox in state.names.by_address.items()
            if wanted in name
            and (in_short := state.in_short(mailbox)) is not None
            and (not support or in_short["support"] in support)
            and (not readiness or in_short["readiness"] in readiness)
            and (profile is None or mailbox.profile == profile)
        }
        names, following = page([*found], after, limit)
        lines = [mailbox_line(*found[name]) for name in names]
        return tagged(request, encoded({"mailboxes": lines, "total": len(found), "next": following}))

    @router.get("/mailboxes/{name:path}", response_model=MailboxDetailForm)
    async def show_mailbox(
        request: Request, name: Annotated[str, Path(max_length=320, description="Its address, or its id in Dynamics.")]
    ) -> Response:
        """One mailbox: its verdict, what decided it, what is known and what is not, and what changed."""
        state = await states.newest()
        mailbox, assessment = judged_mailbox(state, name)
        timeline = await _timeline(watch.history, mailbox.address, urls_of(state.names.estate, mailbox))
        since = await watch.history.stands_since(mailbox.address)
        return tagged(request, encoded(mailbox_detail(state, mailbox, assessment, timeline, since)))

    @router.get("/endpoints", response_model=EndpointPageForm)
    async def list_endpoints(request: Request, after: After = None, limit: Limit = 100) -> Response:
        """The endpoints of the estate by subject, each in short."""
        state = await states.newest()
        names, following = page(state.names.urls, after, limit)
        lines = [endpoint_line(state, state.names.endpoints[url], watch.last_look(url)) for url in names]
        return tagged(request, encoded({"endpoints": lines, "total": len(state.names.urls), "next": following}))

    @router.get("/endpoints/{name:path}", response_model=EndpointDetailForm)
    async def show_endpoint(
        request: Request, name: Annotated[str, Path(max_length=MOST_NAME, description="Its id, or its subject.")]
    ) -> Response:
        """One endpoint: what is known of it with its posture, its last attempts with transcripts, what changed, and how long looks took."""
        state = await states.newest()
        endpoint = state.names.endpoint(name)
        if endpoint is None:
            raise RequestProblem(404, "the estate has no such endpoint")
        last, history = watch.last_look(endpoint.url), watch.history
        timeline = await _timeline(history, endpoint.url, ())
        since = state.run.finished - _LATENCIES
        latencies = [latency_as_json(*one) for one in await history.latencies(endpoint.url, since)]
        return tagged(request, encoded(endpoint_detail(state, endpoint, last, timeline, latencies)))

    @router.get("/changes", response_model=ChangePageForm)
    async def list_changes(
        request: Request,
        since: Annotated[Moment | None, Query(description="Only what changed since then.")] = None,
        after: Annotated[int | None, Query(ge=0, lt=2**63, description="`next` of the page before.")] = None,
        limit: Limit = 100,
    ) -> Response:
        """Drift: what changed that matters, from what to what, on which words, the newest first."""
        # One more than wanted tells whether there is another page; several changes may be of one interval.
        changes = await watch.history.changes(since=since, after=after, limit=limit + 1)
        ids = [*dict.fromkeys(change.id for change in changes)]
        kept = ids[:limit]
        following = str(kept[-1]) if len(ids) > limit else None
        told = [change_as_json(change) for change in changes if change.id in kept]
        return tagged(request, encoded({"changes": told, "next": following}))

    @router.get("/rules", response_model=RuleListForm)
    async def list_rules(request: Request) -> Response:
        """Every rule, with its sources and its remedy."""
        return tagged(request, encoded({"rules": [rule_detail(rule) for _, rule in sorted(app.rules().items())]}))

    @router.get("/rules/{rule_id}", response_model=RuleDetailForm)
    async def show_rule(request: Request, rule_id: Annotated[str, Path(max_length=256)]) -> Response:
        """One rule."""
        rule = app.rules().get(rule_id)
        if rule is None:
            raise RequestProblem(404, "there is no such rule")
        return tagged(request, encoded(rule_detail(rule)))

    return router


async def _timeline(history: History, about: str, beside: Sequence[str]) -> list[JsonForm]:
    changes: Sequence[HistoryChange] = await history.changes(about=about, beside=beside, limit=_TIMELINE)
    return [change_as_json(change) for change in changes]
