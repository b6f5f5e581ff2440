"""What changed, as pages tell it: what befell many subjects alike is told once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from probe.document.telling.words import CITED_LIMIT, bounded
from probe.history import HistoryChange
from probe.history.telling import whose
from probe.model.values import dataclass

_TOGETHER = timedelta(minutes=10)
"""Within which the same change of several subjects is told as one."""


class ChangedPart(NamedTuple):
    """From what to what."""

    key: str
    before: Mapping[str, Any] | None
    """None where it is no longer kept."""
    after: Mapping[str, Any]


class FailingRule(NamedTuple):
    """Why a rule fails now."""

    rule: str
    about: str
    """Of what, and which key."""
    cited: Mapping[str, Any]
    """What was found of it, or why that is not known."""
    words: Sequence[str]
    """Off the wire."""


@dataclass(frozen=True, slots=True)
class ToldChange:
    """What changed at once, of one or of many subjects."""

    id: int
    at: datetime
    last_seen: datetime | None
    parts: Sequence[ChangedPart]
    words: Sequence[str]
    """Off the wire, that what was found now rests on."""
    reasons: Sequence[FailingRule]
    subjects: list[tuple[str, str | None]] = field(default_factory=list)
    is_whole: bool = True
    """Whether these are all; else it may have befallen further subjects, among changes that were not looked at."""


def told_changes(changes: Iterable[HistoryChange], *, newer: bool = False, older: bool = False) -> list[ToldChange]:
    """Changes, the newest first: the parts of one judgement together, and the same of several subjects as one.

    `newer` and `older`: whether there are such as well, which are not among them.
    """
    told: list[ToldChange] = []
    alike: dict[str, ToldChange] = {}
    at: list[datetime] = []
    for _, of_one in groupby(changes, key=lambda change: change.id):
        parts = list(of_one)
        first = parts[0]
        at.append(first.at)
        likeness = json.dumps([[part.key, part.before, part.after] for part in parts], sort_keys=True, default=str)
        before = alike.get(likeness)
        if before is None or before.at - first.at > _TOGETHER:
            before = alike[likeness] = _told(parts)
            told.append(before)
        before.subjects.append((first.subject, first.mailbox))

    def is_cut(one: ToldChange) -> bool:
        return (newer and at[0] - one.at <= _TOGETHER) or (older and one.at - at[-1] <= _TOGETHER)

    return [replace(one, is_whole=not is_cut(one)) for one in told]


def _told(parts: Sequence[HistoryChange]) -> ToldChange:
    first = parts[0]
    return ToldChange(
        id=first.id,
        at=first.at,
        last_seen=first.last_seen,
        parts=list(_parts(parts)),
        words=[bounded(str(word), CITED_LIMIT) for word in first.after.get("words", ())],
        reasons=list(_reasons(first.after.get("because", {}))),
    )


def _parts(parts: Sequence[HistoryChange]) -> Iterator[ChangedPart]:
    """What changed; a direction is told where its readiness changed otherwise than the whole."""
    whole = next(((part.before, part.after["value"]) for part in parts if part.key == "readiness"), None)
    for part in parts:
        as_the_whole = part.key.startswith("readiness.") and whole is not None and (part.before, part.after["value"]) == whole
        if not as_the_whole:
            yield ChangedPart(part.key, part.before, part.after)


def _reasons(because: Mapping[str, Any]) -> Iterator[FailingRule]:
    for rule, cited in because.items():
        for one in cited:
            words = [bounded(str(word), CITED_LIMIT) for word in one.get("words", ())]
            yield FailingRule(rule, f"{whose(one['subject'], one.get('mailbox'))}: {one['key']}", one, words)
