"""Joins what a document says in one place and refers to by id in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from probe.model.rules import By, Otherwise

JsonObject = Mapping[str, Any]
"""A part of the document."""


class Index:
    """The readings and rules of a document, by their ids."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.all_facts: list[JsonObject] = list(document["facts"])
        """In the order of the document, each made once: where the document makes its lists as they are read, whoever has this need not read them again."""
        self.all_gaps: list[JsonObject] = list(document["missing"])
        self._readings: dict[str, JsonObject] = {form["id"]: form for form in (*self.all_facts, *self.all_gaps)}
        self._rules: dict[str, JsonObject] = {rule: {"rule": rule, **form} for rule, form in document["rules"].items()}

    def findings(self, assessment: JsonObject) -> Iterator[JsonObject]:
        """The findings of an assessment, as `finding` has them."""
        served = [name for name, ready in assessment["directions"].items() if ready is not None]
        for finding in assessment["findings"]:
            yield self.finding(finding, served)

    def finding(self, finding: JsonObject, served: Iterable[str]) -> JsonObject:
        """A finding with the texts of its rule; as `because` the facts and gaps that decided it; and as `directions` what came of it in each of those
        that are served, where readiness is drawn from it."""
        rule, result = self._rules[finding["rule"]], finding["result"]
        directions: dict[str, str] = {}
        if rule["by"] == By.READINESS and rule["otherwise"] == Otherwise.NOT_READY:
            apart = finding.get("directions", {})
            directions = {name: part for name in served if (part := apart.get(name, result)) is not None}
        because = [self._readings[reading] for reading in finding["because"]]
        return {**rule, "result": result, "because": because, "directions": directions}
