"""Values that facts can have, and their JSON form."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
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


@pytest.mark.parametrize("written", ["2026-11-24T01:00:00+05:00", "2026-11-23T20:00:00Z", "2026-11-23T20:00:00"])
def test_times_are_read_in_utc(written: str) -> None:
    """Rules go by the day of a time, so that whoever wrote it in another zone means the same day; without a zone it is one in UTC."""
    moment = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert v.CERTIFICATE_NOT_AFTER.kind.decode(written).isoformat() == moment.isoformat()
    assert v.CERTIFICATE_CHAIN_ENDS.kind.decode({"subject": "CN=x", "not_after": written}).not_after.isoformat() == moment.isoformat()
    (period,) = v.CERTIFICATE_CHAIN_DATES.kind.decode([{"subject": "CN=x", "not_before": written, "not_after": written}])
    assert [period.not_before.isoformat(), period.not_after.isoformat()] == [moment.isoformat()] * 2


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (v.TLS_NEGOTIATED, {"version": 1, "suite": None, "group": None, "scheme": None}),
        (v.SERVER_UPDATE, {"exact": 23}),
        (v.TLS_SUITES, {"TLSv1.2": "TLS_RSA_WITH_AES_128_CBC_SHA"}),
        (v.TLS_SUITES, {"TLSv1.2": [47]}),
        (v.TLS_SERVER_ORDER, {"TLSv1.2": "yes"}),
        (v.EWS_CHALLENGES, [{"scheme": 1, "token": None, "parameters": []}]),
        (v.EWS_CHALLENGES, [{"scheme": "Basic", "token": None, "parameters": [["realm", 1]]}]),
        (v.CERTIFICATE_CHAIN_ENDS, {"subject": None, "not_after": "2027-01-01T00:00:00Z"}),
        (v.CERTIFICATE_CHAIN_DATES, [{"subject": 1, "not_before": "2027-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"}]),
        (v.CERTIFICATE_NOT_AFTER, 20270101),
    ],
)
def test_a_part_of_another_type_is_refused(key: FactKey[Any], form: Any) -> None:
    """What does not fit the schema of a key does not become a value of it, however deep the part stands that does not."""
    with pytest.raises(TypeError):
        key.kind.decode(form)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(key.kind.schema).validate(form)
