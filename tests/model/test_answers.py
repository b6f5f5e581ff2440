"""Answers in three values."""

from __future__ import annotations

from itertools import product

import pytest

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, Truth, all_of, any_of, ask, negate
from probe.model.facts import Facts, Missing, Reading, Why
from tests.cases import facts

UNKNOWN = Answer(Truth.UNKNOWN)
Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN
ANSWERS = {Y: YES, N: NO, U: UNKNOWN}

# Kleene's strong tables, row by row: yes, no, unknown.
AND = {(Y, Y): Y, (Y, N): N, (Y, U): U, (N, Y): N, (N, N): N, (N, U): N, (U, Y): U, (U, N): N, (U, U): U}
OR = {(Y, Y): Y, (Y, N): Y, (Y, U): Y, (N, Y): Y, (N, N): N, (N, U): U, (U, Y): Y, (U, N): U, (U, U): U}


def missing(subject: str) -> Reading:
    return Missing(subject=subject, key=v.NET_CONNECTED, why=Why.TIMED_OUT)


@pytest.mark.parametrize(("one", "other"), list(product(Truth, Truth)))
def test_all_of_is_kleenes_and(one: Truth, other: Truth) -> None:
    """No beats unknown, and unknown beats yes, under AND."""
    assert all_of(ANSWERS[one], ANSWERS[other]).truth is AND[one, other]


@pytest.mark.parametrize(("one", "other"), list(product(Truth, Truth)))
def test_any_of_is_kleenes_or(one: Truth, other: Truth) -> None:
    """Yes beats unknown, and unknown beats no, under OR."""
    assert any_of(ANSWERS[one], ANSWERS[other]).truth is OR[one, other]


def test_negation_swaps_yes_and_no() -> None:
    """The negation of unknown is unknown."""
    assert [negate(ANSWERS[truth]).truth for truth in (Y, N, U)] == [N, Y, U]


@pytest.mark.parametrize(("one", "other"), list(product(Truth, Truth)))
def test_de_morgan_holds(one: Truth, other: Truth) -> None:
    """Not (a and b) is (not a) or (not b)."""
    a, b = ANSWERS[one], ANSWERS[other]
    assert negate(all_of(a, b)).truth is any_of(negate(a), negate(b)).truth


def test_all_of_nothing_is_yes_and_any_of_nothing_is_no() -> None:
    """The folds of nothing are the neutral answers."""
    assert all_of().truth is Y
    assert any_of().truth is N


def test_only_deciding_readings_are_cited() -> None:
    """A fold cites the readings of the answers that decided it."""
    no, yes, unknown = Answer(N, (missing("a"),)), Answer(Y, (missing("b"),)), Answer(U, (missing("c"),))
    assert [r.subject for r in all_of(yes, no, unknown).because] == ["a"]
    assert [r.subject for r in any_of(yes, no, unknown).because] == ["b"]
    assert [r.subject for r in all_of(yes, unknown).because] == ["c"]


def test_a_reading_is_cited_once() -> None:
    """A reading that decided twice is cited once, and one of another subject beside it."""
    answer = all_of(Answer(Y, (missing("a"), missing("b"))), Answer(Y, (missing("a"),)))
    assert [r.subject for r in answer.because] == ["a", "b"]


def test_negation_keeps_what_was_cited() -> None:
    """What decided an answer decided its opposite."""
    assert negate(Answer(N, (missing("a"),))).because == (missing("a"),)


def test_an_answer_refuses_to_be_a_bool() -> None:
    """An answer used as a condition is an error, because unknown would pass for no."""
    with pytest.raises(TypeError, match="three values"):
        bool(YES)


@pytest.mark.parametrize(("value", "truth"), [(True, Y), (False, N), (Why.TIMED_OUT, U)])
def test_asking_tests_the_value_or_says_why_there_is_none(value: bool | Why, truth: Truth) -> None:
    """A question about a key is answered by its value, and is unknown with the gap's reason without one."""
    known = facts("endpoint", {v.NET_CONNECTED: value})
    answer = ask(known, v.NET_CONNECTED, bool)
    assert answer.truth is truth
    assert answer.because == (known.read(v.NET_CONNECTED),)


def test_asking_for_what_nobody_tried_is_unknown() -> None:
    """A key without any reading is unknown, as not attempted."""
    (reading,) = ask(Facts("endpoint"), v.NET_CONNECTED, bool).because
    assert isinstance(reading, Missing)
    assert reading.why is Why.NOT_ATTEMPTED
