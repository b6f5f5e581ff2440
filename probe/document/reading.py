"""From a document back to readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probe.model.facts import Declared, Evidence, Fact, FactKey, Inferred, Missing, Observed, Provenance, Reading, Why
from probe.model.vocabulary import all_keys


def readings(document: Mapping[str, Any]) -> tuple[Reading, ...]:
    """Everything known or missing in a document that `publish` made or `parse` passed; keys that this version does not know are left out.

    Raises ValueError for a value that is not of its key's form.
    """
    keys = all_keys()
    facts = [_read_fact(form, keys[form["key"]]) for form in document["facts"] if form["key"] in keys]
    gaps = [_read_missing(form, keys[form["key"]]) for form in document["missing"] if form["key"] in keys]
    return (*facts, *gaps)


def _read_missing(form: Mapping[str, Any], key: FactKey[Any]) -> Missing:
    claims = tuple(_read_fact(claim, key) for claim in form.get("claims", ()))
    return Missing(subject=form["subject"], mailbox=form["mailbox"], key=key, why=Why(form["why"]), detail=form["detail"], claims=claims)


def _read_fact(form: Mapping[str, Any], key: FactKey[Any]) -> Fact[Any]:
    try:
        value = key.kind.decode(form["value"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{key.name} of {form['subject']} is not a {key.kind.name}: {form['value']!r}") from None
    return Fact(
        subject=form["subject"],
        mailbox=form["mailbox"],
        key=key,
        value=value,
        provenance=_provenance(form),
        at=datetime.fromisoformat(form["at"]),
        attempt=form["attempt"],
    )


def _provenance(form: Mapping[str, Any]) -> Provenance:
    evidence = tuple(Evidence(attempt=e["attempt"], line=e["line"], excerpt=e["excerpt"]) for e in form["evidence"])
    match form["basis"]:
        case "observed":
            return Observed(evidence)
        case "declared":
            return Declared(form["by"], evidence)
        case _:
            return Inferred(form["inference"], tuple(form["premises"]), evidence)
