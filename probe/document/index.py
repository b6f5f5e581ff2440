"""Joins what a document says in one place and refers to by id in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

JsonObject = Mapping[str, Any]
"""A part of the document."""


class Index:
    """The readings and rules of a document, by their ids."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._readings: dict[str, JsonObject] = {form["id"]: form for part in ("facts", "missing") for form in document[part]}
        self._rules: dict[str, JsonObject] = {rule: {"rule": rule, **form} for rule, form in document["rules"].items()}

    def findings(self, assessment: JsonObject) -> Iterator[JsonObject]:
        """The findings of an assessment, each with the texts of its rule and, as `because`, the facts and gaps that decided it."""
        for finding in assessment["findings"]:
            because = [self._readings[reading] for reading in finding["because"]]
            yield {**self._rules[finding["rule"]], "result": finding["result"], "because": because}
