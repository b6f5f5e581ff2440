"""Applies every rule to every mailbox, and computes equal results once.

A rule depends on values, and on the reasons for missing ones. So mailboxes of one profile that differ only in their address have the same findings.
Findings that cite no reading of the mailbox itself are shared; in the others, its own readings replace those of the first mailbox.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from probe.engine.reasoning import value_of
from probe.engine.signed_in import NEEDS, signed_in
from probe.model.estate import Mailbox
from probe.model.facts import Facts, Reading
from probe.model.keys import FactKey
from probe.model.rules import NO_DIRECTION, Assessment, Case, Finding, Readiness, Rule, Support, directions, judge, readiness, support

_Place = tuple[int, FactKey[Any]]
"""Where a reading of the mailbox's own stands: in which of `_parts`, by which key."""


class Assessor:
    """Assesses the mailboxes of one estate, once all inferences have run."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        needs = [NEEDS, *(rule.needs for rule in rules.values())]
        self._of_mailbox: list[_Place] = [(0, key) for key in {key.name: key for one in needs for key in one.mailbox}.values()]
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
        of_accounts = [(part, r.key) for part, of in enumerate(accounts, start=1) for r in of if r.key.name in self._of_endpoints]
        parts, own = _parts(case), [*self._of_mailbox, *of_accounts]
        places = tuple([(part, key.name) for part, key in of_accounts])
        # Nearly all mailboxes have readings for few of the keys that a rule may ask for.
        alike = (
            mailbox.profile,
            places,
            tuple([value_of(parts[part].read(key)) if parts[part].knows(key) else None for part, key in own]),
        )
        if (verdict := self._of_alike.get(alike)) is None:
            verdict = self._of_alike[alike] = _Verdict(self._rules, case, own)
        return verdict.told_of(mailbox, case)


def _parts(case: Case) -> tuple[Facts, Facts, Facts]:
    """The parts of a case in which something may be the mailbox's own: itself, and its accounts at its endpoints."""
    return case.mailbox, case.incoming, case.outgoing


class _Verdict:
    """What the rules say of a mailbox, and so of each that is like it."""

    def __init__(self, rules: Mapping[str, Rule], case: Case, own: Iterable[_Place]) -> None:
        self._findings = [judge(rule, case) for rule in rules.values()]
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
