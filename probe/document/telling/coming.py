"""What comes: what begins to fail by itself, on which day, as reports and pages are handed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from probe.model.rules import Otherwise
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Something that begins to fail on a day."""

    day: date
    rule: str
    title: str
    otherwise: Otherwise
    """What the failure means for the mailboxes."""
    words: str
    """The title with what was seen, and where."""
    endpoints: tuple[str, ...]
    subjects: tuple[str, ...]
    """What it befalls, as `subjects_of` has it of a failure."""
    remedy: str
    """With the estate's names, for the first mailbox."""
    mailboxes: tuple[str, ...]


class Unseen(NamedTuple):
    """An endpoint of which it is not known when its certificate or its chain ends, with the reason."""

    endpoint: str
    because: str


class Outlook(NamedTuple):
    """What comes for the mailboxes of a run."""

    start: date
    """The day for which the run was judged."""
    until: date
    coming: Sequence[Coming]
    """The earliest first."""
    unseen: Sequence[Unseen]
