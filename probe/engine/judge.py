"""From readings to assessments: pure in the estate, the facts and the date, so that a stored run can be judged again.

Of each key there is one reading for a subject and mailbox, as `Facts.read` gives it. Given back what it gave, be it
from a stored document, it gives the same: what was inferred is inferred anew, by the inferences and for the date of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from probe.engine.declare import declared_by, declared_of_endpoints
from probe.engine.signed_in import signed_in
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Effect, Endpoint, Estate, Mailbox, profile_subject
from probe.model.facts import Evidence, Fact, Facts, Inferred, Missing, Reading, Why
from probe.model.inferences import Inference, Premises, Scope, Unsettled
from probe.model.rules import NO_DIRECTION, Assessment, Case, Readiness, Rule, Support, directions, judge, readiness, support

_MAX_ROUNDS = 12
"""Inferences build on each other at most as deep as there are kinds of them; more rounds would mean that two undo each other."""
_MAX_EVIDENCE = 6
"""Lines of evidence carried over from premises to a conclusion."""

_ALWAYS_DECLARED = (v.ENDPOINT_SERVICE, v.ENDPOINT_SECURITY, v.ENDPOINT_HOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What judges: every inference and every rule."""

    inferences: Mapping[str, Inference]
    rules: Mapping[str, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What follows from the readings of a run."""

    readings: tuple[Reading, ...]
    """The readings themselves, what was declared, and what was inferred."""
    assessments: tuple[Assessment, ...]


def infer_endpoints(endpoints: Iterable[Endpoint], observed: Iterable[Reading], book: Book, on: date, at: datetime) -> tuple[Reading, ...]:
    """The readings of some endpoints, with what was declared of them and inferred from it: all that a look needs."""
    everything = _settled((*_not_inferred(observed, book), *declared_of_endpoints(endpoints, at)))
    inferred: list[Reading] = []
    for facts in _by_subject(r for r in everything if r.mailbox is None).values():
        inferred += _inferred(facts, (), Scope.ENDPOINT, book, on, at)
    return _settled((*everything, *inferred))


def judge_estate(
    estate: Estate,
    observed: Iterable[Reading],
    mailboxes: Iterable[Mailbox],
    book: Book,
    on: date,
    at: datetime,
    allowed: frozenset[Effect] = frozenset(),
) -> Judgement:
    """Infer over the whole estate and assess some of its mailboxes. `allowed` are effects that the call allowed beyond the estate."""
    everything = _settled((*_not_inferred(observed, book), *declared_by(estate, at, allowed)))
    facts = _by_subject(r for r in everything if r.mailbox is None)
    of_accounts: dict[tuple[str, str], list[Reading]] = {}
    for reading in everything:
        if reading.mailbox is not None:
            of_accounts.setdefault((reading.subject, reading.mailbox), []).append(reading)
    inferred: list[Reading] = []

    def conclude(subject: str, cases: tuple[Case, ...], scope: Scope) -> None:
        found = _inferred(facts[subject], cases, scope, book, on, at)
        facts[subject] = facts[subject].with_more(found)
        inferred.extend(found)

    for url in dict.fromkeys(e.url for p in estate.profiles for e in (p.incoming, p.outgoing)):
        conclude(url, (), Scope.ENDPOINT)

    def case_of(mailbox: Mailbox) -> Case:
        profile = estate.profile_of(mailbox)
        incoming, outgoing = (
            facts[e.url].with_more(of_accounts.get((e.url, mailbox.address), ())) for e in (profile.incoming, profile.outgoing)
        )
        return Case(
            deployment=facts[DEPLOYMENT_SUBJECT],
            profile=facts[profile_subject(profile.name)],
            mailbox=facts[mailbox.address],
            incoming=incoming,
            outgoing=outgoing,
            date=on,
        )

    # What spans mailboxes is derived from the whole estate, even when one mailbox is judged.
    for mailbox in estate.mailboxes:
        conclude(mailbox.address, (case_of(mailbox),), Scope.MAILBOX)
    for profile in estate.profiles:
        conclude(profile_subject(profile.name), tuple(case_of(m) for m in estate.mailboxes if m.profile == profile.name), Scope.PROFILE)
    conclude(DEPLOYMENT_SUBJECT, tuple(map(case_of, estate.mailboxes)), Scope.DEPLOYMENT)

    assessments = tuple(_assess(mailbox, case_of(mailbox), book) for mailbox in mailboxes)
    return Judgement(readings=_settled((*everything, *inferred)), assessments=assessments)


def _assess(mailbox: Mailbox, case: Case, book: Book) -> Assessment:
    if not mailbox.is_served:
        return Assessment(
            mailbox=mailbox.address,
            profile=mailbox.profile,
            support=Support.NOT_ASSESSED,
            readiness=Readiness.NOT_ASSESSED,
            directions=NO_DIRECTION,
            signed_in=None,
            findings=(),
        )
    findings = tuple(judge(rule, case) for rule in book.rules.values())
    of_directions = directions(findings, case)
    return Assessment(
        mailbox=mailbox.address,
        profile=mailbox.profile,
        support=support(findings),
        readiness=readiness(of_directions),
        directions=of_directions,
        signed_in=signed_in(case),
        findings=findings,
    )


def _not_inferred(readings: Iterable[Reading], book: Book) -> Iterator[Reading]:
    """The readings less what inferences left behind, facts and gaps: they leave a reading for each of their keys again."""
    inferable = {key for inference in book.inferences.values() for key in inference.gives}
    for reading in readings:
        facts = (reading,) if isinstance(reading, Fact) else reading.claims
        if not any(isinstance(fact.provenance, Inferred) for fact in facts) and (facts or reading.key not in inferable):
            yield reading


def _settled(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """One reading for each key of a subject and mailbox: all that agree as one fact, or one gap, which tells most."""
    grouped: dict[tuple[str, str | None, str], list[Reading]] = {}
    for reading in readings:
        grouped.setdefault((reading.subject, reading.mailbox, reading.key.name), []).append(reading)
    return tuple(Facts(group[0].subject, group).read(group[0].key) for group in grouped.values())


def _by_subject(readings: Iterable[Reading]) -> dict[str, Facts]:
    grouped: dict[str, list[Reading]] = {}
    for reading in readings:
        grouped.setdefault(reading.subject, []).append(reading)
    return {subject: Facts(subject, group) for subject, group in grouped.items()}


def _inferred(facts: Facts, cases: tuple[Case, ...], scope: Scope, book: Book, on: date, at: datetime) -> list[Reading]:
    """Run the inferences of a scope until nothing new follows."""
    inferences = [i for i in book.inferences.values() if i.scope is scope]
    found: dict[str, list[Reading]] = {}
    for _ in range(_MAX_ROUNDS):
        before = dict(found)
        for inference in inferences:
            known = facts.with_more(r for i, readings in found.items() if i != inference.id for r in readings)
            found[inference.id] = _conclusions(inference, known, cases, on, at)
        if found == before:
            break
    else:
        raise AssertionError(f"the inferences about {facts.subject} do not come to an end")
    return [r for readings in found.values() for r in readings]


def _conclusions(inference: Inference, facts: Facts, cases: tuple[Case, ...], on: date, at: datetime) -> list[Reading]:
    seen = facts.only(inference.needs)
    concluded: dict[str, Reading] = {}
    premises = [r for key in inference.needs if isinstance(r := seen.read(key), Fact)]
    if cases and len(cases) == 1:
        premises += [
            r
            for part in (cases[0].mailbox, cases[0].incoming, cases[0].outgoing)
            for key in inference.needs
            if isinstance(r := part.read(key), Fact)
        ]
    evidence: dict[tuple[str, int], Evidence] = {}
    for premise in premises:
        for line in premise.provenance.evidence:
            evidence.setdefault((line.attempt, line.line), line)
    provenance = Inferred(inference.id, tuple(dict.fromkeys(p.key.name for p in premises)), tuple(evidence.values())[:_MAX_EVIDENCE])
    attempt = next((p.attempt for p in premises if p.attempt is not None), None)
    for conclusion in inference.infer(Premises(facts=seen, cases=cases, date=on)):
        if isinstance(conclusion, Unsettled):
            concluded[conclusion.key.name] = Missing(
                subject=facts.subject,
                key=conclusion.key,
                why=_why_unsettled(conclusion, facts, inference),
                detail=conclusion.because,
            )
        else:
            key, value = conclusion
            concluded[key.name] = Fact(subject=facts.subject, key=key, value=value, provenance=provenance, at=at, attempt=attempt)
    for key in inference.gives:
        if key.name not in concluded:
            concluded[key.name] = Missing(subject=facts.subject, key=key, why=_why(facts, inference), detail="nothing that was seen tells")
    return list(concluded.values())


def _why_unsettled(said: Unsettled, facts: Facts, inference: Inference) -> Why:
    if said.conflicts:
        return Why.CONFLICTING
    return Why.NOT_APPLICABLE if said.is_moot else _why(facts, inference)


def _why(facts: Facts, inference: Inference) -> Why:
    """Nothing follows: because of what kept its premises away where that is all there is, else because nobody disclosed it."""
    premises = [facts.read(key) for key in inference.needs if facts.knows(key) and key not in _ALWAYS_DECLARED]
    if any(isinstance(premise, Missing) and premise.why is Why.CONFLICTING for premise in premises):
        return Why.CONFLICTING
    if not premises and inference.scope is Scope.ENDPOINT:
        return Why.NOT_ATTEMPTED
    if premises and all(isinstance(premise, Missing) for premise in premises):
        return next((p.why for p in premises if isinstance(p, Missing) and p.why is not Why.NOT_APPLICABLE), Why.NOT_DISCLOSED)
    return Why.NOT_DISCLOSED
