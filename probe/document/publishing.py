"""From a run to its document. Built by hand, since a large estate has tens of thousands of findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from probe.model.attempts import Attempt
from probe.model.characters import visible
from probe.model.estate import Deployment, Endpoint, Estate, Mailbox, ServerProfile
from probe.model.facts import Declared, Fact, Inferred, Json, Missing, Observed, Provenance
from probe.model.rules import Assessment, Rule
from probe.model.runs import Run
from probe.model.vocabulary import all_keys

if TYPE_CHECKING:
    from probe.document.forms import Form

SCHEMA = "probe.run/1"


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
        "from": shown(run.host),
        "started": _time(run.started),
        "finished": _time(run.finished),
        "judged_at": run.judged_at.isoformat(),
        "interrupted": run.interrupted,
        "estate": None if run.estate is None else shown(_estate(run.estate)),
        "attempts": [shown(_attempt(a)) for a in run.attempts],
        "facts": [shown(_fact(r)) for r in ordered if isinstance(r, Fact)],
        "missing": [shown(_missing(r)) for r in ordered if isinstance(r, Missing)],
        "assessments": [_assessment(a, cited, rules) for a in run.assessments],
    }


def json_pieces(form: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    """A form as JSON in ASCII, piece by piece: a line for each element of an array at the top, or of an array of the object at the top.

    So a large document is never in memory as text, and tools that know lines alone find their way in it. The standard library is seven times slower.
    """
    if not isinstance(form, Mapping):
        yield from _json_array(form)
        yield "\n"
        return
    before = "{"
    for name, value in form.items():
        yield f"{before}{_json(name)}:"
        yield from _json_array(value) if isinstance(value, list | tuple) else (_json(value),)
        before = ",\n"
    yield "}\n" if form else "{}\n"


def _json_array(elements: Sequence[Any]) -> Iterator[str]:
    before = "[\n"
    for element in elements:
        yield f"{before}{_json(element)}"
        before = ",\n"
    yield "\n]" if elements else "[]"


def _json(form: Any) -> str:
    return to_json(form, ensure_ascii=True).decode("ascii").replace("\x7f", "\\u007f")  # DEL is ASCII too, and a control


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown(form: Json) -> Json:
    """The form with every text in it visible: programs print what they read.

    Peers' words are made so where they come in. This is the last guard, for what came another way, as the name of this machine does.
    Line ends stay: they part the lines of a greeting, which the codecs have put together.
    """
    if isinstance(form, str):
        return visible(form, keep="\t\n")
    if isinstance(form, dict):
        return {shown(name): shown(value) for name, value in form.items()}
    if isinstance(form, list):
        return [shown(value) for value in form]
    return form


def _estate(estate: Estate) -> dict[str, Json]:
    # The forms bring pydantic, which a look has no other use for.
    from probe.document.forms import DeploymentForm, MailboxForm, ProfileForm

    return {
        "deployment": _as_declared(estate.deployment, DeploymentForm),
        "profiles": [_as_declared(p, ProfileForm) for p in estate.profiles],
        "mailboxes": [_as_declared(m, MailboxForm) for m in estate.mailboxes],
    }


def _as_declared(declared: Deployment | ServerProfile | Mailbox, form: type[Form]) -> dict[str, Json]:
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


def _cited_gap(gap: Missing) -> dict[str, Json]:
    return {"subject": gap.subject, "mailbox": gap.mailbox, "key": gap.key.name, "why": gap.why.value, "detail": gap.detail}


def _missing(gap: Missing) -> dict[str, Json]:
    return {**_cited_gap(gap), **({"claims": [_fact(claim) for claim in gap.claims]} if gap.claims else {})}


def _assessment(assessment: Assessment, cited: dict[int, Json], rules: dict[int, dict[str, Json]]) -> dict[str, Json]:
    """One mailbox; what many findings have in common, a reading or a rule, is built once and kept by identity."""
    findings = []
    for finding in assessment.findings:
        rule = rules.get(id(finding.rule))
        if rule is None:
            rule = rules[id(finding.rule)] = shown(_rule(finding.rule))
        because = []
        for reading in finding.because:
            form = cited.get(id(reading))
            if form is None:
                form = cited[id(reading)] = shown(_cited_fact(reading) if isinstance(reading, Fact) else _cited_gap(reading))
            because.append(form)
        findings.append({**rule, "result": finding.result.value, "because": because})
    return {
        "mailbox": shown(assessment.mailbox),
        "profile": shown(assessment.profile),
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
