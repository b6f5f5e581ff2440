"""The models of what the API tells of what goes on: what was asked for and came of it, runs that are kept, the schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from probe.document.forms import Form
from probe.document.gate_forms import EnabledForm, PredictedForm


class AskedForForm(Form):
    """Something that somebody asked for."""

    id: str
    kind: Literal["check", "gate", "enable"]
    subject: str
    """Address of a mailbox, or subject of an endpoint."""
    who: str
    asked_at: datetime
    state: Literal["waiting", "running", "done", "failed", "pending"]
    """`pending`: Dynamics was asked, and what came of it is looked for."""
    news: str
    """How far it is, or why it failed; empty where that is not told."""
    place: str | None
    """The path where its result is, or will be; null where there is none."""


class AskedForListForm(Form):
    """What was asked for: what waits or goes on, then what ended within the hour, each the last that was asked for first."""

    jobs: tuple[AskedForForm, ...]
    unread: str | None
    """Why it is not known what Dynamics was asked for by a service before this one; null where it is."""


class UnderWayForm(Form):
    """Something that the schedule has done now."""

    kind: str
    """The key of `[schedule]` by which it is done."""
    subject: str
    """Of an endpoint, address of a mailbox, or `deployment`."""
    since: datetime


class ScheduleForm(Form):
    """How the schedule is kept, and what it has done now."""

    ready: bool
    """Whether it is kept, as `/readyz` tells."""
    detail: str
    """One sentence."""
    lag_seconds: int
    """How late the latest is that is due."""
    under_way: tuple[UnderWayForm, ...]
    """The longest first."""


class KeptRunForm(Form):
    """A whole run that is kept."""

    id: str
    finished: datetime
    place: str
    """The path of its document."""


class KeptRunPageForm(Form):
    """Runs that somebody asked for, the newest first."""

    runs: tuple[KeptRunForm, ...]
    next: str | None
    """`after` of the next page; null on the last one."""


class AskedEnablingForm(Form):
    """Test & Enable of one mailbox, as somebody asked for it on a page, and what came of it beside what was predicted."""

    id: str
    mailbox: str
    who: str
    asked_at: datetime | None
    """When Dynamics was asked; null where it was not, or not yet."""
    goes_on: bool
    """Whether more may be known soon."""
    news: str
    """How far it is; empty where that is not told."""
    failure: str
    """Why it ended early; empty where it did not."""
    not_asked: str | None
    """Why Dynamics was not asked; null where it was, or is yet to be."""
    notes: tuple[str, ...]
    predicted: PredictedForm
    """What the gate had predicted; null in every direction where nothing is recorded."""
    enabled: EnabledForm | None
    """What came of it; null as long as Dynamics was not asked."""
    unread: str | None
    """Why the audit, which may know more, cannot be read; null where it can."""
