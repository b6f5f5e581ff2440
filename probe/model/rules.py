"""Rules, what they are asked about, and what comes of them.

A rule is one statement, with a test of it in three values. The findings of a mailbox are drawn together into
an assessment: *support* (what Microsoft's page says of it) and *readiness* (whether it would work now). The two
never mix, and neither is ever good by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from probe.model.answers import Answer, Truth
from probe.model.facts import FactKey, Facts, Reading


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a statement stands."""

    title: str
    """Title and heading of the page."""
    url: str
    dated: str
    """The page's own date, or the day it was read, as YYYY-MM-DD or YYYY-MM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The keys that a rule asks of each part of a case, and no others."""

    deployment: tuple[FactKey[Any], ...] = ()
    profile: tuple[FactKey[Any], ...] = ()
    mailbox: tuple[FactKey[Any], ...] = ()
    incoming: tuple[FactKey[Any], ...] = ()
    outgoing: tuple[FactKey[Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule is asked about: one mailbox with all that surrounds it, and the date of judgement."""

    deployment: Facts
    profile: Facts
    mailbox: Facts
    incoming: Facts
    """Facts of the profile's incoming endpoint, and of this mailbox's account there."""
    outgoing: Facts
    date: date

    def restricted_to(self, needs: Needs) -> Case:
        """The case as a rule with these needs may see it; asking for another key is a KeyError."""
        return replace(
            self,
            deployment=self.deployment.only(needs.deployment),
            profile=self.profile.only(needs.profile),
            mailbox=self.mailbox.only(needs.mailbox),
            incoming=self.incoming.only(needs.incoming),
            outgoing=self.outgoing.only(needs.outgoing),
        )


class Otherwise(StrEnum):
    """What a *no* means."""

    UNSUPPORTED = "unsupported"
    NOT_LISTED = "not-listed"
    NOT_READY = "not-ready"
    ADVICE = "advice"


class Result(StrEnum):
    """What came of one rule for one mailbox."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class Support(StrEnum):
    """Earlier members win when findings are drawn together; NOT_ASSESSED stands apart."""

    UNSUPPORTED = "unsupported"
    UNDETERMINED = "undetermined"
    NOT_LISTED = "not-listed"
    SUPPORTED = "supported"
    NOT_ASSESSED = "not-assessed"


class Readiness(StrEnum):
    """Earlier members win when findings are drawn together; NOT_ASSESSED stands apart."""

    NOT_READY = "not-ready"
    UNDETERMINED = "undetermined"
    READY = "ready"
    NOT_ASSESSED = "not-assessed"


class SignedIn(StrEnum):
    """What came of signing in for a mailbox; of several endpoints the earlier member counts."""

    REFUSED = "refused"
    NOT_TRIED = "not-tried"
    NOT_ALLOWED = "not-allowed"
    """Nobody allowed it."""
    IMPOSSIBLE = "impossible"
    """Only the Dynamics server has these credentials."""
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One statement, with a test of it. No field has a default: a rule without a remedy or a source does not type-check."""

    id: str
    """Named for the pattern that it guards against."""
    title: str
    statement: str
    """What is stated, in our own words."""
    references: tuple[Reference, ...]
    """Where it is stated; all of them where sources disagree."""
    needs: Needs
    lists: bool
    """Whether this is a row of the support table: at least one of those must hold before anything is supported."""
    applies: Callable[[Case], Answer]
    """Whether the statement speaks of such a mailbox."""
    holds: Callable[[Case], Answer]
    """Whether the mailbox keeps to it."""
    otherwise: Otherwise
    remedy: str
    """What to do when it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one rule for one mailbox, with the readings that decided it."""

    rule: Rule
    result: Result
    because: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The findings of a mailbox, drawn together."""

    mailbox: str
    profile: str
    support: Support
    readiness: Readiness
    signed_in: SignedIn | None
    """None where server-side synchronization serves nothing of the mailbox."""
    findings: tuple[Finding, ...]


def judge(rule: Rule, case: Case) -> Finding:
    """Ask one rule about one case. Where it is unknown whether a rule applies, it holds if it would hold anyway, else is unknown."""
    seen = case.restricted_to(rule.needs)
    applies = rule.applies(seen)
    if applies.truth is Truth.NO:
        return Finding(rule=rule, result=Result.NOT_APPLICABLE, because=applies.because)
    holds = rule.holds(seen)
    if holds.truth is Truth.YES:
        return Finding(rule=rule, result=Result.HOLDS, because=holds.because)
    if applies.truth is Truth.UNKNOWN:
        return Finding(rule=rule, result=Result.UNKNOWN, because=applies.because)
    result = Result.FAILS if holds.truth is Truth.NO else Result.UNKNOWN
    return Finding(rule=rule, result=result, because=holds.because)


def support(findings: Iterable[Finding]) -> Support:
    """What the findings say of support. A listing must hold before anything is supported."""
    about = [f for f in findings if f.rule.otherwise in (Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED)]
    failed = {f.rule.otherwise for f in about if f.result is Result.FAILS}
    if Otherwise.UNSUPPORTED in failed:
        return Support.UNSUPPORTED
    if any(f.result is Result.UNKNOWN for f in about):
        return Support.UNDETERMINED
    if failed or not any(f.rule.lists and f.result is Result.HOLDS for f in about):
        return Support.NOT_LISTED
    return Support.SUPPORTED


def readiness(findings: Iterable[Finding]) -> Readiness:
    """What the findings say of readiness. Something must have been found ready before anything is."""
    about = [f for f in findings if f.rule.otherwise is Otherwise.NOT_READY]
    if any(f.result is Result.FAILS for f in about):
        return Readiness.NOT_READY
    if any(f.result is Result.UNKNOWN for f in about) or not any(f.result is Result.HOLDS for f in about):
        return Readiness.UNDETERMINED
    return Readiness.READY
