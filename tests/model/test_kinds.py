"""Values that facts can have, and their JSON form."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import jsonschema
import pytest

from probe.model import vocabulary as v
from probe.model.keys import FactKey
from probe.model.kinds import Build, Challenge, TlsSession, UpdateRange
from probe.model.vocabulary import all_keys
from tests.cases import NOON


@pytest.mark.parametrize(
    ("text", "parts"), [("15.1.2507.57", (15, 1, 2507, 57)), ("15.01.2507.057", (15, 1, 2507, 57)), ("15.2.2562", (15, 2, 2562))]
)
def test_builds_are_read_with_and_without_leading_zeros(text: str, parts: tuple[int, ...]) -> None:
    """A build is three or four numbers, and writes itself without leading zeros."""
    assert Build.parse(text).parts == parts
    assert str(Build.parse(text)) == ".".join(map(str, parts))


@pytest.mark.parametrize("text", ["", "15", "15.1", "15.1.2507.57.1", "15.1.x.2", "15.1.-2.3", "15.1.1234567.1", "15.1.٢.3"])
def test_what_is_no_build_is_refused(text: str) -> None:
    """Anything but three or four short ASCII numbers is an error."""
    with pytest.raises(ValueError, match="three or four numbers"):
        Build.parse(text)


def test_builds_are_ordered_by_number() -> None:
    """Build 15.1.999 comes before 15.1.2507."""
    assert Build.parse("15.1.999.1") < Build.parse("15.1.2507.1") < Build.parse("15.2.221.12")


@pytest.mark.parametrize("key", all_keys().values(), ids=str)
def test_every_example_survives_its_json_form(key: FactKey[Any]) -> None:
    """Every key has an example, each of which fits the key's schema and comes back from JSON as it was."""
    assert key.examples
    for example in key.examples:
        form = json.loads(json.dumps(key.kind.encode(example)))
        jsonschema.validate(form, key.kind.schema)
        assert key.kind.decode(form) == example


@pytest.mark.parametrize(
    ("key", "value", "form"),
    [
        (v.SERVER_UPDATE, UpdateRange(exact="CU23 Oct25SU"), {"exact": "CU23 Oct25SU"}),
        (v.SERVER_UPDATE, UpdateRange(at_least="RTM Aug26SU"), {"at_least": "RTM Aug26SU", "at_most": None}),
        (v.SERVER_END_OF_SUPPORT, date(2025, 10, 14), "2025-10-14"),
        (v.CERTIFICATE_NOT_AFTER, NOON, "2026-11-23T12:00:00Z"),
        (v.SERVER_BUILD, Build((15, 1, 2507, 57)), "15.1.2507.57"),
        (v.TLS_NEGOTIATED, TlsSession("TLSv1.3", None), {"version": "TLSv1.3", "suite": None, "group": None, "scheme": None}),
        (v.EWS_CHALLENGES, (Challenge("NTLM"),), [{"scheme": "NTLM", "token": None, "parameters": []}]),
    ],
)
def test_values_have_the_published_form(key: FactKey[Any], value: Any, form: Any) -> None:
    """Dates, builds, updates, sessions and challenges are written as probe/CONTRACT.md says, "Facts with fixed names"."""
    assert key.kind.encode(value) == form
