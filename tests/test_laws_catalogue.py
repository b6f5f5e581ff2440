"""Law 4 of probe/README.md, second half: what a rule or an inference needs, something in the catalogue collects, infers or declares."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from probe.catalogue import load
from probe.engine.declare import declared_by
from probe.model.estate import Delivery, Estate, Location, Mailbox
from probe.model.facts import Fact
from probe.model.inferences import Inference
from probe.model.keys import FactKey
from probe.model.rules import Needs
from probe.model.vocabulary import all_keys
from probe.probing import Prober
from tests.cases import ALWAYS_DECLARED, NOON, all_rules
from tests.dynamics.rows import everything_said
from tests.runs import a_mailbox, an_estate

NONE = Delivery.NONE


def declared(estate: Estate) -> set[FactKey[Any]]:
    """Every key that an estate gives a value to."""
    return {reading.key for reading in declared_by(estate, NOON) if isinstance(reading, Fact)}


def declarable() -> set[FactKey[Any]]:
    """Every key that an estate can give a value to: by one that says everything."""
    estate = an_estate(replace(a_mailbox("a@contoso.test", "corp"), location=Location.ON_PREMISES, mfa=True))
    words: dict[str, Any] = {"product": "Dovecot 2.4", "outgoing_product": "Postfix", "fips_validated": "CMVP #4985"}
    profiles = tuple(replace(p, **words, password_ends=NOON.date()) for p in estate.profiles)
    return declared(replace(estate, profiles=profiles))


def sources() -> dict[FactKey[Any], set[str]]:
    """Every key that can be known, and what makes it known."""
    found: dict[FactKey[Any], set[str]] = {}
    for prober in load("probe.probers", "PROBER", Prober).values():
        for key in prober.collects:
            found.setdefault(key, set()).add(prober.id)
    for inference in load("probe.inferences", "INFERENCE", Inference).values():
        for key in inference.gives:
            found.setdefault(key, set()).add(inference.id)
    for key in declarable():
        found.setdefault(key, set()).add("the estate")
    for reading in everything_said():
        found.setdefault(reading.key, set()).add("Dynamics")
    return found


def test_every_key_that_a_rule_needs_has_a_source() -> None:
    """Each key that some rule needs is collected by a prober, given by an inference, or declarable."""
    known = sources()
    parts = [part.name for part in fields(Needs)]
    orphans = {
        (name, key.name) for name, rule in all_rules().items() for part in parts for key in getattr(rule.needs, part) if key not in known
    }
    assert orphans == set()


def test_every_key_that_an_inference_needs_has_a_source() -> None:
    """Each key that some inference looks at is collected by a prober, given by an inference, or declarable."""
    known = sources()
    inferences = load("probe.inferences", "INFERENCE", Inference)
    assert {(name, key.name) for name, inference in inferences.items() for key in inference.needs if key not in known} == set()


def test_every_key_of_the_vocabulary_has_a_source() -> None:
    """No key stands in the vocabulary that nothing can ever make known."""
    known = sources()
    assert [name for name, key in all_keys().items() if key not in known] == []


def test_what_the_tests_take_for_declared_is_declarable() -> None:
    """The keys that the laws take to be always declared are those that an estate declares which says no more than it must."""
    assert declared(an_estate(Mailbox(address="a@contoso.test", profile="corp", incoming=NONE, outgoing=NONE, appointments=NONE))) == (
        ALWAYS_DECLARED
    )
