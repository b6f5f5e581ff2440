"""What Dynamics was asked of a mailbox before, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from probe.document.telling.words import CITED_LIMIT, bounded, count
from probe.enabling.course import Answered
from probe.enabling.outcomes import time_form
from probe.enabling.requests import EnablingPast, RecordedRequest
from probe.model.characters import visible
from probe.model.kinds import Json

_WITHOUT_OUTCOME: Mapping[str | None, str] = {
    None: "the program ended before it knew whether Dynamics took it",
    Answered.SENT: "Dynamics took it; its outcome is not known here",
    Answered.SCHEDULED: "somebody else had asked already; its outcome is not known here",
    Answered.UNKNOWN: "whether Dynamics took it is not known",
}


def past_as_json(past: EnablingPast) -> dict[str, Json]:
    """The keys of the past, for a document."""
    return {
        "test_and_enable": [
            {
                "at": time_form(one.at),
                "who": one.who,
                "host": one.host,
                "organization": one.organization,
                "id": one.id,
                "batch": one.batch,
                "ticket": one.ticket,
                "accepted": [*one.accepted],
                "predicted": {**one.predicted},
                "answered": one.answered,
                "detail": one.detail,
                "enabled": one.form,
            }
            for one in past.requests
        ],
        "predictions": [
            {"direction": one.direction, "at": one.at, "predicted": one.predicted, "outcome": one.outcome} for one in past.comparisons
        ],
    }


def past_lines(past: EnablingPast) -> Iterator[str]:
    """What was asked for and what came of it, the newest first; how predictions came out."""
    if past.requests or past.comparisons:
        yield "Test & Enable"
        for one in past.requests:
            yield from _record_lines(one)
        if decided := [one.agrees for one in past.comparisons if one.agrees is not None]:
            yield f"  {sum(decided)} of {count(len(decided), 'direction', 'directions')} came as predicted"
        yield ""


def _record_lines(one: RecordedRequest) -> Iterator[str]:
    beside = [
        *((f"ticket {_shown(one.ticket)}",) if one.ticket else ()),
        *((f"accepted: {', '.join(one.accepted)}",) if one.accepted else ()),
    ]
    verb = "found asked for already by" if one.answered == Answered.SCHEDULED else "asked for by"
    yield f"  {_minute(one.at)}  {verb} {_shown(one.who)} on {_shown(one.host)}" + (f" ({'; '.join(beside)})" if beside else "")
    yield f"    predicted  {_directions(one.predicted)}"
    if (outcome := one.past.outcome) is None:
        yield f"    came       {_shown(one.not_asked or _WITHOUT_OUTCOME.get(one.answered, 'its outcome is not known here'))}"
        return
    finished = f" ({_minute(datetime.fromisoformat(outcome['finished']))})" if outcome["finished"] else ""
    yield f"    came       {_directions(outcome['outcome'])}{finished}"
    for alert in outcome["alerts"]:
        causes = f" (it may be {', '.join(alert['causes'])}: see probe rules ID)" if alert["causes"] else ""
        yield f"    {alert['level'] or 'alert':<9}  {_shown(alert['text'])}{causes}"


def _directions(by_direction: Mapping[str, str | None]) -> str:
    return ", ".join(f"{direction} {how}" for direction, how in by_direction.items() if how is not None) or "nothing"


def _shown(text: str) -> str:
    """What a person or Dynamics wrote, as a part of one line."""
    return bounded(visible(text), CITED_LIMIT)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
