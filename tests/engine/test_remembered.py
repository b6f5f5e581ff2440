"""What is remembered of judgements is bounded."""

from __future__ import annotations

from datetime import timedelta

from probe.engine.remembered import DaysOfJudging, Remembered
from tests.runs import NOON


def test_what_is_remembered_is_given_again() -> None:
    """A key has the value that was kept last; one that was not kept has none."""
    remembered: Remembered[str] = Remembered(3)
    assert remembered.get("a") is None
    remembered.keep("a", "one")
    assert remembered.get("a") == "one"


def test_where_there_is_no_room_all_is_forgotten() -> None:
    """So much is kept and no more, however much comes."""
    remembered: Remembered[int] = Remembered(3)
    for number in range(4):
        remembered.keep(number, number)
    assert [remembered.get(number) for number in range(4)] == [None, None, None, 3]


def test_the_last_days_are_remembered() -> None:
    """A day that is asked for again and again stays, while days that nobody asks for go."""
    days = DaysOfJudging()
    today = days.on(NOON.date())
    gone = days.on(NOON.date() + timedelta(days=1))
    for number in range(2, 20):
        days.on(NOON.date() + timedelta(days=number))
        assert days.on(NOON.date()) is today
    assert days.on(NOON.date() + timedelta(days=1)) is not gone
