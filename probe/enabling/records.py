"""What Dynamics was asked of a mailbox before, and what came of it: `audit.jsonl` and `gate.sqlite`, read by whoever looks back. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from probe.enabling.audit import kept_lines
from probe.enabling.books import Books, ComparedDirection
from probe.enabling.outcomes import retold
from probe.memory import Folder
from probe.model.kinds import Json
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnablingRecord:
    """One time that Dynamics was asked for Test & Enable of a mailbox, or found to have been asked by somebody else."""

    at: datetime
    who: str
    host: str
    mailbox: str
    id: str
    """Of the mailbox, in Dynamics."""
    organization: str
    batch: str
    ticket: str | None
    accepted: tuple[str, ...]
    predicted: Mapping[str, str | None]
    """By direction."""
    answered: str | None = None
    """What is known right after it was asked for, as `course.Answered`; None where the process ended before it knew."""
    detail: str = ""
    enabled: Mapping[str, Json] | None = None
    """What came of it, as in `probe.gate/1`; None where nothing is known of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnablingPast:
    """What is kept of a mailbox, the newest first."""

    records: tuple[EnablingRecord, ...] = ()
    comparisons: tuple[ComparedDirection, ...] = ()


def past_of_mailbox(folder: Folder, organization: str | None, address: str) -> EnablingPast:
    """What the files of a folder have of a mailbox, in an organization (its id) or in any. Raises MemoryUnavailable."""
    name = address.casefold()
    records = [one for one in _records(folder) if one.mailbox.casefold() == name and organization in (None, one.organization)]
    compared = Books(folder).comparisons(organization) if folder.holds(Books.NAME) else ()
    return EnablingPast(records=tuple(reversed(records)), comparisons=tuple(one for one in compared if one.mailbox.casefold() == name))


def _records(folder: Folder) -> Sequence[EnablingRecord]:
    """All records, the oldest first."""
    found: list[EnablingRecord] = []
    place_of: dict[tuple[str, str], int] = {}
    for line in kept_lines(folder):
        if "id" not in line:
            continue  # what a crash tore
        key = (str(line["batch"]), str(line["id"]))
        if "predicted" in line:
            place_of[key] = len(found)
            found.append(_begun(line))
        elif key in place_of:
            place = place_of[key]
            found[place] = _continued(found[place], line)
    return found


def _begun(line: Mapping[str, Any]) -> EnablingRecord:
    return EnablingRecord(
        at=datetime.fromisoformat(line["at"]),
        who=line["who"],
        host=line["host"],
        mailbox=line["mailbox"],
        id=str(line["id"]),
        organization=line["organization"],
        batch=line["batch"],
        ticket=line.get("ticket"),
        accepted=tuple(line.get("accepted", ())),
        predicted=line["predicted"],
        answered=line.get("answered"),
    )


def _continued(record: EnablingRecord, line: Mapping[str, Any]) -> EnablingRecord:
    if "outcome" in line:
        return replace(record, enabled=retold(line))
    return replace(record, answered=line["answered"], detail=line.get("detail", ""))
