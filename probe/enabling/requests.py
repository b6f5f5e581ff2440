"""What the audit has of requests that each have a batch of their own, as those of the page do: enough to tell of them after a restart. Pure in its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from probe.enabling.books import LIFETIME
from probe.enabling.course import Answered, Past, past_of
from probe.enabling.outcomes import ByDirection, pending_form, retold
from probe.model.kinds import Json
from probe.model.values import dataclass

PAGE_BATCH = "page-"
"""What the name of a batch of the page begins with; the id of what was asked for there follows. It is of one mailbox."""
_NOT_ASKED = {
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
    at: datetime
    """When it was written down, which is just before it leaves."""
    past: Past
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


def requests_of(lines: Iterable[Mapping[str, Any]]) -> dict[str, RecordedRequest]:
    """The requests of the page, by what follows `PAGE_BATCH` in the name of their batch, the oldest first."""
    by_batch: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        if str(line.get("batch", "")).startswith(PAGE_BATCH):
            by_batch.setdefault(line["batch"], []).append(line)
    return {batch.removeprefix(PAGE_BATCH): _request_of(batch, of_it) for batch, of_it in by_batch.items()}


def _request_of(batch: str, lines: list[Mapping[str, Any]]) -> RecordedRequest:
    first = lines[0]
    # The command line may have taken the batch up, with further mailboxes.
    own = [line for line in lines if line["id"] == first["id"]]
    past = past_of(own, batch)[str(first["id"])]
    answered: Mapping[str, Any] = next((line for line in reversed(own) if "answered" in line), {})
    why = _NOT_ASKED.get(answered.get("answered", "")) if past.asked is None and past.outcome is None else None
    return RecordedRequest(
        batch=batch,
        id=str(first["id"]),
        mailbox=first["mailbox"],
        organization=first["organization"],
        who=first["who"],
        at=datetime.fromisoformat(first["at"]),
        past=past,
        not_asked=f"{why}: {answered['detail']}" if why is not None and "detail" in answered else why,
    )
