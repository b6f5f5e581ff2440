"""Looks as they are kept: what most servers say alike is held once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from probe.engine.remembered import Remembered
from probe.model.attempts import Attempt, TranscriptLine, packed_beside
from probe.model.facts import Missing, Reading
from probe.model.provenance import Declared, Evidence, Inferred, Observed, Provenance
from probe.service.looks import Look

T = TypeVar("T")

_MOST_SHARED = 20_000
"""Values that are looked up; more of them are kept by the looks alone."""


class SharedWords:
    """Gives looks that hold in common what they have in common: values, words, and most of what was said."""

    def __init__(self) -> None:
        self._known: Remembered[Any] = Remembered(_MOST_SHARED)
        self._said: Remembered[Sequence[TranscriptLine]] = Remembered(1000)
        """A conversation of each prober with an outcome; others are kept as what they have otherwise."""

    def look(self, look: Look) -> Look:
        """The same look, in less room."""
        evidence: dict[int, Evidence] = {}
        provenance: dict[int, Provenance] = {}

        def line(one: Evidence) -> Evidence:
            if (told := evidence.get(id(one))) is None:
                told = evidence[id(one)] = Evidence(attempt=one.attempt, line=one.line, excerpt=self._once("excerpt", one.excerpt))
            return told

        def known_by(one: Provenance) -> Provenance:
            if (told := provenance.get(id(one))) is None:
                lines = tuple(map(line, one.evidence))
                match one:
                    case Observed():
                        told = Observed(lines)
                    case Declared():
                        told = Declared(one.by, lines)
                    case Inferred():
                        told = replace(one, evidence=lines)
                provenance[id(one)] = told
            return told

        def reading(one: Reading) -> Reading:
            if isinstance(one, Missing):
                detail = self._once("detail", one.detail)
                # What nobody asked for stands in each look again, and is one object in all of them.
                return one if one.claims or detail is one.detail else replace(one, detail=detail)
            return replace(one, value=self._once(one.key.name, one.value), provenance=known_by(one.provenance))

        return replace(look, attempts=tuple(map(self._attempt, look.attempts)), readings=tuple(map(reading, look.readings)))

    def _attempt(self, attempt: Attempt) -> Attempt:
        which = (attempt.prober, attempt.outcome)
        beside = self._said.get(which)
        if beside is None:
            self._said.keep(which, attempt.transcript)
            return attempt
        return replace(attempt, transcript=packed_beside(attempt.transcript, beside))

    def _once(self, what: str, value: T) -> T:
        """The value, or one that is equal and is there already. `what` it is keeps apart what compares equal and is not the same."""
        try:
            known: T | None = self._known.get((what, value))
        except TypeError:  # a value that has no hash is its own
            return value
        if known is None:
            self._known.keep((what, value), value)
            return value
        return known
