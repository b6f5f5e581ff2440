"""The facts and attempts of a document, as the sections of the report look them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probe.document import readings
from probe.model.facts import Facts, Missing
from probe.reports.text.words import Form


class Known:
    """The facts and attempts of a document, as the sections look them up."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.attempts: dict[str, list[Form]] = {}
        for attempt in document["attempts"]:
            self.attempts.setdefault(attempt["subject"], []).append(attempt)
        self.facts: dict[tuple[str, str | None, str], list[Form]] = {}
        for fact in document["facts"]:
            self.facts.setdefault((fact["subject"], fact["mailbox"], fact["key"]), []).append(fact)
        by_subject: dict[str, list[Any]] = {}
        for reading in readings(document):
            if reading.mailbox is None:
                by_subject.setdefault(reading.subject, []).append(reading)
        self.of = {subject: Facts(subject, of_it) for subject, of_it in by_subject.items()}
        self.endpoints = list(dict.fromkeys([*self.attempts, *(s for s in self.of if "://" in s)]))

    def facts_of(self, subject: str) -> Iterator[Form]:
        """Every fact of a subject itself, not of an account there."""
        return (f for (s, mailbox, _), facts in self.facts.items() if s == subject and mailbox is None for f in facts)

    def gaps_of(self, subject: str) -> list[Missing]:
        """What is not known of a subject itself, by key: the most telling reason of each."""
        facts = self.of.get(subject, Facts(subject))
        best = (facts.read(key) for key in dict.fromkeys(reading.key for reading in facts))
        return [reading for reading in best if isinstance(reading, Missing)]

    def behind(self, cited: Form) -> list[Form]:
        """The whole facts that a finding cites; where several sources were drawn together, all of them."""
        facts = self.facts.get((cited["subject"], cited["mailbox"], cited["key"]), [])
        return [f for f in facts if f["value"] == cited["value"]] or facts

    def texts_behind(self, fact: Form) -> set[str]:
        """The fact's value and the values that it was worked out from, as far as they are texts that a peer may have said."""
        texts: set[str] = set()
        waiting, seen = [fact], set()
        while waiting:
            one = waiting.pop()
            if one["key"] in seen or one.get("by") == "operator":
                continue
            seen.add(one["key"])
            if isinstance(one["value"], str):
                texts.add(one["value"])
            for key in one.get("premises", ()):
                waiting.extend(self.facts.get((one["subject"], one["mailbox"], key), []))
        return texts
