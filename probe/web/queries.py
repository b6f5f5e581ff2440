"""What the queries of several routes have in common: pages of lists, moments and days, names of the estate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, BeforeValidator

from probe.history import History, HistoryChange, TimelinePlace
from probe.model.estate import Endpoint, Mailbox
from probe.web.problems import RequestProblem
from probe.web.state import MOST_NAME, EstateNames

_DAY = r"\d{4}-\d\d-\d\d"
_MOMENT = re.compile(rf"{_DAY}[Tt]\d\d:\d\d:\d\d(\.\d{{1,9}})?([Zz]|[+-]\d\d:\d\d)")


def _is_moment(text: str) -> str:
    """A date and time with its zone, as RFC 3339 has it. Raises ValueError."""
    text = text.replace(" ", "+")  # what is left of the + of a zone that was not written as %2B
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
_NEXT = "`next` of the page before; that of the first page is empty, or left out."
After = Annotated[str | None, Query(max_length=MOST_NAME, description=_NEXT)]
AfterPlace = Annotated[str | None, Query(pattern=r"^([0-9]{1,18}-[0-9]{1,18})?$", description=_NEXT)]
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
    if not after:
        return None
    at, row = map(int, after.split("-"))
    return at, row


def after_place(place: TimelinePlace) -> str:
    """The `after` of the page that follows a place in the history."""
    return f"{place[0]}-{place[1]}"


async def page_of_changes(
    history: History, after: TimelinePlace | None, limit: int, **wanted: Any
) -> tuple[Sequence[HistoryChange], str | None]:
    """The changes of so many intervals that follow a place, and the `after` of the next page where there are more; `wanted` as of `timelines.changes`."""
    # One more than wanted tells whether there is another page; several changes may be of one interval.
    changes = await history.changes(after=after, limit=limit + 1, **wanted)
    places = [*dict.fromkeys(change.place for change in changes)]
    if len(places) <= limit:
        return changes, None
    return [change for change in changes if change.place in places[:limit]], after_place(places[limit - 1])
