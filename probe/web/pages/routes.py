"""The routes of the page: what people look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from probe import app
from probe.model.runs import Run
from probe.outlook import Coming
from probe.web.pages.changes import told_changes
from probe.web.pages.drawing import PATIENCE, Drawn
from probe.web.pages.estate import LINES_A_PAGE, VERDICTS, EstateView, Wanted
from probe.web.pages.markup import answered
from probe.web.state import MOST_NAME, EstateState, States
from probe.web.watch import Watch

AHEAD = timedelta(days=2 * 365)
"""How far the calendar looks."""
_YESTERDAY = timedelta(days=1)
_CHANGES_IN_SHORT = 200
"""Intervals of which the estate's page tells what changed with them."""
_TOLD_IN_SHORT = 8
_ENDPOINTS_IN_SHORT = 50

Text = Annotated[str, Query(max_length=MOST_NAME)]


class Views:
    """What pages show of the whole estate, drawn once of each state."""

    def __init__(self, watch: Watch, states: States) -> None:
        self.estate = Drawn(states, watch.run, EstateView, "probe-web-estate")
        self.coming = Drawn(states, watch.run, _coming, "probe-web-outlook")


def _coming(state: EstateState) -> Sequence[Coming]:
    run: Run = state.run
    return app.outlook(run, run.judged_at + AHEAD)


def estate_page(watch: Watch, states: States, views: Views, clock: Callable[[], datetime]) -> APIRouter:
    """The route of the estate."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def show_estate(
        request: Request, q: Text = "", profile: Text = "", verdict: Text = "", group: Text = "", at: Text = "", page: int = 1
    ) -> Response:
        wanted = Wanted(q.strip().casefold(), profile, verdict, group, at)
        view, coming, changes = await asyncio.gather(
            _at_hand(views.estate),
            views.coming.newest(PATIENCE),
            watch.history.changes(since=clock() - _YESTERDAY, limit=_CHANGES_IN_SHORT),
        )
        found = view.found(wanted) if wanted.is_anything else []
        page = min(max(page, 1), max(-(-len(found) // LINES_A_PAGE), 1))
        state = view.state
        endpoints = view.endpoints_found(wanted)
        return answered(
            request,
            "estate.html",
            {
                "view": view,
                "wanted": wanted,
                "found": found[(page - 1) * LINES_A_PAGE : page * LINES_A_PAGE],
                "total": len(found),
                "page": page,
                "pages": -(-len(found) // LINES_A_PAGE),
                "verdicts": VERDICTS,
                "cause": next((cause for cause in (*view.causes, *view.advice) if cause.id == group), None),
                "endpoints": [(line, watch.last_look(line["subject"])) for line in endpoints[:_ENDPOINTS_IN_SHORT]],
                "more_endpoints": max(len(endpoints) - _ENDPOINTS_IN_SHORT, 0),
                "coming": None if coming is None else coming[:_TOLD_IN_SHORT],
                "changes": told_changes(changes)[:_TOLD_IN_SHORT],
                "standby": watch.standby(),
            },
            state.names,
        )

    return router


async def _at_hand(view: Drawn[EstateView]) -> EstateView:
    """The view of the newest state, or of the one before where that takes long."""
    found = await view.newest(PATIENCE) or await view.newest(None)
    assert found is not None
    return found
