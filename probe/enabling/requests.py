"""What the audit has of each request for Test & Enable: enough to tell of it after a restart, and years later. Pure in its lines, but for `past_of_mailbox`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from probe.enabling.audit import kept_lines
from probe.enabling.books import LIFETIME, Books, ComparedDirection
from probe.enabling.course import Answered, Past, past_of
from probe.enabling.outcomes import ByDirection, pending_form, retold
from probe.memory import Folder, MemoryUnavailable
from probe.model.kinds import Json
from probe.model.values import dataclass

PAGE_BATCH = "page-"
"""What the name of a batch of the page begins with; the id of what was asked for there follows. It is of one mailbox."""
_NOT_ASKED: Mapping[str, str] = {
    Answered.REFUSED: "Dynamics was not asked, or did not take it",
    Answered.NOT_SENT: "the request did not reach Dynamics: its row did not change for a minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request for Test & Enable of one mailbox, as far as the audit has it."""

    batch: str
    id: str
    """The mailbox's, in Dynamics."""
    mailbox: str
    """Its address."""
    organization: str
    """The id of the organization that was asked."""
    who: str
    host: str
    ticket: str | None
    accepted: tuple[str, ...]
    at: datetime
    """When it was written down, which is just before it leaves."""
    past: Past
    answered: str | None
    """What is known right after it was asked for, as `Answered`; None where the process ended before it knew."""
    detail: str
    not_asked: str | None
    """Why nothing is under way; None where something is, or has its outcome."""

    @property
    def predicted(self) -> ByDirection:
        return self.past.predicted

    @property
    def form(self) -> dict[str, Json] | None:
        """What came of it, as the document `probe.gate/1` has it: pending where that is not known yet; None where Dynamics was not asked."""
        if self.past.outcome is not None:
            return retold(self.past.outcome)
        return None if self.past.asked is None else pending_form(self.past.asked)

    def is_left(self, now: datetime) -> bool:
        """Whether it has no outcome, and may have one: as long as a batch is open."""
        return self.past.asked is not None and now - self.at < LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class EnablingPast:
    """What is kept of a mailbox, the newest first."""

    requests: tuple[RecordedRequest, ...] = ()
    comparisons: tuple[ComparedDirection, ...] = ()


def requests_of(lines: Iterable[Mapping[str, Any]]) -> list[RecordedRequest]:
    """The requests, the oldest first. What was asked for again in the same batch is one. Raises MemoryUnavailable for lines that are none of the audit's."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    try:
        for line in lines:
            if "batch" in line:
                found.setdefault((line["batch"], str(line["id"])), []).append(line)
        return [_request_of(batch, of_it) for (batch, _), of_it in found.items()]
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise MemoryUnavailable(
            f"the audit has a line that this version does not write ({type(wrong).__name__}: {wrong}): set it right"
        ) from None


def page_requests(lines: Iterable[Mapping[str, Any]]) -> dict[str, RecordedRequest]:
    """The requests of the page, by what follows `PAGE_BATCH` in the name of their batch, the oldest first."""
    found: dict[str, RecordedRequest] = {}
    for request in requests_of(line for line in lines if str(line.get("batch", "")).startswith(PAGE_BATCH)):
        # The command line may have taken the batch up, with further mailboxes.
        found.setdefault(request.batch.removeprefix(PAGE_BATCH), request)
    return found


def past_of_mailbox(folder: Folder, organization: str | None, address: str) -> EnablingPast:
    """What the state folder has of a mailbox, in an organization (its id) or in any. Raises MemoryUnavailable."""
    name = address.casefold()
    of_it = [one for one in requests_of(kept_lines(folder)) if one.mailbox.casefold() == name and organization in (None, one.organization)]
    compared = Books(folder).comparisons(organization) if folder.holds(Books.NAME) else ()
    return EnablingPast(requests=tuple(reversed(of_it)), comparisons=tuple(one for one in compared if one.mailbox.casefold() == name))


def _request_of(batch: str, lines: list[Mapping[str, Any]]) -> RecordedRequest:
    first = lines[0]
    past = past_of(lines, batch)[str(first["id"])]
    # Asked for again in the same batch: what came of the time before counts no more.
    again = max((place for place, line in enumerate(lines) if "predicted" in line and "answered" not in line), default=0)
    last: Mapping[str, Any] = next((line for line in reversed(lines[again:]) if "answered" in line), {})
    answered, detail = last.get("answered"), last.get("detail", "")
    why = _NOT_ASKED.get(answered or "") if past.asked is None and past.outcome is None else None
    return RecordedRequest(
        batch=batch,
        id=str(first["id"]),
        mailbox=first["mailbox"],
        organization=first["organization"],
        who=first["who"],
        host=first["host"],
        ticket=first.get("ticket"),
        accepted=tuple(first.get("accepted", ())),
        at=datetime.fromisoformat(first["at"]),
        past=past,
        answered=answered,
        detail=detail,
        not_asked=f"{why}: {detail}" if why is not None and detail else why,
    )
