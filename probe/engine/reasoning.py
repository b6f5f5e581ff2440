"""Runs the inferences: each when its premises are known, and again only when they change.

The conclusions of an inference depend on values, and on the reasons for missing ones. So another subject with the same values gets the same
conclusions, and the inference does not run again. Premises and evidence are each subject's own. Thousands of endpoints with the same values need
one course of conclusions, which is applied to each.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from probe.engine.remembered import DayOfJudging, Remembered
from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, Missing, Reading, RestrictedFacts, Why
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.keys import FactKey
from probe.model.provenance import Evidence, Inferred
from probe.model.rules import Case
from probe.model.values import dataclass

_MAX_ROUNDS = 12
"""Inferences build on each other at most as deep as there are kinds of them; more rounds would mean that two undo each other."""
_MAX_EVIDENCE = 6
"""Lines of evidence carried over from premises to a conclusion."""

_ALWAYS_DECLARED = (v.ENDPOINT_SERVICE, v.ENDPOINT_SECURITY, v.ENDPOINT_HOST)


class Reasoning:
    """Infers, on one date of judgement."""

    def __init__(self, inferences: Mapping[str, Inference], on: date, at: datetime, day: DayOfJudging | None = None) -> None:
        """`on`: the date of judgement. `at`: the time that inferred facts get. `day`: what these inferences said before, for that date."""
        self._on = on
        self._at = at
        day = day or DayOfJudging()
        if day.graphs is None:
            day.graphs = {scope: _InferenceGraph(i for i in inferences.values() if i.scope is scope) for scope in InferenceScope}
        self._of_scope: Mapping[InferenceScope, _InferenceGraph] = day.graphs
        self._said: Remembered[tuple[Conclusion | _Gap, ...]] = day.said
        self._courses: Remembered[tuple[_InferenceResult, ...]] = day.courses
        self._of_alike: dict[Hashable, list[Reading]] = {}
        self._named: set[str] = set()
        """Subjects whose name an inference read, so that the conclusions hold for no other."""

    def inferred(self, scope: InferenceScope, facts: Facts, cases: tuple[Case, ...] = ()) -> list[Reading]:
        """A reading for each key that the inferences of a scope promise, of the subject of these facts.

        Raises AssertionError where they undo each other's conclusions for ever.
        """
        known = self._of_scope[scope]
        seen = None if cases else known.seen(facts)
        if seen is not None and (course := self._courses.get((scope, seen.values))) is not None:
            return self._told_by(course, known, facts.subject, seen.facts)
        found: dict[str, list[Reading]] = {}
        asked: list[_InferenceResult] = []
        due = set(known.dependents)
        for _ in range(_MAX_ROUNDS):
            for inference in known.in_order:
                if inference.id not in due:
                    continue
                due.discard(inference.id)
                given = [r for giver in known.givers[inference.id] for r in found.get(giver, ())]
                relevant = facts.with_more(given) if given else facts
                premises, said = self._conclusions(inference, relevant, cases)
                asked.append(_InferenceResult(inference.id, tuple(dict.fromkeys(p.key.name for p in premises)), said))
                concluded = self._told(asked[-1], facts.subject, premises)
                if found.get(inference.id) != concluded:
                    found[inference.id] = concluded
                    due |= known.dependents[inference.id]
            if not due:
                if seen is not None:
                    self._remember((scope, seen.values), facts.subject, asked, (*seen.facts.values(), *_flat(found)))
                return [r for inference in known.dependents for r in found[inference]]
        raise AssertionError(f"the inferences about {facts.subject} do not come to an end")

    def _remember(self, values: Hashable, subject: str, asked: list[_InferenceResult], known: tuple[Reading, ...]) -> None:
        """Cache a course of conclusions, if it is certain to be the same for another subject with the same values."""
        names = [reading.key.name for reading in known if isinstance(reading, Fact)]
        # Where several facts of a key are drawn together, what comes of it depends on more than their values; where one was asked twice, on more
        # than one round.
        is_plain = len(names) == len(set(names)) and len(asked) == len({step.inference for step in asked})
        if is_plain and subject not in self._named:
            self._courses.keep(values, tuple(asked))

    def _told_by(
        self, course: tuple[_InferenceResult, ...], known: _InferenceGraph, subject: str, facts: dict[str, Fact[Any]]
    ) -> list[Reading]:
        """Apply a course of conclusions to another subject. `facts` are that subject's own; the conclusions are added to them."""
        told: dict[str, list[Reading]] = {}
        for step in course:
            told[step.inference] = self._told(step, subject, [facts[name] for name in step.premises])
            facts.update((reading.key.name, reading) for reading in told[step.inference] if isinstance(reading, Fact))
        return [reading for inference in known.dependents for reading in told[inference]]

    def _told(self, step: _InferenceResult, subject: str, premises: Sequence[Fact[Any]]) -> list[Reading]:
        """What an inference says, of a subject: the readings, with what they rest on."""
        provenance, at = Inferred(step.inference, step.premises, _evidence(premises)), self._at
        attempt = next((p.attempt for p in premises if p.attempt is not None), None)
        return [
            Missing(subject=subject, key=said.key, why=said.why, detail=said.detail)
            if isinstance(said, _Gap)
            else Fact(subject=subject, key=said[0], value=said[1], provenance=provenance, at=at, attempt=attempt)
            for said in step.said
        ]

    def of_mailbox(self, case: Case, own: Hashable) -> list[Reading]:
        """The conclusions for a mailbox. `own` is all that is specific to it except its address: mailboxes with equal `own` have the same conclusions."""
        address = case.mailbox.subject
        if (of_another := self._of_alike.get(own)) is not None:
            return [_told_of(address, reading) for reading in of_another]
        found = self.inferred(InferenceScope.MAILBOX, case.mailbox, (case,))
        if address not in self._named:
            self._of_alike[own] = found
        return found

    def _conclusions(
        self, inference: Inference, facts: Facts, cases: tuple[Case, ...]
    ) -> tuple[list[Fact[Any]], tuple[Conclusion | _Gap, ...]]:
        """The premises of an inference, and what it says."""
        restricted = tuple(_restricted(cases, inference))
        # By identity: thousands of mailboxes share their endpoints, whose facts are premises once.
        parts = {id(facts): facts} | {id(part): part for case in restricted for part in (case.mailbox, case.incoming, case.outgoing)}
        known = (part.read(key) for part in parts.values() for key in inference.needs if part.knows(key))
        return [reading for reading in known if isinstance(reading, Fact)], self._drawn(inference, facts, restricted)

    def _drawn(self, inference: Inference, facts: Facts, cases: tuple[Case, ...]) -> tuple[Conclusion | _Gap, ...]:
        """What an inference says of each key that it promises."""
        shown = None
        if not cases:
            alike = inference.alike
            shown = (inference.id, tuple([_sight(facts.read(key), alike) if facts.knows(key) else None for key in inference.needs]))
            if (before := self._said.get(shown)) is not None:
                return before
        seen = facts.only(inference.needs)
        said = {
            (i.key if isinstance(i, Unsettled) else i[0]).name: i for i in inference.infer(Premises(facts=seen, cases=cases, date=self._on))
        }
        why = _why(facts, inference)
        drawn = tuple(_gap(i, why) if isinstance(i, Unsettled) else i for i in said.values())
        drawn += tuple(_Gap(key, why, "nothing that was seen tells") for key in inference.gives if key.name not in said)
        if any(isinstance(part, RestrictedFacts) and part.was_named for part in (seen, *(case.mailbox for case in cases))):
            self._named.add(facts.subject)
        elif shown is not None:
            self._said.keep(shown, drawn)
        return drawn


@dataclass(frozen=True, slots=True)
class _Gap:
    """A missing key and the reason, without a subject."""

    key: FactKey[Any]
    why: Why
    detail: str


@dataclass(frozen=True, slots=True)
class _InferenceResult:
    """One run of an inference, without a subject: its input and its output."""

    inference: str
    premises: tuple[str, ...]
    """Keys of the facts that it went by."""
    said: tuple[Conclusion | _Gap, ...]


@dataclass(frozen=True, slots=True)
class _InputFacts:
    """The input of the inferences of a scope, for one subject."""

    values: Hashable
    """What decides the conclusions: subjects for which this is equal get the same ones."""
    facts: dict[str, Fact[Any]]
    """The facts, by the name of the key."""


class _InferenceGraph:
    """The inferences of a scope, and how they depend on each other."""

    def __init__(self, inferences: Iterable[Inference]) -> None:
        given = {inference.id: inference for inference in inferences}
        self.givers = {
            one.id: [other.id for other in given.values() if other is not one and not set(one.needs).isdisjoint(other.gives)]
            for one in given.values()
        }
        """By inference: the others whose conclusions it reads."""
        self.dependents = {one: {other for other, givers in self.givers.items() if one in givers} for one in given}
        self.in_order = [given[one] for one in _after_their_givers(self.givers)]
        """Each after those whose conclusions it reads, so that one round is enough where no two read each other's."""
        needed = {key: [one.alike.get(key) for one in given.values() if key in one.needs] for one in given.values() for key in one.needs}
        self._needed = frozenset(key.name for key in needed)
        self._alike = {key: ways[0] for key, ways in needed.items() if ways[0] is not None and len(set(ways)) == 1}

    def seen(self, facts: Facts) -> _InputFacts | None:
        """What the inferences look at; None where there are several readings of one key."""
        values: dict[str, Hashable] = {}
        known: dict[str, Fact[Any]] = {}
        for reading in facts:
            name = reading.key.name
            if name not in self._needed:
                continue
            if name in values or (isinstance(reading, Missing) and reading.claims):
                return None
            values[name] = _sight(reading, self._alike)
            if isinstance(reading, Fact):
                known[name] = reading
        return _InputFacts(tuple(map(values.get, self._needed)), known)


def _after_their_givers(givers: Mapping[str, list[str]]) -> Iterator[str]:
    left = dict(givers)
    while left:
        # Where some look at each other any of them begins, and runs again when it turns out to have been too early.
        chosen = next((one for one, before in left.items() if left.keys().isdisjoint(before)), next(iter(left)))
        del left[chosen]
        yield chosen


def _restricted(cases: Iterable[Case], inference: Inference) -> Iterator[Case]:
    """Cases as an inference may see them: what it needs, of the mailboxes and their endpoints."""
    nothing, needed = frozenset[str](), frozenset(key.name for key in inference.needs)
    shared: dict[tuple[int, bool], Facts] = {}

    def narrowed(facts: Facts, names: frozenset[str]) -> Facts:
        # Thousands of mailboxes have their surroundings in common.
        return shared.setdefault((id(facts), not names), RestrictedFacts(facts, names))

    for case in cases:
        yield Case(
            deployment=narrowed(case.deployment, nothing),
            profile=narrowed(case.profile, nothing),
            mailbox=RestrictedFacts(case.mailbox, needed),
            incoming=narrowed(case.incoming, needed),
            outgoing=narrowed(case.outgoing, needed),
            date=case.date,
        )


def value_of(reading: Reading) -> Hashable:
    """What inferences and rules depend on: the value, or the reason why it is missing, and the claims where sources conflict."""
    return (reading.value,) if isinstance(reading, Fact) else (reading.why, tuple(claim.value for claim in reading.claims))


def _sight(reading: Reading, alike: Mapping[FactKey[Any], Callable[[Any], Hashable]]) -> Hashable:
    """The part of a reading that an inference depends on."""
    if isinstance(reading, Fact) and (told := alike.get(reading.key)) is not None:
        return (told(reading.value),)
    return value_of(reading)


def _flat(found: Mapping[str, list[Reading]]) -> Iterator[Reading]:
    return (reading for readings in found.values() for reading in readings)


def _told_of(subject: str, reading: Reading) -> Reading:
    if isinstance(reading, Missing):
        return Missing(subject=subject, key=reading.key, why=reading.why, detail=reading.detail)
    return Fact(
        subject=subject, key=reading.key, value=reading.value, provenance=reading.provenance, at=reading.at, attempt=reading.attempt
    )


def _evidence(premises: Iterable[Fact[Any]]) -> tuple[Evidence, ...]:
    lines: dict[tuple[str, int], Evidence] = {}
    found: tuple[Evidence, ...] = ()
    for premise in premises:
        of_premise = premise.provenance.evidence
        if not lines:
            found = of_premise
        for line in of_premise:
            lines.setdefault((line.attempt, line.line), line)
        if len(lines) >= _MAX_EVIDENCE:
            break
    # What rests on the lines of one premise holds that premise's own list of them.
    told = tuple(lines.values())[:_MAX_EVIDENCE]
    return found if found == told else told


def _gap(said: Unsettled, why: Why) -> _Gap:
    if said.conflicts:
        why = Why.CONFLICTING
    elif said.is_moot:
        why = Why.NOT_APPLICABLE
    return _Gap(said.key, why, said.because)


def _why(facts: Facts, inference: Inference) -> Why:
    """Nothing follows: because of what kept its premises away where that is all there is, else because nobody disclosed it."""
    premises = [facts.read(key) for key in inference.needs if facts.knows(key) and key not in _ALWAYS_DECLARED]
    if any(isinstance(premise, Missing) and premise.why is Why.CONFLICTING for premise in premises):
        return Why.CONFLICTING
    if not premises and inference.scope is InferenceScope.ENDPOINT:
        return Why.NOT_ATTEMPTED
    if premises and all(isinstance(premise, Missing) for premise in premises):
        return next((p.why for p in premises if isinstance(p, Missing) and p.why is not Why.NOT_APPLICABLE), Why.NOT_DISCLOSED)
    return Why.NOT_DISCLOSED
