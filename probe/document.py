"""A run as it is published: the document `probe.run/1`, and what a report is.

History, reports, the HTTP API and the dashboard all read this one form. `publish` builds it by hand, since a large
estate has tens of thousands of findings; the models here say what it must look like, read it back, and are where
its JSON Schema comes from. `probe/data/probe.run-1.schema.json` is `schema_text()`, kept in the tree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

from probe.model.attempts import Attempt, Outcome
from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    ServerProfile,
    ServerType,
)
from probe.model.facts import Declared, Evidence, Fact, FactKey, Inferred, Json, Missing, Observed, Provenance, Reading, Why
from probe.model.rules import Assessment, Otherwise, Readiness, Result, Rule, Support
from probe.model.runs import Run
from probe.model.vocabulary import all_keys

SCHEMA = "probe.run/1"


# --- What a report is --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a report is wanted. A format for machines may ignore all of it."""

    width: int = 80
    """Columns of the terminal."""
    colour: bool = False
    transcripts: bool = False
    """Whether the conversations are shown word for word."""
    quiet: bool = False
    """Verdicts alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rendering of a published run."""

    id: str
    title: str
    media_type: str
    render: Callable[[Mapping[str, Any], Options], str]
    """From the document, as `publish` makes it, to text that ends with a newline."""


# --- What the document looks like --------------------------------------------------------------------------


class _Form(BaseModel):
    # A later version of this program may add fields, and its documents must still be read; so others are let pass.
    # Validators are built when something is first read: a run that is only published does not wait for them.
    model_config = ConfigDict(extra="ignore", frozen=True, serialize_by_alias=True, defer_build=True)


class DeploymentForm(_Form):
    """The Dynamics organization."""

    name: str
    kind: DeploymentKind
    version: str
    runs_on: str
    fips: bool
    mass_email: bool
    custom_email_providers: bool
    outlook_on_the_web_tracking: bool
    outlook_manual_tracking: bool
    allow: tuple[Effect, ...]
    authorities: tuple[str, ...]


class ProfileForm(_Form):
    """An email server profile, less its secret and where that is kept."""

    name: str
    server_type: ServerType
    incoming: str
    outgoing: str
    autodiscover: bool
    authentication: Authentication
    credentials: Credentials
    impersonation: bool
    username: str | None
    fips_validated: str | None


class MailboxForm(_Form):
    """A Dynamics mailbox, less its secret and where that is kept."""

    address: str
    profile: str
    incoming: Delivery
    outgoing: Delivery
    appointments: Delivery
    username: str | None
    location: Location | None
    mfa: bool | None


class EstateForm(_Form):
    """All that the operator declares."""

    deployment: DeploymentForm
    profiles: tuple[ProfileForm, ...]
    mailboxes: tuple[MailboxForm, ...]


class LineForm(_Form):
    """One line of a conversation; a note is what happened rather than what was said."""

    line: int
    speaker: Literal["probe", "peer", "note"] = Field(alias="from")
    text: str


class AttemptForm(_Form):
    """One prober tried on one endpoint."""

    id: str
    prober: str
    subject: str
    mailbox: str | None
    address: str | None
    outcome: Outcome
    detail: str
    connections: int
    seconds: float
    transcript: tuple[LineForm, ...]


class EvidenceForm(_Form):
    """The words that support a fact."""

    attempt: str
    line: int
    excerpt: str


class _FactForm(_Form):
    subject: str
    mailbox: str | None
    key: str
    value: JsonValue
    attempt: str | None
    evidence: tuple[EvidenceForm, ...]
    at: datetime


class ObservedFact(_FactForm):
    """A fact that the program took part in: a handshake, an obeyed command."""

    basis: Literal["observed"]


class DeclaredFact(_FactForm):
    """A fact that somebody said: a banner, the estate."""

    basis: Literal["declared"]
    by: Literal["peer", "operator"]


class InferredFact(_FactForm):
    """A fact that was worked out from others."""

    basis: Literal["inferred"]
    inference: str
    premises: tuple[str, ...]


class MissingForm(_Form):
    """A thing not known, and why."""

    subject: str
    mailbox: str | None
    key: str
    why: Why
    detail: str


class CitedFact(_Form):
    """A fact that decided a finding; the whole of it is among `facts`."""

    subject: str
    mailbox: str | None
    key: str
    value: JsonValue


class ReferenceForm(_Form):
    """Where a statement stands."""

    title: str
    url: str
    dated: str


class FindingForm(_Form):
    """What came of one rule for one mailbox, with the readings that decided it."""

    rule: str
    title: str
    result: Result
    otherwise: Otherwise
    lists: bool
    """Whether the rule is a row of the support table."""
    because: tuple[CitedFact | MissingForm, ...]
    statement: str
    reference: ReferenceForm
    references: tuple[ReferenceForm, ...]
    remedy: str


class AssessmentForm(_Form):
    """The findings of a mailbox, drawn together."""

    mailbox: str
    profile: str
    support: Support
    readiness: Readiness
    findings: tuple[FindingForm, ...]


class Document(_Form):
    """One run of probe: what was tried, what is known, and what is thought of it."""

    form: Literal["probe.run/1"] = Field(alias="schema")
    id: str
    probe: str
    host: str = Field(alias="from")
    started: datetime
    finished: datetime
    judged_at: date
    interrupted: bool
    estate: EstateForm | None
    attempts: tuple[AttemptForm, ...]
    facts: tuple[Annotated[ObservedFact | DeclaredFact | InferredFact, Field(discriminator="basis")], ...]
    missing: tuple[MissingForm, ...]
    assessments: tuple[AssessmentForm, ...]


def parse(document: object) -> Document:
    """A document, validated. Raises pydantic's ValidationError, a ValueError, which names every mistake."""
    return Document.model_validate(document)


def schema() -> dict[str, Any]:
    """JSON Schema of the document, the value of every fact typed by its key."""
    form = Document.model_json_schema(by_alias=True)
    for model in (ObservedFact, DeclaredFact, InferredFact, CitedFact):
        form["$defs"][model.__name__]["allOf"] = [{"$ref": "#/$defs/ValueOfKey"}]
    form["$defs"]["ValueOfKey"] = {
        "description": "The form of each known key's value. Other keys may be added.",
        "allOf": [
            {"if": {"properties": {"key": {"const": key.name}}}, "then": {"properties": {"value": _schema_of(key)}}}
            for key in all_keys().values()
        ],
    }
    form["$defs"] = dict(sorted(form["$defs"].items()))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **form, "title": SCHEMA}


def schema_text() -> str:
    """The schema as it stands in `probe/data/probe.run-1.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _schema_of(key: FactKey[Any]) -> dict[str, Json]:
    return {"description": key.doc, **key.kind.schema, "examples": [key.kind.encode(e) for e in key.examples]}


# --- From a run to its document ----------------------------------------------------------------------------


def publish(run: Run) -> dict[str, Any]:
    """The document of a run: plain values that the json module takes. Equal parts are shared, so it is not to be changed."""
    order = {name: place for place, name in enumerate(all_keys())}
    ordered = sorted(run.readings, key=lambda r: (r.subject, r.mailbox or "", order.get(r.key.name, len(order))))
    cited: dict[int, Json] = {}
    rules: dict[int, dict[str, Json]] = {}
    return {
        "schema": SCHEMA,
        "id": run.id,
        "probe": run.probe,
        "from": _encodable(run.host),
        "started": _time(run.started),
        "finished": _time(run.finished),
        "judged_at": run.judged_at.isoformat(),
        "interrupted": run.interrupted,
        "estate": None if run.estate is None else _encodable(_estate(run.estate)),
        "attempts": [_encodable(_attempt(a)) for a in run.attempts],
        "facts": [_encodable(_fact(r)) for r in ordered if isinstance(r, Fact)],
        "missing": [_encodable(_missing(r)) for r in ordered if isinstance(r, Missing)],
        "assessments": [_assessment(a, cited, rules) for a in run.assessments],
    }


def json_text(document: Mapping[str, Any]) -> str:
    """The document as JSON, indented by two. The standard library indents seven times slower: ten seconds for 2,000 mailboxes."""
    return to_json(document, indent=2).decode("utf-8") + "\n"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _encodable(form: Json) -> Json:
    """The form with lone surrogates escaped: peers, file names and host names bring them, and UTF-8 cannot write them."""
    if isinstance(form, str):
        return form if form.isascii() else form.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(form, dict):
        return {_encodable(name): _encodable(value) for name, value in form.items()}
    if isinstance(form, list):
        return [_encodable(value) for value in form]
    return form


def _estate(estate: Estate) -> dict[str, Json]:
    return {
        "deployment": _as_declared(estate.deployment, DeploymentForm),
        "profiles": [_as_declared(p, ProfileForm) for p in estate.profiles],
        "mailboxes": [_as_declared(m, MailboxForm) for m in estate.mailboxes],
    }


def _as_declared(declared: Deployment | ServerProfile | Mailbox, form: type[_Form]) -> dict[str, Json]:
    """What the form names, and no more: the reference to a secret stays behind because no form has a place for it."""
    return {name: _estate_value(getattr(declared, name)) for name in form.model_fields}


def _estate_value(value: object) -> Json:
    match value:
        case StrEnum():
            return value.value
        case Endpoint():
            return value.url
        case frozenset():
            return sorted(map(str, value))
        case tuple():
            return list(value)
        case _:
            return value


def _attempt(attempt: Attempt) -> dict[str, Json]:
    return {
        "id": attempt.id,
        "prober": attempt.prober,
        "subject": attempt.subject,
        "mailbox": attempt.mailbox,
        "address": attempt.address,
        "outcome": attempt.outcome.value,
        "detail": attempt.detail,
        "connections": attempt.connections,
        "seconds": round(attempt.seconds, 3),
        "transcript": [{"line": t.number, "from": t.speaker, "text": t.text} for t in attempt.transcript],
    }


def _cited_fact(fact: Fact[Any]) -> dict[str, Json]:
    return {"subject": fact.subject, "mailbox": fact.mailbox, "key": fact.key.name, "value": fact.key.kind.encode(fact.value)}


def _fact(fact: Fact[Any]) -> dict[str, Json]:
    return {
        **_cited_fact(fact),
        **_basis(fact.provenance),
        "attempt": fact.attempt,
        "evidence": [{"attempt": e.attempt, "line": e.line, "excerpt": e.excerpt} for e in fact.provenance.evidence],
        "at": _time(fact.at),
    }


def _basis(provenance: Provenance) -> dict[str, Json]:
    match provenance:
        case Observed():
            return {"basis": "observed"}
        case Declared(by=by):
            return {"basis": "declared", "by": by}
        case Inferred(inference=inference, premises=premises):
            return {"basis": "inferred", "inference": inference, "premises": list(premises)}


def _missing(gap: Missing) -> dict[str, Json]:
    return {"subject": gap.subject, "mailbox": gap.mailbox, "key": gap.key.name, "why": gap.why.value, "detail": gap.detail}


def _assessment(assessment: Assessment, cited: dict[int, Json], rules: dict[int, dict[str, Json]]) -> dict[str, Json]:
    """One mailbox; what many findings have in common, a reading or a rule, is built once and kept by identity."""
    findings = []
    for finding in assessment.findings:
        rule = rules.get(id(finding.rule))
        if rule is None:
            rule = rules[id(finding.rule)] = _encodable(_rule(finding.rule))
        because = []
        for reading in finding.because:
            form = cited.get(id(reading))
            if form is None:
                form = cited[id(reading)] = _encodable(_cited_fact(reading) if isinstance(reading, Fact) else _missing(reading))
            because.append(form)
        findings.append({**rule, "result": finding.result.value, "because": because})
    return {
        "mailbox": _encodable(assessment.mailbox),
        "profile": _encodable(assessment.profile),
        "support": assessment.support.value,
        "readiness": assessment.readiness.value,
        "findings": findings,
    }


def _rule(rule: Rule) -> dict[str, Json]:
    references = [{"title": r.title, "url": r.url, "dated": r.dated} for r in rule.references]
    return {
        "rule": rule.id,
        "title": rule.title,
        "result": None,  # the finding's; it keeps its place here
        "otherwise": rule.otherwise.value,
        "lists": rule.lists,
        "because": None,
        "statement": rule.statement,
        "reference": references[0],
        "references": references,
        "remedy": rule.remedy,
    }


# --- From a document back to readings ----------------------------------------------------------------------


def readings(document: Mapping[str, Any]) -> tuple[Reading, ...]:
    """Everything known or missing in a document that `publish` made or `parse` passed; keys that this version does not know are left out.

    Raises ValueError for a value that is not of its key's form.
    """
    keys = all_keys()
    facts = [_read_fact(form, keys[form["key"]]) for form in document["facts"] if form["key"] in keys]
    gaps = [
        Missing(subject=f["subject"], mailbox=f["mailbox"], key=keys[f["key"]], why=Why(f["why"]), detail=f["detail"])
        for f in document["missing"]
        if f["key"] in keys
    ]
    return (*facts, *gaps)


def _read_fact(form: Mapping[str, Any], key: FactKey[Any]) -> Fact[Any]:
    try:
        value = key.kind.decode(form["value"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{key.name} of {form['subject']} is not a {key.kind.name}: {form['value']!r}") from None
    return Fact(
        subject=form["subject"],
        mailbox=form["mailbox"],
        key=key,
        value=value,
        provenance=_provenance(form),
        at=datetime.fromisoformat(form["at"]),
        attempt=form["attempt"],
    )


def _provenance(form: Mapping[str, Any]) -> Provenance:
    evidence = tuple(Evidence(attempt=e["attempt"], line=e["line"], excerpt=e["excerpt"]) for e in form["evidence"])
    match form["basis"]:
        case "observed":
            return Observed(evidence)
        case "declared":
            return Declared(form["by"], evidence)
        case _:
            return Inferred(form["inference"], tuple(form["premises"]), evidence)
