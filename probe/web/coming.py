"""The routes of the API that tell what comes: the days on which verdicts change by themselves, as far ahead as the calendar has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from probe.model.estate import Mailbox
from probe.model.rules import Otherwise
from probe.outlook import Coming
from probe.web.ahead import WhatComes
from probe.web.documents import coming_line, page, span_of, worked_out_of
from probe.web.forms import ComingPageForm, UnseenPageForm
from probe.web.queries import After, Day, Limit, SubjectName, subject_named
from probe.web.responses import JsonResponse, encoded, tagged
from probe.web.state import EstateNames, States

RuleName = Annotated[str, Field(max_length=256)]


def telling_what_comes(states: States, comes: WhatComes) -> APIRouter:
    """The routes of what comes."""
    router = APIRouter(prefix="/v1", tags=["estate"], default_response_class=JsonResponse)

    @router.get("/coming", response_model=ComingPageForm)
    async def list_coming(
        request: Request,
        rule: Annotated[list[RuleName], Query(description="Only of these rules; may be given again.")] = [],  # noqa: B006 - FastAPI copies it
        otherwise: Annotated[list[Otherwise], Query(description="Only what means this; may be given again.")] = [],  # noqa: B006
        since: Annotated[Day | None, Query(description="Only what comes on this day or later.")] = None,
        until: Annotated[Day | None, Query(description="Only what comes on this day or before.")] = None,
        subject: SubjectName = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Response:
        """What begins to fail by itself within two years, as the calendar has it, the earliest first."""
        ahead, befalls = comes.far(), _befalling(states.names(), subject)
        found = {
            place: one
            for place, one in comes.by_place().items()
            if (not rule or one.rule in rule)
            and (not otherwise or one.otherwise in otherwise)
            and (since is None or one.day >= since)
            and (until is None or one.day <= until)
            and befalls(one)
        }
        places, following = page([*found], after, limit)
        told = [coming_line(found[place]) for place in places]
        return tagged(request, encoded({"coming": told, "total": len(found), "next": following, **span_of(ahead)}))

    @router.get("/coming/unseen", response_model=UnseenPageForm)
    async def list_unseen(request: Request, after: After = None, limit: Limit = 100) -> Response:
        """The endpoints of which it is not known when their certificate or their chain ends, each with the reason: it may be tomorrow."""
        ahead = comes.far()
        unseen = {one.endpoint: one._asdict() for one in ahead.unseen}
        subjects, following = page(sorted(unseen), after, limit)
        told = {"unseen": [unseen[one] for one in subjects], "total": len(unseen), "next": following}
        return tagged(request, encoded({**told, **worked_out_of(ahead)}))

    return router


def _befalling(names: EstateNames, subject: str | None) -> Callable[[Coming], bool]:
    """Whether something that comes befalls a mailbox or an endpoint; anything does where none is named. Raises RequestProblem."""
    if subject is None:
        return lambda one: True
    found = subject_named(names, subject)
    if isinstance(found, Mailbox):
        return lambda one: found.address in one.mailboxes
    return lambda one: found.url in one.endpoints
