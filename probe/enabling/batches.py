"""The batch that an earlier process left open: what of it is done, and what is still to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probe.enabling.audit import Audit
from probe.enabling.books import Batch, Books, ComparedDirection
from probe.enabling.course import Past, past_of
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBatch:
    """A batch of which some mailboxes have no outcome yet, or nobody has been told of them."""

    batch: Batch
    past: Mapping[str, Past]
    """What the audit has of its mailboxes, by id."""

    @property
    def left(self) -> tuple[str, ...]:
        """The addresses of those that have no outcome."""
        return tuple(address for identifier, address in self.batch.members.items() if not _is_done(self.past.get(identifier)))


def open_batch(audit: Audit, books: Books, organization: str, now: datetime) -> OpenBatch | None:
    """The open batch of an organization, None where there is none. Raises MemoryUnavailable.

    What a process that was killed did not get to write into the books is written now.
    """
    batch = books.latest(organization, now)
    if batch is None:
        return None
    found = OpenBatch(batch=batch, past=past_of(audit.lines(), batch.id))
    for identifier, past in found.past.items():
        if past.outcome is not None:
            books.compare(batch.id, organization, identifier, comparisons(past.outcome["mailbox"], past.predicted, past.outcome))
    return found


def close_told(audit: Audit, books: Books, organization: str, now: datetime) -> None:
    """Close the open batch of an organization where each of its mailboxes has an outcome: once these have been told, nobody needs to take it up.

    A process that is killed before that leaves it open, so that the next one tells them, and asks for nothing again.
    """
    found = open_batch(audit, books, organization, now)
    if found is not None and not found.left:
        books.leave_batch(found.batch.id)


def comparisons(mailbox: str, predicted: Mapping[str, str | None], form: Mapping[str, Any]) -> list[ComparedDirection]:
    """What was predicted of each direction that is used, beside what Dynamics reported. `form` is what came of it, as the audit has it."""
    return [
        ComparedDirection(mailbox=mailbox, direction=direction, at=form["finished"], predicted=how, outcome=form["outcome"][direction])
        for direction, how in predicted.items()
        if how is not None
    ]


def _is_done(past: Past | None) -> bool:
    return past is not None and past.outcome is not None
