"""Tests of reading a document back."""

from __future__ import annotations

import json

import pytest

from probe.document import parse, publish, readings
from probe.model import vocabulary as v
from probe.model.facts import Facts, Reading, Why
from probe.model.provenance import Declared, Inferred, Observed
from probe.model.vocabulary import all_keys
from tests.runs import EWS, a_checked_run, a_fact, a_gap, a_run, words


def test_every_example_of_the_vocabulary_comes_back_as_it_went() -> None:
    """A fact of any key, stored and read again, is the same fact."""
    facts = tuple(a_fact(key, example) for key in all_keys().values() for example in key.examples)
    stored = json.loads(json.dumps(publish(a_run(readings=facts))))
    assert readings(stored) == facts


def test_every_way_of_knowing_comes_back_as_it_went() -> None:
    """Provenance, evidence, account, reasons and what sources claim against each other survive being stored."""
    key = all_keys()["server.product"]
    told: tuple[Reading, ...] = (
        a_fact(key, "A", provenance=Observed(words("a1", 1, "one"))),
        a_fact(key, "B", provenance=Declared("peer", words("a2", 2, "two"))),
        a_fact(key, "C", provenance=Inferred("i", ("protocol.greeting",), words("a3", 3, "three"))),
        a_fact(key, "D", provenance=Declared("operator"), mailbox="sales@branch.test"),
        *(a_gap(key, why, "because", EWS, "sales@branch.test") for why in Why),
        Facts(EWS, [a_fact(key, name, EWS, Declared("peer", words("a4", 4, name))) for name in ("E", "F")]).read(key),
    )
    stored = json.loads(json.dumps(publish(a_run(readings=told))))
    assert set(readings(stored)) == set(told)


def test_keys_of_another_version_are_left_out() -> None:
    """Facts and gaps whose key this version does not know are passed over."""
    document = publish(a_checked_run())
    fact, gap = {**document["facts"][0], "key": "moon.phase", "value": {"any": 1}}, {**document["missing"][0], "key": "moon.phase"}
    later = {**document, "facts": [fact, *document["facts"]], "missing": [gap, *document["missing"]]}
    assert readings(later) == readings(document)
    parse(later)


def test_a_value_of_another_form_is_refused() -> None:
    """A stored value that is not of its key's form is an error that names key and subject."""
    document = publish(a_run(readings=[a_fact(all_keys()["certificate.not_after"], all_keys()["certificate.not_after"].examples[0])]))
    document["facts"][0]["value"] = "next week"
    with pytest.raises(ValueError, match=r"certificate\.not_after of pop3s://.* is not a time: 'next week'"):
        readings(document)


def test_a_document_with_mistakes_is_refused() -> None:
    """Parsing names every mistake of a document at once."""
    document = {**publish(a_checked_run()), "schema": "probe.run/9", "judged_at": "soon"}
    del document["attempts"]
    with pytest.raises(ValueError, match="3 validation errors"):
        parse(document)


def test_a_later_field_does_not_stop_reading() -> None:
    """A document with more fields than this version knows is still read."""
    assert parse({**publish(a_checked_run()), "more": 1}).host == "crm01"


def test_published_facts_can_be_asked_again() -> None:
    """The readings of a document are those of the run it was published from, and the gaps that its findings rest on."""
    run = a_checked_run()
    cited = Facts(EWS).read(v.CERTIFICATE_NOT_AFTER)
    assert set(readings(publish(run))) == {*run.readings, cited}
