"""A run as it may be published: with its secrets struck out of all that peers said, and of all that was derived from it.

The run is judged by what was seen, and published with each secret replaced wherever it occurs. So a password that happens to be a server's
own word is neither shown, nor revealed by where it is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from operator import is_
from typing import Any

from probe.model.attempts import Attempt
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.kinds import Json
from probe.model.provenance import Declared, Provenance
from probe.model.rules import Finding
from probe.model.runs import Run
from probe.net.redact import Redactor

_FREE_TEXT: tuple[Json, ...] = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})
"""Schemas of values in which a part may be struck out; of another, such as a date or a word out of a list, nothing would be left."""


def struck(run: Run, redactor: Redactor) -> Run:
    """The run without the secrets that the redactor knows. What the operator declared stays: it stands in the estate.

    An object that many mailboxes share is searched once, and shared again.
    """
    return _Striker(redactor).struck(run) if redactor.knows_any else run


def struck_readings(readings: Iterable[Reading], redactor: Redactor) -> tuple[Reading, ...]:
    """The readings without the secrets that the redactor knows."""
    return tuple(map(_Striker(redactor).reading, readings)) if redactor.knows_any else tuple(readings)


def struck_attempts(attempts: Iterable[Attempt], redactor: Redactor) -> tuple[Attempt, ...]:
    """The attempts without the secrets that the redactor knows."""
    return tuple(map(_Striker(redactor).attempt, attempts)) if redactor.knows_any else tuple(attempts)


class _Striker:
    """By identity: findings cite the readings of the run, many cite the same, and mailboxes that are alike share findings."""

    def __init__(self, redactor: Redactor) -> None:
        # The same few sentences are said of thousands of mailboxes.
        self._text = cache(redactor.clean)
        self._sentence = cache(redactor.clean_sentence)
        self._readings: dict[int, Reading] = {}
        self._findings: dict[int, Finding] = {}
        self._provenances: dict[int, Provenance] = {}

    def struck(self, run: Run) -> Run:
        return replace(
            run,
            attempts=tuple(map(self.attempt, run.attempts)),
            readings=tuple(map(self.reading, run.readings)),
            assessments=tuple(replace(a, findings=tuple(map(self._finding, a.findings))) for a in run.assessments),
        )

    def attempt(self, attempt: Attempt) -> Attempt:
        return replace(attempt, detail=self._sentence(attempt.detail), readings=tuple(map(self.reading, attempt.readings)))

    def _finding(self, finding: Finding) -> Finding:
        known = self._findings.get(id(finding))
        if known is None:
            because = tuple(map(self.reading, finding.because))
            known = finding if all(map(is_, because, finding.because)) else replace(finding, because=because)
            self._findings[id(finding)] = known
        return known

    def reading(self, reading: Reading) -> Reading:
        known = self._readings.get(id(reading))
        if known is None:
            known = self._readings[id(reading)] = self._gap(reading) if isinstance(reading, Missing) else self._fact(reading)
        return known

    def _gap(self, gap: Missing) -> Missing:
        detail = self._sentence(gap.detail)
        claims = tuple(claim for claim in map(self.reading, gap.claims) if isinstance(claim, Fact))
        return gap if detail == gap.detail and claims == gap.claims else replace(gap, detail=detail, claims=claims)

    def _fact(self, fact: Fact[Any]) -> Reading:
        if isinstance(fact.provenance, Declared) and fact.provenance.by == "operator":
            return fact
        form = fact.key.kind.encode(fact.value)
        shown = _cleaned(form, self._text)
        provenance = self._provenance(fact.provenance)
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

    def _provenance(self, provenance: Provenance) -> Provenance:
        known = self._provenances.get(id(provenance))
        if known is None:
            evidence = tuple(replace(e, excerpt=self._text(e.excerpt)) for e in provenance.evidence)
            known = provenance if evidence == provenance.evidence else replace(provenance, evidence=evidence)
            self._provenances[id(provenance)] = known
        return known


def _cleaned(form: Json, clean: Callable[[str], str]) -> Json:
    if isinstance(form, str):
        return clean(form)
    if isinstance(form, dict):
        return {name: _cleaned(value, clean) for name, value in form.items()}
    if isinstance(form, list):
        return [_cleaned(value, clean) for value in form]
    return form
