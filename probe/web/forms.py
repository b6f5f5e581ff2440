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
    LineForm,
    MailboxForm,
    MissingForm,
    ObservedFact,
    ProfileForm,
    RuleForm,
)
from probe.model.attempts import Outcome
from probe.model.endpoints import MOST_URL_BYTES
from probe.model.rules import Otherwise, Readiness, Result, SignedIn, Support

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

    id: str
    """The same for the same cause; `cause` of `/v1/mailboxes` takes it."""
    support: Support
    readiness: Readiness
    cause: str
    """In words, with what was seen."""
    mailboxes: int
    first: tuple[str, ...]
    """Some of their addresses."""


CauseStatus = Literal["not-ready", "unknown", "unsupported", "not-listed", "ready", "not-served", "advice"]
"""What a verdict comes to; `advice`, which mailboxes of any verdict may have, decides nothing."""


class CauseLineForm(Form):
    """Mailboxes with one cause: a line of the estate's page."""

    id: str
    """The same for the same cause; `cause` of `/v1/mailboxes` takes it."""
    status: CauseStatus
    cause: str
    """In words, with what was seen."""
    mailboxes: int
    first: tuple[str, ...]
    """Some of their addresses."""
    step: str
    """What to do first, of the first of them; empty where all is well, and of advice."""


class CausePageForm(Form):
    """Every cause, the most urgent first; within one urgency by `id`, an order that stays while numbers change. Advice comes last."""

    causes: tuple[CauseLineForm, ...]
    total: int
    """How many there are on all pages."""
    next: str | None
    """`after` of the next page; null on the last one."""


class ComingForm(Form):
    """Something that begins to fail by itself on a day."""

    id: str
    """The same for the same thing on the same day; `coming` of `/v1/mailboxes` takes it."""
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


class ComingPageForm(Form):
    """What comes within two years, the earliest first."""

    coming: tuple[ComingForm, ...]
    total: int
    """How many there are on all pages."""
    next: str | None
    """`after` of the next page; null on the last one."""
    begins: date = Field(alias="from")
    """The day after which it comes: that for which the estate is judged."""
    until: date
    as_of: datetime | None
    """What was known then is the oldest that it is worked out of; null as long as it is worked out of a part of the estate alone."""
    worked_out: int
    """Of how many parts of the estate it is worked out."""
    parts: int
    unseen: int
    """Of how many endpoints it is not known when their certificate, or its chain, ends; `/v1/coming/unseen` names them."""


class UnseenForm(Form):
    """An endpoint of which it is not known when its certificate, or its chain, ends."""

    endpoint: str
    """Its subject."""
    because: str


class UnseenPageForm(Form):
    """Endpoints of which it is not known when their certificate, or its chain, ends, by subject."""

    unseen: tuple[UnseenForm, ...]
    total: int
    """How many there are on all pages."""
    next: str | None
    """`after` of the next page; null on the last one."""
    as_of: datetime | None
    """What was known then is the oldest that it is worked out of; null as long as it is worked out of a part of the estate alone."""
    worked_out: int
    """Of how many parts of the estate it is worked out."""
    parts: int


class SummaryForm(CountsForm):
    """The estate in short."""

    deployment: str
    as_of: datetime
    """When the state was as it is told; of a large estate it may be some seconds old."""
    judged_at: date
    host: str = Field(alias="from")
    """The machine from which it is looked at."""
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


class EndingForm(Form):
    """How a provider ended something."""

    says: str
    source: str
    """The URL of its page."""


class ExplanationForm(Form):
    """Something that decided a verdict, or that is advised."""

    answer: Literal["no", "unknown", "advice"]
    rules: tuple[str, ...]
    """One; several of which it is unknown for one reason whether they hold."""
    because: str
    """Why it is not known, in words; empty where it is."""
    follows_from: str | None
    """The rule that fails too, and whose remedy is the remedy of this one."""
    also_not_listed: tuple[str, ...]
    """Further rules that the same facts decided."""
    settles: tuple[str, ...]
    """What would settle it, a sentence each; empty where it is known."""
    remedy: str
    """With the estate's names in place; of what is unknown, what to do if it is so. Empty where there is none of its own."""
    commands: tuple[str, ...]
    """Those of the remedy, to be pasted."""
    endings: tuple[EndingForm, ...]
    """What providers say of what they do not offer any more."""


class VerdictForm(Form):
    """Why a mailbox has its verdict, as its page and `probe check` tell it."""

    status: CauseStatus
    words: str
    """Both verdicts, the more urgent one in capitals."""
    cause: str
    """The id of its cause, as of `/v1/causes`."""
    explanations: tuple[ExplanationForm, ...]
    """The most urgent first, advice last."""
    by_default: tuple[str, ...]
    """Verdicts that nothing decided, a sentence each."""
    by_direction: dict[Literal["incoming", "outgoing", "appointments"], dict[str, Result]]
    """What came of each rule for each direction that is served, where the rule is asked of directions."""


class SignInForm(Form):
    """The sign-ins of a mailbox's account. Its age is the `Date` of the answer less `at`."""

    at: datetime | None
    """When it signed in last and found what is told here; null where that is not known."""
    next: datetime | None
    """When it does so next by the schedule, if nothing delays it; null where it does not."""


class MailboxDetailForm(Form):
    """A mailbox, with all that its verdict rests on."""

    mailbox: MailboxForm
    profile: ProfileForm
    assessment: AssessmentForm
    endpoints: tuple[EndpointNameForm, ...]
    """Those that serve it: the incoming one, and the outgoing one where it is another."""
    rules: dict[str, RuleForm]
    facts: tuple[AnyFactForm, ...]
    missing: tuple[MissingForm, ...]
    attempts: tuple[AttemptForm, ...]
    elsewhere: dict[str, str]
    """Attempts that facts cite and that are of other accounts: by id, the path of the answer that has each."""
    timeline: tuple[ChangeForm, ...]
    """What drifted of it and its endpoints, the newest first."""
    since: datetime | None
    """Since when its verdict on support and on each direction is what it is, as far as that is kept."""
    verdict: VerdictForm
    sign_in: SignInForm


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
    elsewhere: dict[str, str]
    """Attempts that facts cite and that are of other accounts: by id, the path of the answer that has each."""
    timeline: tuple[ChangeForm, ...]
    latencies: tuple[LatencyForm, ...]
    """Of the last 14 days."""


class TranscriptForm(Form):
    """A conversation in which something changed, or that failed."""

    at: datetime
    prober: str
    mailbox: str | None
    """Whose account it was held for; null where it was held for everybody."""
    outcome: Outcome
    transcript: tuple[LineForm, ...]


class TranscriptPageForm(Form):
    """Conversations with one endpoint, the newest first."""

    transcripts: tuple[TranscriptForm, ...]
    next: str | None
    """`after` of the next page; null on the last one."""


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
    endpoint: str = Field(default="", min_length=1, max_length=MOST_URL_BYTES)

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
