"""The models of the document. They read it back, and its JSON schema is generated from them.

`probe/data/probe.run-2.schema.json` is a copy of `schema_text()`.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool

from probe.model.attempts import Outcome
from probe.model.estate import Authentication, Cloud, Credentials, Delivery, DeploymentKind, Effect, Location, ServerType
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.kinds import Json
from probe.model.rules import By, Direction, Otherwise, Readiness, Result, SignedIn, Support
from probe.model.schemas import RUN_SCHEMA
from probe.model.vocabulary import all_keys


class Form(BaseModel):
    """A part of the document."""

    # Unknown fields are allowed: a later version of this program may add some, and its documents must still be readable.
    # Validators are built when something is first read, so that publishing a run does not wait for them.
    model_config = ConfigDict(extra="ignore", frozen=True, serialize_by_alias=True, defer_build=True)


class DeploymentForm(Form):
    """The Dynamics organization."""

    name: str
    kind: DeploymentKind
    version: str
    runs_on: str
    fips: StrictBool
    mass_email: StrictBool
    custom_email_providers: StrictBool
    outlook_on_the_web_tracking: StrictBool
    outlook_manual_tracking: StrictBool
    allow: tuple[Effect, ...]
    authorities: tuple[str, ...]
    cloud: Cloud
    service_account: str | None = None
    """Null where the estate does not declare it."""


class DynamicsForm(Form):
    """Access to Dynamics' own records, without the secret and its location."""

    url: str
    authentication: Authentication
    username: str | None
    has_credentials: bool
    """Whether the estate refers to its secret."""
    token_url: str | None
    client_id: str | None
    organization: str | None
    """Id and unique name of the organization that the estate is bound to."""
    ca: str | None
    plain_http: bool


class ProfileForm(Form):
    """An email server profile, without its secrets and their locations."""

    name: str
    server_type: ServerType
    incoming: str | None
    """Null where Autodiscover finds it for each mailbox."""
    outgoing: str | None
    autodiscover: StrictBool
    authentication: Authentication
    credentials: Credentials
    impersonation: StrictBool
    product: str | None
    outgoing_product: str | None
    username: str | None
    has_credentials: StrictBool
    """Whether the estate refers to its secret."""
    client_id: str | None
    tenant: str | None
    can_ask_as_application: StrictBool
    """Whether the estate refers to the application's secret or certificate."""
    fips_validated: str | None
    outgoing_authentication: Authentication | None = None
    """Null where the outgoing endpoint uses the setting of the incoming one; likewise the following."""
    outgoing_credentials: Credentials | None = None
    outgoing_impersonation: StrictBool | None = None
    outgoing_username: str | None = None
    has_outgoing_credentials: StrictBool = False
    """Whether the estate refers to the secret of that account."""
    outgoing_fips_validated: str | None = None
    password_ends: date | None = None
    """Null where the estate does not declare it."""


class MailboxForm(Form):
    """A Dynamics mailbox, without its secret and the secret's location."""

    address: str
    profile: str
    incoming: Delivery
    outgoing: Delivery
    appointments: Delivery
    username: str | None
    has_credentials: StrictBool
    """Whether the estate refers to its secret."""
    location: Location | None
    mfa: StrictBool | None
    ews_url: str | None = None
    """The EWS endpoint that Autodiscover found for it."""
    id: str | None = None
    """Its id in Dynamics."""


class EstateForm(Form):
    """All that the operator declares."""

    deployment: DeploymentForm
    profiles: tuple[ProfileForm, ...]
    mailboxes: tuple[MailboxForm, ...]
    dynamics: DynamicsForm | None = None
    """Null where the estate does not declare it."""


class LineForm(Form):
    """One line of a conversation. A note describes an event instead of sent or received text."""

    line: int
    speaker: Literal["probe", "peer", "note"] = Field(alias="from")
    text: str


class AskedForm(Form):
    """What was asked for."""

    mailboxes: tuple[str, ...] | None
    """Null for every mailbox of the estate."""
    tls: Literal["quick", "full", "none"]
    fips: str
    """The client whose FIPS mode was tested."""
    allow: tuple[Effect, ...]
    """Effects that the call allowed in addition to those of the estate."""
    all_addresses: StrictBool


class AttemptForm(Form):
    """One prober tried on one endpoint."""

    id: str
    prober: str
    subject: str
    mailbox: str | None
    address: str | None
    outcome: Outcome
    detail: str
    connections: int
    at: datetime
    """When it began."""
    seconds: float
    transcript: tuple[LineForm, ...]


class EvidenceForm(Form):
    """The words that support a fact."""

    attempt: str
    line: int
    excerpt: str


class _FactForm(Form):
    subject: str
    mailbox: str | None
    key: str
    value: JsonValue
    attempt: str | None
    evidence: tuple[EvidenceForm, ...]
    at: datetime


class _Observed(Form):
    basis: Literal["observed"]


class _Declared(Form):
    basis: Literal["declared"]
    by: Literal["peer", "operator", "dynamics"]


class _Inferred(Form):
    basis: Literal["inferred"]
    inference: str
    premises: tuple[str, ...]


class _Identified(Form):
    id: str
    """The id by which findings cite it; unique in the document."""


class ObservedClaim(_Observed, _FactForm):
    """An observation that contradicts other claims."""


class DeclaredClaim(_Declared, _FactForm):
    """A declaration that contradicts other claims."""


class InferredClaim(_Inferred, _FactForm):
    """A conclusion that contradicts other claims."""


class ObservedFact(_Observed, _FactForm, _Identified):
    """A fact that the program observed by taking part: a handshake, an executed command."""


class DeclaredFact(_Declared, _FactForm, _Identified):
    """A fact that somebody declared: a banner, the estate."""


class InferredFact(_Inferred, _FactForm, _Identified):
    """A fact that was concluded from others."""


class MissingForm(_Identified):
    """A value that is not known, and the reason."""

    subject: str
    mailbox: str | None
    key: str
    why: Why
    detail: str
    claims: tuple[Annotated[ObservedClaim | DeclaredClaim | InferredClaim, Field(discriminator="basis")], ...]
    """The claim of each source, where sources contradict each other."""
    at: datetime


class ReferenceForm(Form):
    """The source of a statement."""

    title: str
    url: str
    dated: str
    disagrees: StrictBool = False
    """Whether it contradicts the first of the rule's references."""


class RuleForm(Form):
    """The texts of one rule."""

    title: str
    by: By
    """The author of the statement."""
    lists: StrictBool
    """Whether it is a row of the support table."""
    otherwise: Otherwise
    statement: str
    references: tuple[ReferenceForm, ...]
    remedy: str


class FindingForm(Form):
    """The result of one rule for one mailbox, with the ids of the readings that decided it. Rules that are not applicable are left out."""

    rule: str
    result: Result
    because: tuple[str, ...]
    directions: dict[Direction, Result | None] = {}
    """Of a rule of readiness, what came of it in those directions where that is not `result`; null where nothing is drawn from it there."""


class DirectionsForm(Form):
    """Readiness of each direction; null where server-side synchronization does not serve it."""

    incoming: Readiness | None
    outgoing: Readiness | None
    appointments: Readiness | None


class AssessmentForm(Form):
    """The findings of a mailbox, drawn together."""

    mailbox: str
    profile: str
    support: Support
    readiness: Readiness
    signed_in: SignedIn | None
    """The result of signing in, the worst over the endpoints that are used; null where none is used."""
    directions: DirectionsForm
    findings: tuple[FindingForm, ...]


class Document(Form):
    """One run of probe: what was asked for, the attempts, what is known, and the assessments.

    For each key there is one fact for a subject and mailbox, or one entry in `missing`. Sources that agree are one fact with the
    evidence of all; its value is the one that tells most, as the longer of two builds. Observed is preferred to declared, and
    declared to inferred, which is then left out. Sources that contradict each other make no fact but an entry in `missing`:
    `conflicting`, with what each says as its `claims`.
    """

    form: Literal["probe.run/2"] = Field(alias="schema")
    id: str
    probe: str
    host: str = Field(alias="from")
    started: datetime
    finished: datetime
    judged_at: date
    asked: AskedForm
    interrupted: StrictBool
    estate: EstateForm | None
    attempts: tuple[AttemptForm, ...]
    facts: tuple[Annotated[ObservedFact | DeclaredFact | InferredFact, Field(discriminator="basis")], ...]
    missing: tuple[MissingForm, ...]
    rules: dict[str, RuleForm]
    """The rules that findings name, by id."""
    assessments: tuple[AssessmentForm, ...]


def parse(document: object) -> Document:
    """Validates a document. Raises pydantic's ValidationError, a ValueError, which names every mistake."""
    return Document.model_validate(document)


def schema() -> dict[str, Any]:
    """The JSON schema of the document. The value of every fact is typed by its key."""
    form = Document.model_json_schema(by_alias=True)
    for model in (ObservedFact, DeclaredFact, InferredFact, ObservedClaim, DeclaredClaim, InferredClaim):
        form["$defs"][model.__name__]["allOf"] = [{"$ref": "#/$defs/ValueOfKey"}]
    form["$defs"]["ValueOfKey"] = {
        "description": "The schema of each known key's value. Other keys may be added.",
        "allOf": [
            {"if": {"properties": {"key": {"const": key.name}}}, "then": {"properties": {"value": _schema_of(key)}}}
            for key in all_keys().values()
        ],
    }
    form["$defs"] = dict(sorted(form["$defs"].items()))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **form, "title": RUN_SCHEMA}


def schema_text() -> str:
    """The schema as text, as in `probe/data/probe.run-2.schema.json`."""
    return json.dumps(schema(), indent=2) + "\n"


def _schema_of(key: FactKey[Any]) -> dict[str, Json]:
    return {"description": key.doc, **key.kind.schema, "examples": [key.kind.encode(e) for e in key.examples]}
