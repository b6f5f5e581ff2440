"""The models of what the API takes and gives, beside those of `probe/document/`. The OpenAPI description is generated from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from probe.document.forms import (
    AssessmentForm,
    AttemptForm,
    DeclaredFact,
    DirectionsForm,
    Form,
    InferredFact,
    MailboxForm,
    MissingForm,
    ObservedFact,
    RuleForm,
)
from probe.model.rules import Otherwise, Readiness, SignedIn, Support

AnyFactForm = Annotated[ObservedFact | DeclaredFact | InferredFact, Field(discriminator="basis")]


class HealthForm(Form):
    """How the service is."""

    status: str
    detail: str
    """One sentence."""


class ProblemForm(Form):
    """What went wrong with a request, as RFC 9457 has it."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str


class CountsForm(Form):
    """How many mailboxes have which verdict; one that no mailbox has is left out."""

    mailboxes: int
    support: dict[Support, int]
    readiness: dict[Readiness, int]


class ProfileCountsForm(CountsForm):
    """The same of one email server profile."""

    profile: str


class CauseForm(Form):
    """Mailboxes with one verdict for one cause."""

    support: Support
    readiness: Readiness
    cause: str
    """In words, with what was seen."""
    mailboxes: int
    first: tuple[str, ...]
    """Some of their addresses."""


class ComingForm(Form):
    """Something that begins to fail by itself on a day."""

    on: date
    rule: str
    otherwise: Otherwise
    words: str
    """The title of the rule with what was seen, and where."""
    endpoints: tuple[str, ...]
    """Their subjects."""
    mailboxes: int
    first: tuple[str, ...]
    """Some of their addresses."""
    remedy: str


class SummaryForm(CountsForm):
    """The estate in short."""

    deployment: str
    as_of: datetime
    """When the state was as it is told; of a large estate it may be some seconds old."""
    judged_at: date
    profiles: tuple[ProfileCountsForm, ...]
    worst: tuple[CauseForm, ...]
    """The most urgent first. Mailboxes that are supported and ready are not among them, nor those that are not assessed."""
    causes: int
    """How many there are, of which `worst` may be a part."""
    coming: tuple[ComingForm, ...]
    """What comes within 90 days, the earliest first."""
    coming_as_of: datetime | None
    """What was known then is the oldest that `coming` is worked out of; null as long as it is worked out of a part of the estate alone."""
    unjudged: int
    """How many further mailboxes are not judged yet since the service began. They are in no other count."""


class MailboxLineForm(Form):
    """A mailbox in short."""

    mailbox: str
    id: str | None
    """Its id in Dynamics."""
    profile: str
    support: Support
    readiness: Readiness
    signed_in: SignedIn | None
    directions: DirectionsForm
    fails: tuple[str, ...]
    """Rules that fail."""
    unknown: tuple[str, ...]
    """Rules of which it is not known whether they hold."""


class MailboxPageForm(Form):
    """Mailboxes by address."""

    mailboxes: tuple[MailboxLineForm, ...]
    total: int
    """How many there are on all pages."""
    next: str | None
    """`after` of the next page; null on the last one."""


class EndpointNameForm(Form):
    """An endpoint by its two names."""

    id: str
    subject: str


class ChangeForm(Form):
    """That something was found where before it something else was found."""

    id: int
    at: datetime
    """When it was first found so."""
    last_seen_before: datetime | None
    """When it was last found as before."""
    subject: str
    mailbox: str | None
    key: str
    """Of the vocabulary; `attempt:PROBER` for how attempts ended; of an assessment its part."""
    before: dict[str, JsonValue] | None
    """Null where it is no longer kept."""
    after: dict[str, JsonValue]


class ChangePageForm(Form):
    """Drift, the newest first."""

    changes: tuple[ChangeForm, ...]
    next: str | None
    """`after` of the next page; null on the last one."""


class MailboxDetailForm(Form):
    """A mailbox, with all that its verdict rests on."""

    mailbox: MailboxForm
    assessment: AssessmentForm
    endpoints: tuple[EndpointNameForm, ...]
    """Those that serve it: the incoming one, and the outgoing one where it is another."""
    rules: dict[str, RuleForm]
    facts: tuple[AnyFactForm, ...]
    missing: tuple[MissingForm, ...]
    attempts: tuple[AttemptForm, ...]
    timeline: tuple[ChangeForm, ...]
    """What drifted of it and its endpoints, the newest first."""
    since: datetime | None
    """Since when its verdict on support and on each direction is what it is, as far as that is kept."""


class LastLookForm(Form):
    """The last look at an endpoint."""

    at: datetime
    seconds: float
    """What the conversation took; 0 where it did not come to its end."""


class EndpointLineForm(EndpointNameForm):
    """An endpoint in short."""

    up: bool | None
    """Whether some conversation came to its end; null where none was held."""
    product: str | None
    certificate_ends: datetime | None
    last_look: LastLookForm | None
    mailboxes: int
    """How many mailboxes it serves."""


class EndpointPageForm(Form):
    """Endpoints by subject."""

    endpoints: tuple[EndpointLineForm, ...]
    total: int
    next: str | None
    """`after` of the next page; null on the last one."""


class LatencyForm(Form):
    """How long the looks of an hour or a day took, in milliseconds."""

    begins: datetime = Field(alias="from")
    span: Literal["hour", "day"]
    looks: int
    minimum: int
    median: int
    maximum: int


class EndpointDetailForm(EndpointLineForm):
    """An endpoint, with what is known of it: its posture, and its last attempts with transcripts. What is of single accounts there is not among it."""

    profiles: tuple[str, ...]
    facts: tuple[AnyFactForm, ...]
    missing: tuple[MissingForm, ...]
    attempts: tuple[AttemptForm, ...]
    timeline: tuple[ChangeForm, ...]
    latencies: tuple[LatencyForm, ...]
    """Of the last 14 days."""


class RuleDetailForm(RuleForm):
    """A rule, and what it looks at."""

    id: str
    needs: dict[Literal["deployment", "profile", "mailbox", "incoming", "outgoing"], tuple[str, ...]]
    """Keys of the vocabulary."""


class RuleListForm(Form):
    """Every rule."""

    rules: tuple[RuleDetailForm, ...]


class CheckRequestForm(Form):
    """What is to be checked: a mailbox, by its address or id in Dynamics, or an endpoint, by its id or subject. The estate names both."""

    model_config = ConfigDict(extra="forbid", defer_build=False, json_schema_extra={"minProperties": 1, "maxProperties": 1})

    mailbox: str = Field(default="", min_length=1, max_length=320)
    endpoint: str = Field(default="", min_length=1, max_length=2048)

    @model_validator(mode="after")
    def _is_one(self) -> CheckRequestForm:
        if len(self.model_fields_set) != 1:
            raise ValueError("name a mailbox or an endpoint, one of both")
        return self


class GateRequestForm(Form):
    """The mailbox of which the gate is asked."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    mailbox: str = Field(min_length=1, max_length=320)


class JobForm(Form):
    """Something that was asked for and is not there yet."""

    id: str
    state: Literal["waiting", "running"]
    place: str
    """The path where its result will be."""
