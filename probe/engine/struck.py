"""A run as it may be told: its secrets struck out of all that peers said, and of all that follows from it.

It is judged on what was seen, and told as if each secret were unreadable wherever it occurs. So a password that happens to be a word of
a server's is neither shown, nor told by the places where it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from probe.model.facts import Declared, Fact, Json, Missing, Provenance, Reading, Why
from probe.model.rules import Assessment
from probe.model.runs import Run
from probe.net.redact import Redactor

_FREE_TEXT: tuple[Json, ...] = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})
"""Schemas of values in which a part may be struck out; of another, such as a date or a word out of a list, nothing would be left."""


def struck(run: Run, redactor: Redactor) -> Run:
    """The run without the secrets that the redactor knows. What the operator declared stays: it stands in the estate."""
    if not redactor.knows_any:
        return run
    seen: dict[int, Reading] = {}

    def clean(reading: Reading) -> Reading:
        # By identity: findings cite the readings of the run, and many cite the same.
        if id(reading) not in seen:
            seen[id(reading)] = _gap(reading, redactor, clean) if isinstance(reading, Missing) else _fact(reading, redactor)
        return seen[id(reading)]

    return replace(
        run,
        attempts=tuple(replace(a, detail=redactor.clean_sentence(a.detail), readings=tuple(map(clean, a.readings))) for a in run.attempts),
        readings=tuple(map(clean, run.readings)),
        assessments=tuple(_assessment(a, clean) for a in run.assessments),
    )


def _assessment(assessment: Assessment, clean: Callable[[Reading], Reading]) -> Assessment:
    findings = tuple(replace(f, because=tuple(map(clean, f.because))) for f in assessment.findings)
    return replace(assessment, findings=findings)


def _gap(gap: Missing, redactor: Redactor, clean: Callable[[Reading], Reading]) -> Missing:
    detail = redactor.clean_sentence(gap.detail)
    claims = tuple(claim for claim in map(clean, gap.claims) if isinstance(claim, Fact))
    return gap if detail == gap.detail and claims == gap.claims else replace(gap, detail=detail, claims=claims)


def _fact(fact: Fact[Any], redactor: Redactor) -> Reading:
    if isinstance(fact.provenance, Declared) and fact.provenance.by == "operator":
        return fact
    form = fact.key.kind.encode(fact.value)
    shown = _cleaned(form, redactor)
    provenance = _provenance(fact.provenance, redactor)
    if shown == form:
        return fact if provenance == fact.provenance else replace(fact, provenance=provenance)
    if fact.key.kind.schema in _FREE_TEXT:
        return replace(fact, value=fact.key.kind.decode(shown), provenance=provenance)
    return Missing(
        subject=fact.subject,
        mailbox=fact.mailbox,
        key=fact.key,
        why=Why.NOT_DISCLOSED,
        detail="it is known, and not told, because it holds a secret of this run",
        at=fact.at,
    )


def _provenance(provenance: Provenance, redactor: Redactor) -> Provenance:
    evidence = tuple(replace(e, excerpt=redactor.clean(e.excerpt)) for e in provenance.evidence)
    return replace(provenance, evidence=evidence)


def _cleaned(form: Json, redactor: Redactor) -> Json:
    if isinstance(form, str):
        return redactor.clean(form)
    if isinstance(form, dict):
        return {name: _cleaned(value, redactor) for name, value in form.items()}
    if isinstance(form, list):
        return [_cleaned(value, redactor) for value in form]
    return form
