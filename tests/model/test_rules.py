"""Judging, and drawing findings together."""

from __future__ import annotations

from itertools import permutations

import pytest

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, Truth
from probe.model.facts import Missing, Why
from probe.model.rules import (
    Finding,
    Needs,
    Otherwise,
    Readiness,
    Reference,
    Result,
    Rule,
    Support,
    judge,
    readiness,
    support,
)
from tests.cases import exchange_case

UNKNOWN = Answer(Truth.UNKNOWN)
GAP = Missing(subject="endpoint", key=v.NET_CONNECTED, why=Why.TIMED_OUT)
OTHER_GAP = Missing(subject="mailbox", key=v.MFA_REQUIRED, why=Why.NOT_DISCLOSED)


def rule(applies: Answer = YES, holds: Answer = YES, otherwise: Otherwise = Otherwise.UNSUPPORTED, *, lists: bool = False) -> Rule:
    return Rule(
        id="some-rule",
        title="some rule",
        statement="something is so.",
        references=(Reference("a page", "https://example.test/", "2026-11-23"),),
        needs=Needs(),
        lists=lists,
        applies=lambda case: applies,
        holds=lambda case: holds,
        otherwise=otherwise,
        remedy="mend it.",
    )


def finding(result: Result, otherwise: Otherwise, *, lists: bool = False) -> Finding:
    return Finding(rule=rule(otherwise=otherwise, lists=lists), result=result, because=())


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
    assert readiness([]) is Readiness.UNDETERMINED
    assert readiness([finding(Result.NOT_APPLICABLE, Otherwise.NOT_READY)]) is Readiness.UNDETERMINED
    assert readiness([finding(Result.HOLDS, Otherwise.NOT_READY)]) is Readiness.READY


def test_the_worst_finding_decides_readiness_in_any_order() -> None:
    """Not ready beats undetermined, which beats ready."""
    ready, unknown, broken = (finding(result, Otherwise.NOT_READY) for result in (Result.HOLDS, Result.UNKNOWN, Result.FAILS))
    for findings in permutations([ready, unknown, broken]):
        assert readiness(findings) is Readiness.NOT_READY
    for findings in permutations([ready, unknown]):
        assert readiness(findings) is Readiness.UNDETERMINED


def test_support_and_readiness_never_mix() -> None:
    """A supported system may be down, and an unsupported one up."""
    down, up = finding(Result.FAILS, Otherwise.NOT_READY), finding(Result.HOLDS, Otherwise.NOT_READY)
    excluded = finding(Result.FAILS, Otherwise.UNSUPPORTED)
    assert (support([LISTED, down]), readiness([LISTED, down])) == (Support.SUPPORTED, Readiness.NOT_READY)
    assert (support([LISTED, excluded, up]), readiness([LISTED, excluded, up])) == (Support.UNSUPPORTED, Readiness.READY)


@pytest.mark.parametrize("result", [Result.FAILS, Result.UNKNOWN])
def test_advice_decides_nothing(result: Result) -> None:
    """Advice that fails or is unknown changes neither support nor readiness."""
    findings = [LISTED, finding(Result.HOLDS, Otherwise.NOT_READY), finding(result, Otherwise.ADVICE)]
    assert (support(findings), readiness(findings)) == (Support.SUPPORTED, Readiness.READY)
