"""Looks at one server, as a schedule would hold them: small, readable, and different in what a test says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.history import Sighting, sighting
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.facts import Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared, Inferred
from tests.runs import POP, a_fact, a_gap, an_attempt, words

START = datetime(2026, 11, 1, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """So many minutes after the first look."""
    return START + timedelta(minutes=number)


def product(name: str = "Dovecot", greeting: str = "+OK Dovecot ready.") -> list[Reading]:
    """A product with the greeting that tells it."""
    said = words("a1", 1, greeting)
    return [
        a_fact(v.PROTOCOL_GREETING, greeting, provenance=Declared("peer", said)),
        a_fact(v.SERVER_PRODUCT, name, provenance=Inferred("greeting-product", ("protocol.greeting",), said)),
    ]


def attempt(
    at: datetime, outcome: Outcome = Outcome.COMPLETED, said: Iterable[str] = ("+OK Dovecot ready.",), subject: str = POP
) -> Attempt:
    """One conversation."""
    return replace(an_attempt(1, subject, outcome, "" if outcome is Outcome.COMPLETED else "it went wrong", said), at=at)


def look(
    at: float, *readings: Reading, outcome: Outcome = Outcome.COMPLETED, seconds: float | None = 0.031, subject: str = POP
) -> Sighting:
    """What one look found, so many minutes after the first."""
    return sighting(subject, None, minutes(at), readings, [attempt(minutes(at), outcome, subject=subject)], seconds=seconds)


def unanswered(at: float, *keys: FactKey[Any], why: Why = Why.TIMED_OUT) -> Sighting:
    """A look at a server that does not answer: every key is missing because of that."""
    gaps = [replace(a_gap(key, why, "no greeting within 30 s"), at=minutes(at)) for key in keys]
    return look(at, *gaps, outcome=Outcome.TIMED_OUT, seconds=None)


def undisclosed(key: FactKey[Any], at: float) -> Missing:
    """A thing that the server was asked for and did not say."""
    return replace(a_gap(key, Why.NOT_DISCLOSED, "it does not say"), at=minutes(at))
