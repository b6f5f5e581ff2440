"""The page: the estate, its mailboxes and endpoints, what changed and what comes, for people with a browser, with or without a script.

Each page is one route, a pure view of the state, and a template; a file of `static/` is loaded by its address, which is another for another content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from probe.web.access import Gatekeeper
from probe.web.jobs import Jobs
from probe.web.pages.files import serving_files
from probe.web.pages.routes import Views, estate_page, one_by_one, over_time
from probe.web.pages.signing_in import problem_page, signing_in
from probe.web.state import States
from probe.web.watch import Watch

__all__ = ["pages", "problem_page"]


def pages(watch: Watch, states: States, jobs: Jobs, gatekeeper: Gatekeeper, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of the page."""
    router, views = APIRouter(), Views(states)
    parts = (
        serving_files(),
        signing_in(gatekeeper),
        estate_page(watch, states, views, clock),
        one_by_one(watch, states, jobs, clock),
        over_time(watch, states, views),
    )
    for part in parts:
        router.include_router(part)
    return router
