"""The models of the document `probe.gate/1`. Its JSON schema is generated from them.

`probe/data/probe.gate-1.schema.json` is a copy of `gate_schema_text()`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue, StrictBool

from probe.document.forms import Form
from probe.model.schemas import GATE_SCHEMA

Prediction = Literal["success", "failure", "unknown"]
ReportedWord = Literal["not-run", "success", "failure"]


class PredictedForm(Form):
    """What Test & Enable will report, by direction; null where server-side synchronization does not serve it."""

    incoming: Prediction | None
    outgoing: Prediction | None
    appointments: Prediction | None


class ReasonForm(Form):
    """A rule that decided."""

    rule: str
    """Its words stand in the run, under `rules`."""
    direction: Literal["incoming", "outgoing", "appointments"] | None
    """None of what decided support."""
    is_known: StrictBool
    """Whether it fails; else it is not known whether it holds."""


class DifferenceForm(Form):
    """What the estate and Dynamics say differently."""

    what: str
    estate: str
    dynamics: str
    mend: str
    """What makes the two agree: a command, or what somebody does in Dynamics."""


class WillForm(Form):
    """What Test & Enable will do; null is what could not be read of Dynamics."""

    sends_test_mail: StrictBool
    pending_send: int | None
    oldest_pending: datetime | None
    backlog: int | None
    backlog_since: datetime | None
    primary_organization: Literal["this", "other"] | None


class ReportedForm(Form):
    """What Dynamics reports, by direction; null where server-side synchronization does not serve it."""

    incoming: ReportedWord | None
    outgoing: ReportedWord | None
    appointments: ReportedWord | None


class AlertForm(Form):
    """An alert that Dynamics raised."""

    level: str | None
    """`information`, `warning`, `error`; the number of another."""
    code: int | None
    """As Dynamics gave it; what its numbers is not public."""
    text: str
    causes: tuple[str, ...]
    """Ids of the rules that may explain it; one where what the probe found picks it."""
    meaning: str | None
    """What it means where no rule sees that."""


class EnabledForm(Form):
    """What came of Test & Enable."""

    requested: datetime | None
    """Null where somebody else had asked for it."""
    scheduled_by_another: StrictBool
    finished: datetime | None
    """When it was seen to be done; null while it is pending."""
    state: Literal["done", "pending"]
    outcome: ReportedForm
    """While it is pending, `not-run` in every direction that is used."""
    alerts: tuple[AlertForm, ...]
    agrees: StrictBool | None
    """Whether all that was predicted came so; null where nothing was predicted, or nothing has come of it."""


class LastErrorForm(Form):
    """The error that Dynamics keeps of a mailbox."""

    text: str
    at: datetime | None
    causes: tuple[str, ...]
    """As of an alert."""
    meaning: str | None


class EnablingForm(Form):
    """How asking for Test & Enable went."""

    batch: str | None
    """As in the audit; null where nothing was asked for."""
    notes: tuple[str, ...]
    """Why it ended early, and what could not be read."""


class GatedMailboxForm(Form):
    """The answer for one mailbox."""

    mailbox: str
    answer: Literal["go", "no-go", "cannot-tell"]
    predicted: PredictedForm
    reasons: tuple[ReasonForm, ...]
    """One cause of each direction that is not predicted a success, then what decided support."""
    accepted: tuple[Literal["not-listed", "unsupported", "support-undetermined", "not-signed-in"], ...]
    """Words of the caller that were needed."""
    differs: tuple[DifferenceForm, ...]
    settle: tuple[str, ...]
    """Where it cannot be told: what would settle it, the first thing first."""
    will: WillForm
    last_error: LastErrorForm | None
    """Null where Dynamics keeps none, or a success came after it."""
    enabled: EnabledForm | None
    """Null where nothing was asked of Dynamics."""
    not_asked: str | None
    """With `--enable`, why Dynamics was not asked; else null."""


class ReadForm(Form):
    """What was read of Dynamics."""

    read: StrictBool
    why_not: str | None
    organization: str | None
    """Id and unique name."""
    version: str | None
    risk: str | None
    notes: tuple[str, ...]
    """What could not be read beside the rows."""
    machines: tuple[str, ...]
    """Those that Dynamics names as machines of its asynchronous service."""
    probed_from_there: StrictBool | None
    """Whether the machine that probed is one of them; null where Dynamics names none."""


class GateDocument(Form):
    """The gate's answer."""

    form: Literal["probe.gate/1"] = Field(alias="schema")
    run: dict[str, JsonValue]
    """A document `probe.run/2`."""
    dynamics: ReadForm
    enabling: EnablingForm | None
    """Null without `--enable`."""
    mailboxes: tuple[GatedMailboxForm, ...]


def gate_schema() -> dict[str, Any]:
    """JSON Schema of the document."""
    form = GateDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **form, "title": GATE_SCHEMA}


def gate_schema_text() -> str:
    """The schema as text, as in `probe/data/probe.gate-1.schema.json`."""
    return json.dumps(gate_schema(), indent=2) + "\n"
