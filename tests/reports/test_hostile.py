"""What a server said is text in every format."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser

import pytest
from prometheus_client.parser import text_string_to_metric_families

from probe import catalogue
from probe.document import Report, ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Why
from probe.model.rules import Otherwise, Readiness, Result, Support
from tests.runs import POP, SMTP, a_fact, a_finding, a_gap, a_mailbox, a_rule, a_run, an_assessment, an_attempt, an_estate

GREETING = (
    "220 MARK\x1b[31m\x07\u202e\u2028\x85 | fake=0 ]]> </system-out><script>alert(1)</script> {{7*7}} ${jndi:x} \" ' \\ \\n"
    "\r\n=cmd|'/c calc'!A0;=1+1\tx\n# TYPE evil gauge\nevil{a=\"b\"} 1\n::error::x ##[error]x ##vso[task.complete]x"
)
FORMATS = catalogue.load("probe.reports", "REPORT", Report)
LINES = {"\n", "\t"}
"""What a text of several lines holds, where the format has such texts."""


def steering(text: str) -> set[str]:
    """The characters of a text that steer a terminal, or the order of letters."""
    return {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp")}


@cache
def told(name: str) -> str:
    """A run in which servers say it wherever they can, with everything that the format can show."""
    seen = [a_fact(v.PROTOCOL_GREETING, GREETING, POP), a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, GREETING, POP)]
    gap = a_gap(v.SERVER_VERSION, Why.OFF_PROTOCOL, GREETING)
    failing = a_finding(a_rule("reached", Otherwise.NOT_READY), Result.FAILS, *seen, gap)
    run = a_run(
        estate=an_estate(a_mailbox("a@branch.test")),
        attempts=[an_attempt(1, POP, said=[GREETING]), an_attempt(2, SMTP, Outcome.OFF_PROTOCOL, GREETING)],
        readings=[*seen, gap],
        assessments=[an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, failing)],
    )
    return "".join(FORMATS[name].render(publish(run), ReportOptions(transcripts=True, verbose=True)))


def _of_csv(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")):
        assert not [cell for cell in row if re.match(r"\s*[=+\-@\t]", cell)]
        yield from row


def _of_html(text: str) -> Iterator[str]:
    class Words(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.words: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script"

        def handle_data(self, data: str) -> None:
            self.words.append(data)

    page = Words()
    page.feed(text)
    yield from page.words


def _of_json(form: object) -> Iterator[str]:
    match form:
        case str():
            yield form
        case dict():
            for value in form.values():
                yield from _of_json(value)
        case list():
            for value in form:
                yield from _of_json(value)


def _of_metrics(text: str) -> Iterator[str]:
    families = list(text_string_to_metric_families(text))
    assert not [family.name for family in families if not family.name.startswith("probe_")]
    for family in families:
        for sample in family.samples:
            yield from sample.labels.values()


def _of_nagios(text: str) -> Iterator[str]:
    first, _, rest = text.partition("\n")
    assert first.count("|") <= 1
    assert "|" not in rest
    assert "fake=0" not in first.partition("|")[2]
    yield text.replace("\n", " ")


def _of_junit(text: str) -> Iterator[str]:
    for element in ET.fromstring(text).iter():
        assert element.tag in {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out", "properties", "property"}
        yield element.text or ""
        yield from element.attrib.values()


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "csv": _of_csv,
    "html": _of_html,
    "json": lambda text: _of_json(json.loads(text)),
    "jsonl": lambda text: (word for line in text.splitlines() for word in _of_json(json.loads(line))),
    "junit": _of_junit,
    "metrics": _of_metrics,
    "nagios": _of_nagios,
    "text": lambda text: iter([text.replace("\n", " ")]),
}
"""How a program that knows the format reads its texts."""


def test_every_format_is_read_here() -> None:
    """A format that is added says here how it is read."""
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_hostile_greeting_is_text_in_every_format(name: str) -> None:
    """Whoever reads the format finds the greeting as a text and nothing else of it; no control and no mark of direction is in what a terminal gets."""
    assert steering(told(name)) <= ({"\n", "\r", "\ufeff"} if name == "csv" else {"\n"})
    words = list(READERS[name](told(name)))
    assert any("MARK" in word for word in words) or name == "metrics"  # which has no words of servers
    may_hold = LINES if name in ("csv", "html", "json", "jsonl", "junit") else set[str]()
    assert steering("".join(words)) <= may_hold
