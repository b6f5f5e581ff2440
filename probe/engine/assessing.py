"""Applies every rule to every mailbox, and computes equal results once.

A rule depends on values, and on the reasons for missing ones. So mailboxes of one profile that differ only in their address have the same findings.
Findings that cite no reading of the mailbox itself are shared; in the others, its own readings replace those of the first mailbox. And where all that
a rule needs is the same as it was for a mailbox of another profile, the rule is not asked again: it cites the readings at the same places.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from probe.engine.reasoning import value_of
from probe.engine.remembered import DayOfJudging, Remembered
from probe.engine.signed_in import NEEDS, signed_in
from probe.model.estate import Mailbox
from probe.model.facts import Fact, Facts, Reading, RestrictedFacts
from probe.model.keys import FactKey
from probe.model.rules import (
    NO_DIRECTION,
    Assessment,
    Case,
    Direction,
    Finding,
    Needs,
    Readiness,
    Result,
    Rule,
    Support,
    directions,
    judge_seen,
    readiness,
    support,
)
from probe.model.values import dataclass
from probe.rules import ALIKE

_Place = tuple[int, FactKey[Any]]
"""Where a reading stands: in which of `_parts`, by which key."""


class Assessor:
    """Assesses the mailboxes of one estate, once all inferences have run."""

    def __init__(self, rules: Mapping[str, Rule], day: DayOfJudging) -> None:
        """`day`: what these rules said before, for the date of the cases."""
        self._rules = rules
        if day.places is None:
            day.places = {name: _places(rule.needs) for name, rule in rules.items()}
        self._places: Mapping[str, tuple[_Place, ...]] = day.places
        self._known: Remembered[_RuleResult] = day.findings
        needs = [NEEDS, *(rule.needs for rule in rules.values())]
        self._of_mailbox: list[_Place] = [(_MAILBOX, key) for key in {key.name: key for one in needs for key in one.mailbox}.values()]
        self._of_endpoints = {key.name for one in needs for key in (*one.incoming, *one.outgoing)}
        self._of_alike: dict[Hashable, _Verdict] = {}

    def assess(self, mailbox: Mailbox, case: Case, accounts: Iterable[Iterable[Reading]]) -> Assessment:
        """What all rules say of a mailbox; nothing of one that is not served.

        `accounts`: the readings of its account at the incoming and at the outgoing endpoint. They are in the case, too.
        """
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
        of_accounts = [
            (part, r.key) for part, of in enumerate(accounts, start=_MAILBOX + 1) for r in of if r.key.name in self._of_endpoints
        ]
        parts, own = _parts(case), [*self._of_mailbox, *of_accounts]
        places = tuple([(part, key.name) for part, key in of_accounts])
        # Nearly all mailboxes have readings for few of the keys that a rule may ask for.
        alike = (
            mailbox.profile,
            places,
            tuple([value_of(parts[part].read(key)) if parts[part].knows(key) else None for part, key in own]),
        )
        if (verdict := self._of_alike.get(alike)) is None:
            verdict = self._of_alike[alike] = _Verdict(_AskedCase(case, self._places, self._known), self._rules, case, own)
        return verdict.told_of(mailbox, case)


_MAILBOX = 2
"""The first of the parts of a case in which something may be the mailbox's own: itself, and its accounts at its endpoints."""


def _parts(case: Case) -> tuple[Facts, Facts, Facts, Facts, Facts]:
    """The parts of a case."""
    return case.deployment, case.profile, case.mailbox, case.incoming, case.outgoing


@dataclass(frozen=True, slots=True)
class _RuleResult:
    """A finding without the readings that it cites."""

    result: Result
    cited: tuple[_Place, ...]
    directions: Mapping[Direction, Result]
    without: Finding | None
    """The finding itself, where it cites nothing."""


class _AskedCase:
    """One case of which rules are asked; a rule is asked only where it was not before, of the same values."""

    def __init__(self, case: Case, places: Mapping[str, tuple[_Place, ...]], known: Remembered[_RuleResult]) -> None:
        self._case = case
        self._places = places
        self._known = known
        self._parts = _parts(case)
        self._served = tuple(direction for direction in Direction if case.serves(direction))
        self._is_one_endpoint = case.incoming.subject == case.outgoing.subject
        self._sights: tuple[dict[str, Hashable], ...] = ({}, {}, {}, {}, {})
        self._because: dict[tuple[_Place, ...], tuple[Reading, ...]] = {}
        """What is cited by some findings, which hold it once."""

    def finding(self, rule: Rule) -> Finding:
        """What comes of a rule."""
        places = self._places[rule.id]
        values = (rule.id, self._served, self._is_one_endpoint, *[self._sight(part, key) for part, key in places])
        if (before := self._known.get(values)) is not None:
            if before.without is not None:
                return before.without
            return Finding(rule=rule, result=before.result, because=self._read(before.cited), directions=before.directions)
        seen = self._case.restricted_to(rule.needs)
        found = judge_seen(rule, seen, self._served)
        # By identity: what a rule cites is what it read.
        where = {id(self._parts[part].read(key)): (part, key) for part, key in places}
        cited = [where.get(id(reading)) for reading in found.because]
        told = tuple([place for place in cited if place is not None])
        was_named = any(isinstance(part, RestrictedFacts) and part.was_named for part in _parts(seen))
        if len(told) == len(cited) and not was_named:
            # What cites nothing is the same for all.
            self._known.keep(values, _RuleResult(found.result, told, found.directions, None if told else found))
        return found

    def _read(self, places: tuple[_Place, ...]) -> tuple[Reading, ...]:
        """The readings at some places."""
        because = self._because.get(places)
        if because is None:
            because = self._because[places] = tuple([self._parts[part].read(key) for part, key in places])
        return because

    def _sight(self, part: int, key: FactKey[Any]) -> Hashable:
        """What a rule depends on of a reading."""
        sights = self._sights[part]
        if key.name not in sights:
            facts = self._parts[part]
            sights[key.name] = _sight(facts.read(key)) if facts.knows(key) else None
        return sights[key.name]


def _sight(reading: Reading) -> Hashable:
    if isinstance(reading, Fact):
        told = ALIKE.get(reading.key)
        return value_of(reading) if told is None else (told(reading.value),)
    return None if reading.says_nothing else value_of(reading)


def _places(needs: Needs) -> tuple[_Place, ...]:
    """Where the readings stand that a rule needs."""
    parts = (needs.deployment, needs.profile, needs.mailbox, needs.incoming, needs.outgoing)
    return tuple([(part, key) for part, keys in enumerate(parts) for key in keys])


class _Verdict:
    """What the rules say of a mailbox, and so of each that is like it."""

    def __init__(self, asked: _AskedCase, rules: Mapping[str, Rule], case: Case, own: Iterable[_Place]) -> None:
        self._findings = [asked.finding(rule) for rule in rules.values()]
        self._support = support(self._findings)
        self._directions = directions(self._findings, case)
        self._readiness = readiness(self._directions)
        self._signed_in = signed_in(case)
        parts = _parts(case)
        # By identity: what a rule cites is what it read.
        places = {id(parts[part].read(key)): (part, key) for part, key in own}
        self._reasons: dict[tuple[Reading | _Place, ...], list[tuple[int, Finding]]] = {}
        """What the findings cite that cite something of the mailbox's own, each with the findings that do and their places."""
        for number, finding in enumerate(self._findings):
            cited = tuple(places.get(id(reading), reading) for reading in finding.because)
            if any(isinstance(one, tuple) for one in cited):
                self._reasons.setdefault(cited, []).append((number, finding))

    def told_of(self, mailbox: Mailbox, case: Case) -> Assessment:
        """The same of another mailbox, by its own readings."""
        findings, parts = [*self._findings], _parts(case)
        for cited, numbered in self._reasons.items():
            because = tuple([parts[place[0]].read(place[1]) if isinstance(place, tuple) else place for place in cited])
            for number, of_first in numbered:
                findings[number] = Finding(rule=of_first.rule, result=of_first.result, because=because, directions=of_first.directions)
        return Assessment(
            mailbox=mailbox.address,
            profile=mailbox.profile,
            support=self._support,
            readiness=self._readiness,
            directions=self._directions,
            signed_in=self._signed_in,
            findings=tuple(findings),
        )
