"""The routes of the API that read: the estate in short, mailboxes, endpoints, changes, rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from probe import app
from probe.history import History, HistoryChange
from probe.history.telling import change_as_json, latency_as_json, transcript_as_json
from probe.model.estate import Mailbox
from probe.model.rules import Readiness, Result, Support
from probe.net.threads import in_thread
from probe.web.ahead import WhatComes
from probe.web.documents import (
    SignInTimes,
    cause_line,
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
    CausePageForm,
    ChangePageForm,
    EndpointDetailForm,
    EndpointPageForm,
    MailboxDetailForm,
    MailboxPageForm,
    RuleDetailForm,
    RuleListForm,
    SummaryForm,
    TranscriptPageForm,
)
from probe.web.parts import JsonForm
from probe.web.problems import RequestProblem
from probe.web.queries import After, AfterPlace, FewOf, Limit, Moment, SubjectName, after_place, page_of_changes, place_after, subject_named
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.state import MOST_NAME, EstateNames, States
from probe.web.watch import Watch

_LATENCIES = timedelta(days=14)
_TIMELINE = 50
"""Intervals of which a mailbox or an endpoint is told what changed with them."""


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
        profile: Annotated[str | None, Query(max_length=MOST_NAME, description="Only those of this email server profile.")] = None,
        q: Annotated[str, Query(max_length=320, description="Only those whose address has this in it.")] = "",
        cause: Annotated[str | None, Query(max_length=256, description="Only those with this cause: an id of `/v1/causes`.")] = None,
        coming: Annotated[str | None, Query(max_length=256, description="Only those that this befalls: an id of `/v1/coming`.")] = None,
        rule: Annotated[str | None, Query(max_length=256, description="Only those that this rule decides, or advises.")] = None,
        result: Annotated[Result | None, Query(description="Only those of which `rule` comes to this.")] = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Response:
        """The mailboxes of the estate by address, each in short."""
        state, wanted = await states.newest(), q.casefold()
        only = _only(
            None if cause is None else state.causes.members(cause),
            None if coming is None else comes.members(coming),
            None if rule is None else state.decided_by(rule, result),
        )
        found = {
            name: (in_short, mailbox)
            for name, mailbox in state.names.by_address.items()
            if wanted in name
            and (in_short := state.in_short(mailbox)) is not None
            and (not support or in_short["support"] in support)
            and (not readiness or in_short["readiness"] in readiness)
            and (profile is None or mailbox.profile == profile)
            and (only is None or mailbox.address in only)
        }
        names, following = page([*found], after, limit)
        lines = [mailbox_line(*found[name]) for name in names]
        return tagged(request, encoded({"mailboxes": lines, "total": len(found), "next": following}))

    @router.get("/causes", response_model=CausePageForm)
    async def list_causes(request: Request, after: After = None, limit: Limit = 100) -> Response:
        """Why the mailboxes have their verdicts, and what is advised: each cause with how many it befalls, the most urgent first."""
        causes = (await states.newest()).causes.by_place
        places, following = page([*causes], after, limit)
        lines = [cause_line(causes[place]) for place in places]
        return tagged(request, encoded({"causes": lines, "total": len(causes), "next": following}))

    @router.get("/mailboxes/{name:path}", response_model=MailboxDetailForm)
    async def show_mailbox(
        request: Request, name: Annotated[str, Path(max_length=320, description="Its address, or its id in Dynamics.")]
    ) -> Response:
        """One mailbox: its verdict, what decided it, what is known and what is not, and what changed."""
        state = await states.newest()
        mailbox, assessment = judged_mailbox(state, name)
        timeline = await _timeline(watch.history, mailbox.address, urls_of(state.names.estate, mailbox))
        since = await watch.history.stands_since(mailbox.address)
        sign_in = SignInTimes(watch.signed_in(mailbox.address), partial(watch.next_sign_in, mailbox.address))
        return tagged(request, encoded(mailbox_detail(state, mailbox, assessment, timeline, since, sign_in)))

    @router.get("/endpoints", response_model=EndpointPageForm)
    async def list_endpoints(request: Request, after: After = None, limit: Limit = 100) -> Response:
        """The endpoints of the estate by subject, each in short."""
        state = await states.newest()
        names, following = page(state.names.urls, after, limit)
        lines = [endpoint_line(state, state.names.endpoints[url], watch.last_look(url)) for url in names]
        return tagged(request, encoded({"endpoints": lines, "total": len(state.names.urls), "next": following}))

    # Before the route of one endpoint, whose name may be a URL with such a path.
    @router.get("/endpoints/{endpoint_id}/transcripts", response_model=TranscriptPageForm)
    async def list_transcripts(
        request: Request, endpoint_id: Annotated[str, Path(pattern="^[0-9a-f]{12}$")], after: AfterPlace = None, limit: FewOf = 10
    ) -> Response:
        """The conversations with an endpoint that are kept, word for word, the newest first: those in which something changed, and that failed."""
        endpoint = (await states.newest()).names.endpoint(endpoint_id)
        if endpoint is None:
            raise RequestProblem(404, "the estate has no such endpoint")
        # One more than wanted tells whether there is another page.
        kept = await watch.history.transcripts(endpoint.url, limit + 1, place_after(after))
        following = after_place(kept[limit - 1].place) if len(kept) > limit else None

        def answer() -> bytes:
            return encoded(
                {"transcripts": [{**transcript_as_json(one), "mailbox": one.mailbox} for one in kept[:limit]], "next": following}
            )

        # Each may have 128 KiB.
        return tagged(request, await in_thread(answer, "probe-web-transcripts"))

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
        subject: SubjectName = None,
        after: AfterPlace = None,
        limit: Limit = 100,
    ) -> Response:
        """Drift: what changed that matters, from what to what, on which words, the newest first; of a mailbox with that of its endpoints."""
        about = _about(states.names(), subject)
        changes, following = await page_of_changes(watch.history, place_after(after), limit, since=since, **about)
        told = [change_as_json(change) for change in changes]
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


def _only(*wanted: frozenset[str] | None) -> frozenset[str] | None:
    """The addresses that are in all sets that are wanted; None where none is."""
    sets = [one for one in wanted if one is not None]
    return frozenset.intersection(*sets) if sets else None


def _about(names: EstateNames, subject: str | None) -> dict[str, Any]:
    """What changes are asked for, of a mailbox or an endpoint as on its page. Raises RequestProblem."""
    if subject is None:
        return {}
    found = subject_named(names, subject)
    if isinstance(found, Mailbox):
        return {"about": found.address, "beside": urls_of(names.estate, found)}
    return {"about": found.url}


async def _timeline(history: History, about: str, beside: Sequence[str]) -> list[JsonForm]:
    changes: Sequence[HistoryChange] = await history.changes(about=about, beside=beside, limit=_TIMELINE)
    return [change_as_json(change) for change in changes]
