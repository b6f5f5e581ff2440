"""Tests of the report as one HTML file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from probe.document import ReportOptions, publish
from probe.document.telling.blocks import blocks_of
from probe.document.telling.groups import groups_of
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Why
from probe.model.rules import Readiness, Result, Support
from probe.reports.html import REPORT
from tests.runs import NOON, POP, REACHED, a_checked_run, a_fact, a_finding, a_gap, a_run, an_assessment, an_attempt, an_estate

_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "h1", "h2", "h3", "h4", "p", "a"),
    *("span", "bdi", "code", "pre", "table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "ul", "ol", "li"),
    *("details", "summary", "blockquote", "time"),
}
_ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "href",
    "rel",
    "scope",
    "value",
    "aria-labelledby",
    "datetime",
    "open",
}
_HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;</style></details>{{ 7 * 7 }}\x1b[31m\u202eevil\ud800"


class _Page(HTMLParser):
    """What a browser finds in a file: tags, attributes and text. Objects to anything that a report does not write."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        assert {name for name, _ in attrs} <= _ATTRIBUTES
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _written(document: Mapping[str, Any], **options: Any) -> str:
    return "".join(REPORT.render(document, ReportOptions(**options)))


def _checked() -> Mapping[str, Any]:
    return {
        key: list(value) if key in ("attempts", "facts", "missing", "assessments") else value
        for key, value in publish(a_checked_run()).items()
    }


def test_verdict_and_cause_of_every_mailbox_are_told() -> None:
    """Each group of mailboxes is told with its status, cause and addresses, and each link within the file leads somewhere."""
    document = _checked()
    page = _Page(_written(document))
    for group in groups_of(blocks_of(document["assessments"], Known(document)), date.fromisoformat(document["judged_at"])):
        assert group.first.status in page.text
        assert group.cause[0] in page.text
        assert all(address in page.text for address in group.addresses)
    assert len(page.ids) == len(set(page.ids))
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inner
    assert inner <= set(page.ids)


def test_what_decided_is_told_with_evidence_statement_and_remedy() -> None:
    """A finding is told with what was seen, the server's words, the rule's statement and source, and what to do."""
    page = _Page(_written(_checked()))
    for words in ("server.product", "X-OWA-Version: 8.3.485.1", "What the page states about unreachable", "What to do about unreachable."):
        assert words in page.text
    assert "https://learn.example/unreachable" in page.links


def test_the_file_stands_alone() -> None:
    """The file loads nothing and runs nothing: its one style is named to the browser by its hash, and nothing else is allowed."""
    text = _written(_checked(), transcripts=True)
    _Page(text)
    (style,) = re.findall(r"(?s)<style>(.*)</style>", text)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'" in text
    assert not re.search(r"url\(|@import|src=", style)


@pytest.mark.parametrize("transcripts", [False, True])
def test_the_file_is_ascii(transcripts: bool) -> None:
    """The file is ASCII, whatever stands in it, so that it is read alike in any encoding."""
    document = _with(lambda text: f"{text} Größe 漢字 \U0001f600")(_checked())
    assert _written(document, transcripts=transcripts).isascii()
    assert "Größe 漢字" in _Page(_written(document, transcripts=transcripts)).text


_FREE = {"title", "statement", "remedy", "url", "dated", "detail", "text", "excerpt", "from", "probe", "name", "username", "server_type"}
"""Keys of a document whose text is whatever somebody wrote or said."""


def _with(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """Changes every text of a document that is not out of a closed list."""

    def of(value: Any, key: str = "") -> Any:
        match value:
            case dict():
                is_greeting = value.get("key") == v.PROTOCOL_GREETING.name
                return {name: of(one, "text" if is_greeting and name == "value" else name) for name, one in value.items()}
            case list() | tuple():
                return [of(one, key) for one in value]
            case str() if key in _FREE and value not in ("peer", "us"):
                return change(value)
            case _:
                return value

    return of


@pytest.mark.parametrize("options", [{}, {"transcripts": True}, {"quiet": True}, {"verbose": True}], ids=str)
def test_what_servers_say_is_text(options: dict[str, Any]) -> None:
    """Markup, templates, quotes and characters that steer a display are shown as they were said, wherever they stand."""
    document = _with(lambda text: f"{text}{_HOSTILE}")(_checked())
    page = _Page(_written(document, **options))
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\\x1b[31m\\u202eevil\\ud800" in page.text
    assert not {"\x1b", "\u202e"} & set(page.text)


def test_a_link_leads_to_the_web_alone() -> None:
    """A source whose address is no address of the web is named and not linked: a document that was handed over may say anything."""
    page = _Page(_written(_with(lambda text: "javascript:alert(1)" if text.startswith("https://") else text)(_checked())))
    assert [link for link in page.links if not re.match(r"#|https?://", link)] == []
    assert "Supported configurations, unreachable" in page.text


def test_quiet_is_the_overview_alone() -> None:
    """With `quiet` the file has the table of verdicts, with every address, and no findings."""
    page = _Page(_written(_checked(), quiet=True))
    assert "info@contoso.test" in page.text
    assert "What to do about" not in page.text


def test_transcripts_are_there_where_they_were_asked_for() -> None:
    """Conversations stand in the file word for word, only where they were asked for."""
    assert "1 peer HTTP/1.1 401 Unauthorized" in _Page(_written(_checked(), transcripts=True)).text
    assert "HTTP/1.1 401 Unauthorized" not in _Page(_written(_checked())).text


def test_an_interrupted_run_says_so() -> None:
    """A run that was interrupted is not told as if it were whole."""
    assert "interrupted" in _Page(_written(publish(a_run(estate=an_estate(), interrupted=True)))).text


def test_a_look_has_every_fact_and_gap_and_no_verdict() -> None:
    """Of endpoints without an estate every fact, gap and failed attempt is told, and nothing is judged."""
    run = a_run(
        attempts=[an_attempt(1, POP, Outcome.TIMED_OUT, "no answer within 30 s")],
        readings=[a_fact(v.PROTOCOL_GREETING, "+OK ready"), a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, "it hides it")],
    )
    page = _Page(_written(publish(run)))
    for words in (POP, "protocol.greeting", "+OK ready", "server.version", "it hides it", "timed out: no answer within 30 s"):
        assert words in page.text
    assert "READY" not in page.text


def test_many_mailboxes_with_one_cause_are_one_group() -> None:
    """Mailboxes that share verdict and cause stand together, each by its name."""
    addresses = [f"m{number}@branch.test" for number in range(200)]
    refused = a_fact(v.AUTH_REFUSAL, ("bad-credentials",))
    run = a_run(
        estate=an_estate(),
        readings=[refused],
        assessments=[
            an_assessment(a, Support.SUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, refused)) for a in addresses
        ],
    )
    page = _Page(_written(publish(run)))
    assert page.text.count("What to do about unreachable.") == 2  # what to do first, and the finding
    assert all(address in page.text for address in addresses)
    assert f"{NOON:%Y-%m-%d}" in page.text
