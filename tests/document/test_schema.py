"""Tests of the JSON Schema of a run (law 7 of probe/README.md)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from probe.document import publish, schema, schema_text
from probe.model.attempts import Outcome
from probe.model.facts import Facts, Why
from probe.model.rules import By, Otherwise, Readiness, Result, SignedIn, Support
from probe.model.vocabulary import all_keys
from tests.runs import PRODUCT, a_checked_run, a_fact, a_run


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The published schema, formats checked too."""
    return Draft202012Validator(schema(), format_checker=FormatChecker())


def test_the_schema_on_disk_is_the_generated_one() -> None:
    """The schema in the tree equals what the models and the vocabulary generate; `probe schema` prints what belongs there."""
    assert resources.files("probe.data").joinpath("probe.run-2.schema.json").read_text("utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    """The schema is valid JSON Schema of draft 2020-12."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("closed", [Outcome, Why, Result, Support, Readiness, SignedIn, Otherwise, By])
def test_every_closed_list_is_in_the_schema(closed: type[StrEnum]) -> None:
    """Each of the "Closed lists" of probe/CONTRACT.md is an enum of the schema, whole."""
    assert schema()["$defs"][closed.__name__]["enum"] == [member.value for member in closed]


def test_every_key_is_in_the_schema() -> None:
    """The schema gives the form of every key's value."""
    assert [c["if"]["properties"]["key"]["const"] for c in schema()["$defs"]["ValueOfKey"]["allOf"]] == list(all_keys())


CONFLICT = Facts(PRODUCT.subject, [PRODUCT, replace(PRODUCT, value="Exim")]).read(PRODUCT.key)


@pytest.mark.parametrize("run", [a_checked_run(), a_run(readings=[PRODUCT]), a_run(readings=[CONFLICT])], ids=["check", "look", "conflict"])
def test_published_runs_are_valid(run: Any, validator: Draft202012Validator) -> None:
    """What is published of a check or a look, and of sources that contradict each other, satisfies the schema."""
    validator.validate(publish(run))


def test_every_example_of_the_vocabulary_is_valid(validator: Draft202012Validator) -> None:
    """A fact of any key with any of its examples satisfies the schema."""
    validator.validate(publish(a_run(readings=[a_fact(key, e) for key in all_keys().values() for e in key.examples])))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["facts"][0].update(basis="guessed"),
        lambda d: d["facts"][0].update(basis="declared"),
        lambda d: d["facts"][0].update(key="tls.completed", value="yes"),
        lambda d: d["facts"][0].update(key="certificate.not_after", value=5),
        lambda d: d["missing"][0].update(why="whatever"),
        lambda d: d["attempts"][0].update(outcome="fine"),
        lambda d: d["assessments"][1]["findings"][0].update(result="maybe"),
        lambda d: d["assessments"][1]["findings"][0].update(because=[{"key": "tls.completed"}]),
        lambda d: d["assessments"][1]["directions"].update(incoming="perhaps"),
        lambda d: next(iter(d["rules"].values())).update(by="nobody"),
        lambda d: d["asked"].update(tls="some"),
        lambda d: d["assessments"][0].update(support="probably"),
        lambda d: d.update(schema="probe.run/3"),
        lambda d: d.pop("facts"),
    ],
)
def test_a_spoiled_document_is_not_valid(spoil: Callable[[dict[str, Any]], object], validator: Draft202012Validator) -> None:
    """The schema refuses unknown members of the closed lists, values of another form, and a fact that does not say how it is known."""
    document = json.loads(json.dumps(publish(a_checked_run())))
    document["facts"].sort(key=lambda f: f["basis"], reverse=True)
    spoiled = copy.deepcopy(document)
    spoil(spoiled)
    assert validator.is_valid(document)
    assert not validator.is_valid(spoiled)


def test_keys_may_be_added(validator: Draft202012Validator) -> None:
    """A fact with a key that the schema does not know is allowed any value."""
    document = json.loads(json.dumps(publish(a_run(readings=[PRODUCT]))))
    document["facts"][0].update(key="moon.phase", value={"full": True})
    validator.validate(document)
