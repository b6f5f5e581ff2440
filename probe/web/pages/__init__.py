"""The page: the estate, its mailboxes and endpoints, what changed and what comes, for people with a browser, with or without a script.

Each page is one route, a pure view of the state, and a template; a file of `static/` is loaded by its address, which is another for another content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from probe.web.access import Gatekeeper
from probe.web.ahead import WhatComes
from probe.web.jobs import Jobs
from probe.web.pages.files import serving_files
from probe.web.pages.gating import asking_the_gate, enabling
from probe.web.pages.routes import estate_page, one_by_one, over_time
from probe.web.pages.rule import showing_rules
from probe.web.pages.runs import showing_runs
from probe.web.pages.signing_in import problem_page, signing_in
from probe.web.state import States
from probe.web.watch import Watch

__all__ = ["pages", "problem_page"]


def pages(watch: Watch, states: States, comes: WhatComes, jobs: Jobs, gatekeeper: Gatekeeper, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of the page."""
    router = APIRouter()
    parts = (
        serving_files(),
        signing_in(gatekeeper),
        estate_page(watch, states, comes, clock),
        one_by_one(watch, states, jobs, clock),
        over_time(watch, states, comes),
        showing_rules(states),
        asking_the_gate(watch, states, jobs),
        enabling(watch, states, jobs, clock),
        showing_runs(watch, states, jobs, clock),
    )
    for part in parts:
        router.include_router(part)
    return router
