"""Judging, and drawing findings together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, Truth
from probe.model.facts import Facts, Missing, Why
from probe.model.keys import FactKey
from probe.model.rules import (
    NO_DIRECTION,
    By,
    Case,
    Direction,
    Finding,
    Needs,
    Otherwise,
    Readiness,
    Reference,
    Result,
    Rule,
    Support,
    directions,
    judge,
    readiness,
    support,
)
from tests.cases import exchange_case

UNKNOWN = Answer(Truth.UNKNOWN)
GAP = Missing(subject="endpoint", key=v.NET_CONNECTED, why=Why.TIMED_OUT)
OTHER_GAP = Missing(subject="mailbox", key=v.MFA_REQUIRED, why=Why.NOT_DISCLOSED)


def rule(
    applies: Answer = YES,
    holds: Answer = YES,
    otherwise: Otherwise = Otherwise.UNSUPPORTED,
    *,
    by: By | None = None,
    lists: bool = False,
) -> Rule:
    return Rule(
        id="some-rule",
        title="some rule",
        statement="something is so.",
        references=(Reference("a page", "https://example.test/", "2026-11-23"),),
        needs=Needs(),
        by=by or (By.READINESS if otherwise is Otherwise.NOT_READY else By.MICROSOFT),
        lists=lists,
        applies=lambda case: applies,
        holds=lambda case: holds,
        otherwise=otherwise,
        remedy="mend it.",
    )


def finding(result: Result, otherwise: Otherwise, *, by: By | None = None, lists: bool = False) -> Finding:
    """A finding of a mailbox of which only outgoing mail is served."""
    of_rule = rule(otherwise=otherwise, by=by, lists=lists)
    return Finding(rule=of_rule, result=result, because=(), directions={Direction.OUTGOING: result})


SENDS_ONLY = exchange_case(mailbox={v.MAILBOX_INCOMING: "none", v.MAILBOX_APPOINTMENTS: "none"})


def ready(findings: Iterable[Finding]) -> Readiness:
    """What the findings say of a mailbox of which only outgoing mail is served."""
    return readiness(directions(findings, SENDS_ONLY))


LISTED = finding(Result.HOLDS, Otherwise.NOT_LISTED, lists=True)


@pytest.mark.parametrize(
    ("applies", "holds", "result"),
    [
        (YES, YES, Result.HOLDS),
        (YES, NO, Result.FAILS),
        (YES, UNKNOWN, Result.UNKNOWN),
        (NO, YES, Result.NOT_APPLICABLE),
        (NO, NO, Result.NOT_APPLICABLE),
        (NO, UNKNOWN, Result.NOT_APPLICABLE),
        (UNKNOWN, YES, Result.HOLDS),
        (UNKNOWN, NO, Result.UNKNOWN),
        (UNKNOWN, UNKNOWN, Result.UNKNOWN),
    ],
)
def test_a_rule_comes_to_a_result_by_both_its_answers(applies: Answer, holds: Answer, result: Result) -> None:
    """A rule that does not apply says so, and one that may apply is definite only where it holds either way."""
    assert judge(rule(applies, holds), exchange_case()).result is result


@pytest.mark.parametrize(
    ("applies", "holds", "because"),
    [
        (Answer(Truth.NO, (GAP,)), NO, (GAP,)),
        (YES, Answer(Truth.NO, (GAP,)), (GAP,)),
        (YES, Answer(Truth.UNKNOWN, (GAP,)), (GAP,)),
        (Answer(Truth.UNKNOWN, (OTHER_GAP,)), Answer(Truth.NO, (GAP,)), (OTHER_GAP,)),
        (Answer(Truth.UNKNOWN, (OTHER_GAP,)), Answer(Truth.YES, (GAP,)), (GAP,)),
    ],
)
def test_a_finding_cites_what_decided_it(applies: Answer, holds: Answer, because: tuple[Missing, ...]) -> None:
    """A finding carries the readings of the answer that decided it."""
    assert judge(rule(applies, holds), exchange_case()).because == because


def test_that_nobody_asked_is_not_cited() -> None:
    """Where a rule does not apply, a reading that stands for none is left out, so that mailboxes of which nobody asked share the finding."""
    untried = Facts("a@branch.test").read(v.MFA_REQUIRED)
    assert judge(rule(Answer(Truth.NO, (untried, GAP))), exchange_case()).because == (GAP,)
    assert judge(rule(YES, Answer(Truth.NO, (untried,))), exchange_case()).because == (untried,)


def test_a_rule_sees_only_what_it_needs() -> None:
    """A case restricted to some needs answers for those keys, and for no other."""
    case = exchange_case().restricted_to(Needs(incoming=(v.NET_CONNECTED,)))
    assert case.incoming.value(v.NET_CONNECTED) is True
    with pytest.raises(KeyError):
        case.incoming.read(v.TLS_COMPLETED)
    with pytest.raises(KeyError):
        case.outgoing.read(v.NET_CONNECTED)
    with pytest.raises(KeyError):
        case.mailbox.knows(v.MAILBOX_INCOMING)
    assert {reading.key for reading in case.incoming} == {v.NET_CONNECTED}


def test_support_is_never_the_default() -> None:
    """Nothing is supported unless a row of the table holds."""
    assert support([]) is Support.NOT_LISTED
    assert support([finding(Result.HOLDS, Otherwise.UNSUPPORTED)]) is Support.NOT_LISTED
    assert support([finding(Result.NOT_APPLICABLE, Otherwise.NOT_LISTED, lists=True)]) is Support.NOT_LISTED
    assert support([LISTED]) is Support.SUPPORTED


def test_the_worst_finding_decides_support_in_any_order() -> None:
    """Unsupported beats undetermined, which beats not listed, which beats supported."""
    unsupported, unknown = finding(Result.FAILS, Otherwise.UNSUPPORTED), finding(Result.UNKNOWN, Otherwise.UNSUPPORTED)
    not_listed = finding(Result.FAILS, Otherwise.NOT_LISTED)
    for findings in permutations([LISTED, not_listed, unknown, unsupported]):
        assert support(findings) is Support.UNSUPPORTED
    for findings in permutations([LISTED, not_listed, unknown]):
        assert support(findings) is Support.UNDETERMINED
    for findings in permutations([LISTED, not_listed]):
        assert support(findings) is Support.NOT_LISTED


def test_readiness_is_never_the_default() -> None:
    """Nothing is ready unless something was found to be so."""
    assert ready([]) is Readiness.UNDETERMINED
    assert ready([finding(Result.NOT_APPLICABLE, Otherwise.NOT_READY)]) is Readiness.UNDETERMINED
    assert ready([finding(Result.HOLDS, Otherwise.NOT_READY)]) is Readiness.READY


def test_the_worst_finding_decides_readiness_in_any_order() -> None:
    """Not ready beats undetermined, which beats ready."""
    good, unknown, broken = (finding(result, Otherwise.NOT_READY) for result in (Result.HOLDS, Result.UNKNOWN, Result.FAILS))
    for findings in permutations([good, unknown, broken]):
        assert ready(findings) is Readiness.NOT_READY
    for findings in permutations([good, unknown]):
        assert ready(findings) is Readiness.UNDETERMINED


def test_support_and_readiness_never_mix() -> None:
    """A supported system may be down, and an unsupported one up."""
    down, up = finding(Result.FAILS, Otherwise.NOT_READY), finding(Result.HOLDS, Otherwise.NOT_READY)
    excluded = finding(Result.FAILS, Otherwise.UNSUPPORTED)
    assert (support([LISTED, down]), ready([LISTED, down])) == (Support.SUPPORTED, Readiness.NOT_READY)
    assert (support([LISTED, excluded, up]), ready([LISTED, excluded, up])) == (Support.UNSUPPORTED, Readiness.READY)


@pytest.mark.parametrize("result", [Result.FAILS, Result.UNKNOWN])
def test_advice_decides_nothing(result: Result) -> None:
    """Advice that fails or is unknown changes neither support nor readiness."""
    findings = [LISTED, finding(Result.HOLDS, Otherwise.NOT_READY), finding(result, Otherwise.ADVICE)]
    assert (support(findings), ready(findings)) == (Support.SUPPORTED, Readiness.READY)


@pytest.mark.parametrize(
    ("gaps", "readiness_of_it"),
    [
        ([(v.DYNAMICS_APPROVED, Why.STALE)], Readiness.READY),
        ([(v.DYNAMICS_APPROVED, Why.STALE), (v.DYNAMICS_ACTIVE, Why.STALE)], Readiness.READY),
        ([(v.DYNAMICS_APPROVED, Why.NOT_DISCLOSED)], Readiness.UNDETERMINED),
        ([(v.DYNAMICS_APPROVED, Why.STALE), (v.NET_CONNECTED, Why.TIMED_OUT)], Readiness.UNDETERMINED),
        ([(v.AUTH_ACCEPTED, Why.STALE)], Readiness.UNDETERMINED),
    ],
)
@pytest.mark.parametrize("case", [SENDS_ONLY, exchange_case()], ids=["one direction", "all"])
def test_a_rule_that_is_unknown_for_old_state_of_dynamics_alone_decides_no_readiness(
    case: Case, gaps: list[tuple[FactKey[Any], Why]], readiness_of_it: Readiness
) -> None:
    """That Dynamics was away for too long says nothing of the mail servers; the finding stays unknown."""
    because = tuple(Missing(subject="x", key=key, why=why) for key, why in gaps)
    good, old = (judge(rule(holds=answer, otherwise=Otherwise.NOT_READY), case) for answer in (YES, Answer(Truth.UNKNOWN, because)))
    assert old.result is Result.UNKNOWN
    assert readiness(directions([good, old], case)) is readiness_of_it


@pytest.mark.parametrize("by", [By.READINESS, By.OPERATOR])
@pytest.mark.parametrize("otherwise", [Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED])
def test_support_is_drawn_from_what_microsoft_states_alone(by: By, otherwise: Otherwise) -> None:
    """A rule of readiness or of the operator changes no support, and lists nothing."""
    for result in (Result.FAILS, Result.UNKNOWN):
        assert support([LISTED, finding(result, otherwise, by=by)]) is Support.SUPPORTED
    assert support([finding(Result.HOLDS, otherwise, by=by, lists=True)]) is Support.NOT_LISTED


@pytest.mark.parametrize("by", [By.MICROSOFT, By.OPERATOR])
def test_readiness_is_drawn_from_rules_of_readiness_alone(by: By) -> None:
    """A statement of Microsoft's or of the operator's makes nothing ready, nor not ready."""
    good = finding(Result.HOLDS, Otherwise.NOT_READY)
    assert ready([good, finding(Result.FAILS, Otherwise.NOT_READY, by=by)]) is Readiness.READY
    assert ready([finding(Result.HOLDS, Otherwise.NOT_READY, by=by)]) is Readiness.UNDETERMINED


def _works_outgoing_only(case: Case) -> Answer:
    return YES if case.direction is Direction.OUTGOING else NO


def test_a_rule_of_readiness_is_asked_about_each_direction_that_is_served() -> None:
    """The finding has a result for each direction that is served, and none for another."""
    partly = replace(rule(otherwise=Otherwise.NOT_READY), holds=_works_outgoing_only)
    no_appointments = exchange_case(mailbox={v.MAILBOX_APPOINTMENTS: "outlook"})
    assert judge(partly, no_appointments).directions == {Direction.INCOMING: Result.FAILS, Direction.OUTGOING: Result.HOLDS}
    assert judge(replace(partly, otherwise=Otherwise.ADVICE), no_appointments).directions == {}
    assert judge(replace(partly, by=By.MICROSOFT), no_appointments).directions == {}


def test_of_the_one_direction_that_is_served_the_whole_finding_speaks() -> None:
    """Where one direction is served its result is that of the mailbox; where a rule does not apply to that, it applies to no direction."""
    assert judge(rule(YES, UNKNOWN, Otherwise.NOT_READY), SENDS_ONLY).directions == {Direction.OUTGOING: Result.UNKNOWN}
    assert set(judge(rule(NO, NO, Otherwise.NOT_READY), exchange_case()).directions.values()) == {Result.NOT_APPLICABLE}


def test_directions_that_are_not_served_have_no_readiness() -> None:
    """A direction is assessed where server-side synchronization serves it, and a mailbox where it serves one."""
    assert directions([finding(Result.HOLDS, Otherwise.NOT_READY)], SENDS_ONLY) == {**NO_DIRECTION, Direction.OUTGOING: Readiness.READY}
    assert readiness(NO_DIRECTION) is Readiness.NOT_ASSESSED


def test_readiness_is_the_worst_of_the_directions() -> None:
    """Not ready in one direction is not ready, and so is undetermined, whichever direction it is."""
    for first, second, third in permutations((Readiness.READY, Readiness.UNDETERMINED, Readiness.NOT_READY)):
        of_directions = dict(zip(Direction, (first, second, third), strict=True))
        assert readiness(of_directions) is Readiness.NOT_READY
    assert readiness({Direction.INCOMING: Readiness.READY, Direction.OUTGOING: Readiness.UNDETERMINED}) is Readiness.UNDETERMINED
    assert readiness({Direction.INCOMING: None, Direction.OUTGOING: Readiness.READY}) is Readiness.READY
