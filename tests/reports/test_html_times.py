"""Tests of times within values, as reports and pages in HTML write them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import pytest
from markupsafe import Markup

from probe.document.telling.words import value_in_words
from probe.model import vocabulary as v
from probe.model.vocabulary import all_keys
from probe.reports.html.times import time_element, value_in_html

_TIME = re.compile(r'<time datetime="([^"]+)">[^<]+</time>')
_RAW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
ENDS = v.CERTIFICATE_NOT_AFTER.name


def _formats(schema: Any) -> set[str]:
    """The formats of texts that a schema has anywhere."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = {str(schema["format"])} if isinstance(schema, dict) and "format" in schema else set()
    return own.union(*map(_formats, parts))


@pytest.mark.parametrize("key", all_keys().values(), ids=lambda key: key.name)
def test_every_time_of_every_value_is_an_element(key: Any) -> None:
    """A value whose form has a date or a time in it shows each as an element, and none as it stands in JSON; every other value is text."""
    has_times = bool(_formats(key.kind.schema) & {"date", "date-time"})
    for example in key.examples:
        form = key.kind.encode(example)
        told = value_in_html(key.name, form, 2000)
        assert isinstance(told, Markup) is has_times
        assert has_times or told == value_in_words(form)
        if has_times:
            assert _TIME.findall(told)
            assert not _RAW.search(_TIME.sub("", told))


def test_a_time_is_that_of_utc_and_a_day_stays_as_it_is() -> None:
    """Whatever zone it was told in; nothing is told of none."""
    assert time_element("2026-12-01T01:30:00+02:00") == '<time datetime="2026-11-30T23:30:00Z">2026-11-30 23:30 UTC</time>'
    assert time_element(date(2026, 12, 1)) == '<time datetime="2026-12-01">2026-12-01</time>'
    assert time_element(None) == ""
    assert '"0001-01-01T00:00:00Z">0001-01-01 00:00 UTC' in time_element(datetime.fromisoformat("0001-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (ENDS, "<b>2026</b>", "<b>2026</b>"),
        (ENDS, 5, "5"),
        (ENDS, None, "not visible"),
        (ENDS, "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        (v.CERTIFICATE_CHAIN_ENDS.name, {"not_after": "2026-12-01T00:00:00Z"}, "not_after: 2026-12-01T00:00:00Z"),
        (v.CERTIFICATE_CHAIN_DATES.name, [{"subject": "CN=x"}], "subject: CN=x"),
        (v.PROTOCOL_GREETING.name, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("of.a.later.version", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ],
)
def test_what_is_no_time_of_its_key_stays_text(key: str, value: object, told: str) -> None:
    """A document of somebody else may have anything there, and a server may say what looks like a time."""
    shown = value_in_html(key, value, 100)
    assert shown == told
    assert not isinstance(shown, Markup)


def test_a_time_of_a_document_without_a_zone_is_one_in_utc() -> None:
    """As everything that reads a document takes it."""
    assert value_in_html(ENDS, "2026-12-01T00:00:00", 100) == '<time datetime="2026-12-01T00:00:00Z">2026-12-01 00:00 UTC</time>'


def test_the_names_beside_times_are_escaped_and_bounded() -> None:
    """A certificate's subject is the words of a peer; a chain that is too long is cut as any value is."""
    one = {"subject": "CN=<script>\u202e", "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-12-01T00:00:00Z"}
    told = value_in_html(v.CERTIFICATE_CHAIN_DATES.name, [one, one], 2000)
    assert told.count("CN=&lt;script&gt;\\u202e <time") == 2
    assert value_in_html(v.CERTIFICATE_CHAIN_DATES.name, [one] * 20, 100).endswith(" more characters)")
    assert value_in_html(v.CERTIFICATE_CHAIN_ENDS.name, one, 100).startswith("CN=&lt;script&gt;\\u202e, until <time")
