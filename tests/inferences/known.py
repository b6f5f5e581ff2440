"""Facts for inferences to look at, and what they make of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from probe.model.facts import Fact, Facts
from probe.model.inferences import Inference, Premises, Unsettled
from probe.model.keys import FactKey
from probe.model.provenance import Declared
from probe.model.rules import Case

TODAY = date(2026, 11, 23)
Known = dict[FactKey[Any], Any]


@dataclass(frozen=True)
class Disputed:
    """Values of one key that different sources gave."""

    values: tuple[Any, ...]


def disputed(*values: Any) -> Disputed:
    """In place of a value: several, which the key may be unable to reconcile."""
    return Disputed(values)


def facts(subject: str, known: Known) -> Facts:
    """Facts of one subject, each said by a peer."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    said = [(key, value) for key, given in known.items() for value in (given.values if isinstance(given, Disputed) else (given,))]
    return Facts(subject, [Fact(subject=subject, key=key, value=value, provenance=Declared("peer"), at=at) for key, value in said])


def case(
    mailbox: Known | None = None, incoming: Known | None = None, outgoing: Known | None = None, address: str = "a@contoso.test"
) -> Case:
    """A mailbox with what is known of it and of its endpoints."""
    return Case(
        deployment=facts("deployment", {}),
        profile=facts("profile:p", {}),
        mailbox=facts(address, mailbox or {}),
        incoming=facts("in", incoming or {}),
        outgoing=facts("out", outgoing or {}),
        date=TODAY,
    )


def concluded(inference: Inference, known: Known, *cases: Case, on: date = TODAY) -> dict[FactKey[Any], Any]:
    """What an inference says of each key: a value, or an Unsettled. It sees what it needs and nothing else."""
    seen = facts("s", known).only(inference.needs)
    said = list(inference.infer(Premises(facts=seen, cases=cases, date=on)))
    keys = [item.key if isinstance(item, Unsettled) else item[0] for item in said]
    assert sorted(k.name for k in keys) == sorted(k.name for k in inference.gives)
    return {key: item if isinstance(item, Unsettled) else item[1] for key, item in zip(keys, said, strict=True)}


def settled(inference: Inference, key: FactKey[Any], known: Known, *cases: Case, on: date = TODAY) -> Any:
    """The value that an inference gives a key, None where it is unsettled; then it has said why."""
    value = concluded(inference, known, *cases, on=on)[key]
    if isinstance(value, Unsettled):
        assert value.because
        return None
    return value
