"""What the queries of several routes have in common: pages of lists, moments and days, names of the estate."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, BeforeValidator

from probe.history import TimelinePlace
from probe.model.estate import Endpoint, Mailbox
from probe.web.problems import RequestProblem
from probe.web.state import MOST_NAME, EstateNames

_DAY = r"\d{4}-\d\d-\d\d"
_MOMENT = re.compile(rf"{_DAY}[Tt]\d\d:\d\d:\d\d(\.\d{{1,9}})?([Zz]|[+-]\d\d:\d\d)")


def _is_moment(text: str) -> str:
    """A date and time with its zone, as RFC 3339 has it. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("a date and time with its zone is wanted, as in 2026-11-29T08:30:00Z")
    return text


def _is_day(text: str) -> str:
    """A date, as RFC 3339 has it. Raises ValueError."""
    if not re.fullmatch(_DAY, text):
        raise ValueError("a date is wanted, as in 2026-11-29")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_is_moment)]
Day = Annotated[date, BeforeValidator(_is_day)]
After = Annotated[str | None, Query(max_length=MOST_NAME, description="`next` of the page before.")]
AfterPlace = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$", description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="The most that a page has.")]
FewOf = Annotated[int, Query(ge=1, le=20, description="The most that a page has, each of which may be long.")]
SubjectName = Annotated[
    str | None,
    Query(max_length=MOST_NAME, description="Only of this mailbox, by its address or id in Dynamics, or endpoint, by its id or subject."),
]


def subject_named(names: EstateNames, name: str) -> Mailbox | Endpoint:
    """The mailbox or the endpoint of the estate with this name. Raises RequestProblem."""
    subject = names.endpoint(name) or names.mailbox(name)
    if subject is None:
        raise RequestProblem(404, "the estate has no such mailbox or endpoint")
    return subject


def place_after(after: str | None) -> TimelinePlace | None:
    """The place in the history that a page ended at."""
    if after is None:
        return None
    at, row = map(int, after.split("-"))
    return at, row


def after_place(place: TimelinePlace) -> str:
    """The `after` of the page that follows a place in the history."""
    return f"{place[0]}-{place[1]}"
