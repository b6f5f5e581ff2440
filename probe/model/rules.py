"""Rules, the cases that they are applied to, and their results.

A rule is one statement, with a test of it in three values. The findings of a mailbox are combined into
an assessment: *support* (what Microsoft's page says of it) and *readiness* (whether it would work now, in each
direction that server-side synchronization serves). The two never mix, and neither is ever good by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from probe.model.answers import Answer, Truth
from probe.model.estate import Delivery
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.values import dataclass
from probe.model.vocabulary import DYNAMICS_KEYS, MAILBOX_APPOINTMENTS, MAILBOX_INCOMING, MAILBOX_OUTGOING


class Direction(StrEnum):
    """What is synchronized, and which way. Each has a delivery method of its own, and Test & Enable reports on each."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    APPOINTMENTS = "appointments"
    """Appointments, contacts and tasks. They go through the incoming endpoint, over EWS, both ways."""


DELIVERY: Mapping[Direction, FactKey[str]] = {
    Direction.INCOMING: MAILBOX_INCOMING,
    Direction.OUTGOING: MAILBOX_OUTGOING,
    Direction.APPOINTMENTS: MAILBOX_APPOINTMENTS,
}
"""The key of a mailbox that says how each direction is delivered."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The source of a statement."""

    title: str
    """Title and heading of the page."""
    url: str
    dated: str
    """The page's own date, or the day it was read, as YYYY-MM-DD or YYYY-MM."""
    disagrees: bool = False
    """Whether it contradicts the first of the rule's references, so that a reader needs to see both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The keys that a rule reads in each part of a case, and no others."""

    deployment: tuple[FactKey[Any], ...] = ()
    profile: tuple[FactKey[Any], ...] = ()
    mailbox: tuple[FactKey[Any], ...] = ()
    incoming: tuple[FactKey[Any], ...] = ()
    outgoing: tuple[FactKey[Any], ...] = ()

    @property
    def all_keys(self) -> frozenset[FactKey[Any]]:
        """Those of all parts."""
        return frozenset(key for part in fields(self) for key in getattr(self, part.name))

    def __or__(self, more: Needs) -> Needs:
        """What both need, each key once."""
        return Needs(**{part.name: _once(getattr(self, part.name), getattr(more, part.name)) for part in fields(self)})


def _once(some: tuple[FactKey[Any], ...], more: tuple[FactKey[Any], ...]) -> tuple[FactKey[Any], ...]:
    return tuple(dict.fromkeys((*some, *more)))


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
    direction: Direction | None = None
    """The one direction that the rule is applied to; None for all those that are served."""

    def serves(self, direction: Direction) -> bool:
        """Whether server-side synchronization serves a direction, by the estate; the case may be about another direction."""
        return self.mailbox.value(DELIVERY[direction]) == Delivery.SERVER_SIDE

    def restricted_to(self, needs: Needs) -> Case:
        """The case restricted to these needs. Reading any other key raises KeyError."""
        return replace(
            self,
            deployment=self.deployment.only(needs.deployment),
            profile=self.profile.only(needs.profile),
            mailbox=self.mailbox.only(needs.mailbox),
            incoming=self.incoming.only(needs.incoming),
            outgoing=self.outgoing.only(needs.outgoing),
        )


class By(StrEnum):
    """Whose statement a rule is, and with that what it may decide."""

    MICROSOFT = "microsoft"
    """The page on supported configurations, or another page of Microsoft's on support. Support is drawn from these alone."""
    READINESS = "readiness"
    """Whether it would work now. Readiness is drawn from these alone."""
    OPERATOR = "operator"
    """A rule of the operator's own."""


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
    """Earlier members win when findings are combined; NOT_ASSESSED stands apart."""

    UNSUPPORTED = "unsupported"
    UNDETERMINED = "undetermined"
    NOT_LISTED = "not-listed"
    SUPPORTED = "supported"
    NOT_ASSESSED = "not-assessed"


class Readiness(StrEnum):
    """Earlier members win when findings are combined; NOT_ASSESSED stands apart."""

    NOT_READY = "not-ready"
    UNDETERMINED = "undetermined"
    READY = "ready"
    NOT_ASSESSED = "not-assessed"


class Grade(StrEnum):
    """What both verdicts of a mailbox come to for a script: an exit code, a case of a test report. Earlier members win."""

    BAD = "bad"
    OPEN = "open"
    """Not as bad, and not known to be good."""
    GOOD = "good"


def grade(support: Support, readiness: Readiness, accept: frozenset[Support] = frozenset()) -> Grade:
    """How a mailbox stands, where these verdicts on support are accepted. One that is not assessed stands well: nothing is asked of it."""
    if support is Support.NOT_ASSESSED:
        return Grade.GOOD
    if readiness is Readiness.NOT_READY or support in {Support.UNSUPPORTED, Support.NOT_LISTED} - accept:
        return Grade.BAD
    return Grade.OPEN if Support.UNDETERMINED is support or readiness is Readiness.UNDETERMINED else Grade.GOOD


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
    by: By
    """The author of the statement."""
    lists: bool
    """Whether this is a row of the support table: at least one of those must hold before anything is supported."""
    applies: Callable[[Case], Answer]
    """Whether the statement applies to a mailbox."""
    holds: Callable[[Case], Answer]
    """Whether the statement holds for the mailbox."""
    otherwise: Otherwise
    remedy: str
    """What to do when it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one rule for one mailbox, with the readings that decided it."""

    rule: Rule
    result: Result
    because: tuple[Reading, ...]
    directions: Mapping[Direction, Result] = field(default_factory=dict, hash=False)
    """What came of a readiness rule in each direction that is served; the worst of them is the result. Empty for other rules, and where it is not known
    for Dynamics' own state alone, which is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The findings of a mailbox, combined."""

    mailbox: str
    profile: str
    support: Support
    readiness: Readiness
    """The worst of the directions."""
    directions: Mapping[Direction, Readiness | None]
    """All three; None where server-side synchronization does not serve that direction."""
    signed_in: SignedIn | None
    """None where server-side synchronization serves nothing of the mailbox."""
    findings: tuple[Finding, ...]


NO_DIRECTION: Mapping[Direction, Readiness | None] = dict.fromkeys(Direction)
"""The directions of a mailbox that server-side synchronization does not serve."""


def judge(rule: Rule, case: Case) -> Finding:
    """Apply one rule to one case: to the whole mailbox, and a readiness rule to each direction that is served.

    Where it is unknown whether a rule applies, it holds if it would hold anyway, else is unknown.
    """
    return judge_seen(rule, case.restricted_to(rule.needs), [direction for direction in Direction if case.serves(direction)])


def judge_seen(rule: Rule, seen: Case, served: Iterable[Direction]) -> Finding:
    """Apply one rule to what it needs of a case, in which these directions are served."""
    result, because = _asked(rule, seen)
    served = [direction for direction in served if decides_readiness(rule)]
    of_directions: Mapping[Direction, Result]
    if result is Result.UNKNOWN and rests_on_old_state(because):
        of_directions = {}
    elif result is Result.NOT_APPLICABLE or len(served) < 2:
        of_directions = dict.fromkeys(served, result)
    else:
        parts = {direction: _part(rule, replace(seen, direction=direction), result) for direction in served}
        of_directions = {direction: part for direction, part in parts.items() if part is not None}
    return Finding(rule=rule, result=result, because=because, directions=of_directions)


def rests_on_old_state(because: Iterable[Reading]) -> bool:
    """Whether what is not known is Dynamics' own state alone, which could not be read for too long.

    A server that is away says nothing of the mail servers; so this is advice, and no readiness hangs on it.
    """
    gaps = [reading for reading in because if isinstance(reading, Missing)]
    # Beside what is stale there may be what was not said then either.
    return any(gap.why is Why.STALE for gap in gaps) and all(gap.key in DYNAMICS_KEYS for gap in gaps)


def _part(rule: Rule, seen: Case, whole: Result) -> Result | None:
    """The result for one direction; None where none is drawn. What holds of the whole mailbox holds of each of its directions, wherever it applies."""
    if whole is not Result.HOLDS:
        result, because = _asked(rule, seen)
        return None if result is Result.UNKNOWN and rests_on_old_state(because) else result
    return Result.NOT_APPLICABLE if rule.applies(seen).truth is Truth.NO else Result.HOLDS


def decides_readiness(rule: Rule) -> bool:
    """Whether readiness is drawn from a rule, and so for each direction."""
    return rule.by is By.READINESS and rule.otherwise is Otherwise.NOT_READY


def _asked(rule: Rule, seen: Case) -> tuple[Result, tuple[Reading, ...]]:
    """The result, and the readings that decided it."""
    applies = rule.applies(seen)
    if applies.truth is Truth.NO:
        # That nobody asked is known of the run itself. Thousands of mailboxes have this in common, so that they share the finding.
        return Result.NOT_APPLICABLE, tuple([one for one in applies.because if isinstance(one, Fact) or not one.says_nothing])
    holds = rule.holds(seen)
    if holds.truth is Truth.YES:
        return Result.HOLDS, holds.because
    if applies.truth is Truth.UNKNOWN:
        return Result.UNKNOWN, applies.because
    return Result.FAILS if holds.truth is Truth.NO else Result.UNKNOWN, holds.because


def support(findings: Iterable[Finding]) -> Support:
    """What the findings of Microsoft's statements say of support. A listing must hold before anything is supported."""
    about = [f for f in findings if f.rule.by is By.MICROSOFT and f.rule.otherwise in (Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED)]
    failed = {f.rule.otherwise for f in about if f.result is Result.FAILS}
    if Otherwise.UNSUPPORTED in failed:
        return Support.UNSUPPORTED
    if any(f.result is Result.UNKNOWN for f in about):
        return Support.UNDETERMINED
    if failed or not any(f.rule.lists and f.result is Result.HOLDS for f in about):
        return Support.NOT_LISTED
    return Support.SUPPORTED


def directions(findings: Iterable[Finding], case: Case) -> dict[Direction, Readiness | None]:
    """The readiness of each direction that is served. Something must have been found ready in it before it is."""
    about = [f.directions for f in findings if decides_readiness(f.rule)]
    return {d: _drawn_together({results[d] for results in about if d in results}) if case.serves(d) else None for d in Direction}


def _drawn_together(results: set[Result]) -> Readiness:
    if Result.FAILS in results:
        return Readiness.NOT_READY
    return Readiness.UNDETERMINED if Result.UNKNOWN in results or Result.HOLDS not in results else Readiness.READY


def readiness(of_directions: Mapping[Direction, Readiness | None]) -> Readiness:
    """The worst of the directions that are served; not assessed where none is."""
    return next((worst for worst in Readiness if worst in of_directions.values()), Readiness.NOT_ASSESSED)
