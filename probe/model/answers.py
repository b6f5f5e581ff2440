"""Answers in three values, with the readings that decided them (Kleene's strong logic)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NoReturn, TypeVar

from probe.model.facts import Fact, Facts, Reading
from probe.model.keys import FactKey
from probe.model.values import dataclass

T = TypeVar("T")


class Truth(StrEnum):
    """Yes, no, or not known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A truth value and the readings that decided it."""

    truth: Truth
    because: tuple[Reading, ...] = ()

    def __bool__(self) -> NoReturn:
        # `if answer:` would file unknown under no.
        raise TypeError("an Answer has three values; compare its .truth")


YES = Answer(Truth.YES)
NO = Answer(Truth.NO)


def ask(facts: Facts, key: FactKey[T], test: Callable[[T], bool]) -> Answer:
    """Whether the value of a key passes a test; unknown, with the reason, where there is no value."""
    reading = facts.read(key)
    if isinstance(reading, Fact):
        return Answer(Truth.YES if test(reading.value) else Truth.NO, (reading,))
    return Answer(Truth.UNKNOWN, (reading,))


def all_of(*answers: Answer) -> Answer:
    """No if any is no, else unknown if any is unknown, else yes. Yes of nothing."""
    return _fold(answers, (Truth.NO, Truth.UNKNOWN, Truth.YES))


def any_of(*answers: Answer) -> Answer:
    """Yes if any is yes, else unknown if any is unknown, else no. No of nothing."""
    return _fold(answers, (Truth.YES, Truth.UNKNOWN, Truth.NO))


def negate(answer: Answer) -> Answer:
    """Yes for no, no for yes, unknown for unknown."""
    opposite = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}
    return Answer(opposite[answer.truth], answer.because)


def _fold(answers: tuple[Answer, ...], order: tuple[Truth, Truth, Truth]) -> Answer:
    """The first truth of the order that occurs, citing only the answers that have it."""
    for truth in order:
        deciding = [a for a in answers if a.truth is truth]
        if deciding:
            cited: dict[tuple[str, str | None, str], Reading] = {}
            for answer in deciding:
                for reading in answer.because:
                    cited.setdefault((reading.subject, reading.mailbox, reading.key.name), reading)
            return Answer(truth, tuple(cited.values()))
    return Answer(order[-1])
