"""Tests of the report as one HTML file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from probe.document import ReportOptions, publish
from probe.document.telling.blocks import blocks_of
from probe.document.telling.coming import Unseen
from probe.document.telling.groups import groups_of
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.characters import visible
from probe.model.facts import Why
from probe.model.kinds import Build, Validity
from probe.model.provenance import Declared, Observed
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from probe.reports.html import REPORT
from tests.full_runs import SUITES, a_full_run, an_outlook
from tests.runs import (
    EWS_ROW,
    NOON,
    POP,
    REACHED,
    a_checked_run,
    a_fact,
    a_finding,
    a_gap,
    a_mailbox,
    a_rule,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
    words,
)

_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "h1", "h2", "h3", "h4", "p", "a"),
    *("span", "bdi", "code", "pre", "table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "ul", "ol", "li"),
    *("details", "summary", "blockquote", "div", "strong", "q", "time", "svg", "line", "text", "circle", "rect"),
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
    "open",
    "datetime",
    "role",
    "aria-label",
    "tabindex",
    "data-label",
    *("viewbox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "opacity", "text-anchor"),
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
    for told in ("server.product", "X-OWA-Version: 8.3.485.1", "What the page states about unreachable", "What to do about unreachable."):
        assert told in page.text
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
    for told in (
        POP,
        "protocol.greeting",
        "+OK ready",
        "server.version",
        "it hides it",
        "TIMED OUT pop3-capabilities at 192.0.2.7: no answer within 30 s",
    ):
        assert told in page.text
    assert "READY" not in page.text


def test_attempts_that_ended_alike_are_told_together() -> None:
    """An endpoint at which many accounts are refused tells it once, with their names."""
    addresses = [f"m{number}@branch.test" for number in range(20)]
    attempts = [an_attempt(n, POP, Outcome.DENIED, "wrong", prober="pop3-login", mailbox=one) for n, one in enumerate(addresses, start=1)]
    page = _Page(_written(publish(a_run(attempts=attempts, readings=[a_fact(v.PROTOCOL_GREETING, "+OK ready")]))))
    assert page.text.count("wrong") == 1
    assert all(one in page.text for one in addresses)


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


def _full(**options: Any) -> _Page:
    return _Page(_written(publish(a_full_run()), ahead=an_outlook, **options))


def test_the_deciding_reasons_are_a_tree() -> None:
    """Of each question of a verdict the answer is told, then what decided it with the words off the wire, then what holds."""
    text = _full().text
    tree = text.partition("UNSUPPORTED, readiness undetermined")[2].partition("Beside Dynamics")[0]
    parts = (
        "UNKNOWN incoming, outgoing: undetermined",
        "UNKNOWN TLS fails",
        "the server did not answer in time (no greeting within 30 s)",
        "Settles it Make sure that the firewall lets this machine through",
        "NO Microsoft's page on supported configurations: unsupported",
        "NO A POP3/SMTP system that Microsoft has not tested",
        "server.product at pop3s://pop.branch.test:995 = Dovecot (inferred) +OK Dovecot ready.",
        "ADVICE what decides nothing, and should be known",
    )
    places = [tree.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_what_mailboxes_have_in_common_stands_once() -> None:
    """A rule and a list of what holds is written once, and referred to from each block of mailboxes that has it."""
    page = _full()
    assert page.text.count("YES TLS fails ( tls-fails )") == 1
    lists = [link for link in page.links if link.startswith("#h")]
    assert len(lists) > len(set(lists)) > 0
    assert set(lists) <= {f"#{name}" for name in page.ids}
    assert page.links.count("https://learn.example/tls-fails") == 1


def test_what_was_seen_of_one_mailbox_is_not_told_of_those_that_share_a_list() -> None:
    """A statement that holds for mailboxes by facts of their own is told once without these, and with them at a mailbox that stands alone."""
    own = {address: a_fact(v.MAILBOX_LOCATION, "on-premises", address) for address in ("a@branch.test", "b@branch.test", "c@branch.test")}
    refused = a_fact(v.AUTH_REFUSAL, ("bad-credentials",))
    run = a_run(
        estate=an_estate(*map(a_mailbox, own)),
        readings=[refused, *own.values()],
        assessments=[
            an_assessment(
                address, Support.SUPPORTED, readiness, a_finding(EWS_ROW, Result.HOLDS, fact), a_finding(REACHED, result, refused)
            )
            for (address, fact), readiness, result in zip(
                own.items(),
                (Readiness.READY, Readiness.READY, Readiness.NOT_READY),
                (Result.HOLDS, Result.HOLDS, Result.FAILS),
                strict=True,
            )
        ],
    )
    page = _Page(_written(publish(run)))
    assert page.text.count("mailbox.location = on-premises") == 1
    assert "1 statement holds : mailbox.location = on-premises" in page.text.partition("c@branch.test")[2]


def test_what_holds_for_something_that_is_not_known_is_told_without_it() -> None:
    """A statement may hold since a record does not say what it would say elsewhere, of a mailbox or of an endpoint."""
    address = "a@branch.test"
    gaps = (a_gap(v.DYNAMICS_APPROVED_BY_OFFICE_365, Why.NOT_ATTEMPTED, "", address), a_gap(v.TLS_DEPLOYMENT_GETS, Why.NOT_ATTEMPTED))
    found = [a_finding(REACHED, Result.HOLDS, *gaps), a_finding(EWS_ROW, Result.HOLDS)]
    assessment = an_assessment(address, Support.SUPPORTED, Readiness.READY, *found)
    run = a_run(estate=an_estate(a_mailbox(address)), readings=gaps, assessments=[assessment])
    page = _Page(_written(publish(run)))
    assert "1 statement holds" in page.text
    assert "dynamics.approved_by_office_365" not in page.text


def test_tls_and_certificates_of_an_endpoint_are_told() -> None:
    """What it takes in each version, what the deployment's Windows gets and refuses, and the chain with its dates."""
    text = _full().text
    for told in (
        "GETS A SESSION windows-server-2019 gets TLSv1.2",
        f"{SUITES[0]} GOT",
        f"{SUITES[1]} REFUSED IN FIPS MODE",
        "TLSv1.1 YES out of date REFUSED IN FIPS MODE",
        "TLSv1.3 NO",
        "secp384r1 GOT x25519",
        "CN=pop 2026-09-04 12:00 UTC 2026-12-03 12:00 UTC",
        "CN=ca 2026-09-04 12:00 UTC",
    ):
        assert told in text, told


def test_dynamics_state_stands_beside_ours() -> None:
    """Of mailboxes alike by their number, and in their directions, with the earliest and the latest time of all of them."""
    text = _full().text
    alone = text.partition("UNSUPPORTED, readiness undetermined")[2].partition("Beside Dynamics")[2]
    assert alone.startswith(
        " Each direction, as it was found at the servers and as Dynamics has it Direction At the servers In Dynamics Its last test"
    )
    assert "incoming readiness undetermined enabled failure outgoing readiness undetermined enabled success" in alone[:400]
    assert "Last success 2026-11-22 12:00 UTC" in alone[:600]
    assert "Last error 2026-11-23 12:00 UTC The mailbox server rejected the credentials." in alone[:600]
    many = text.partition("Beside Dynamics, 2 mailboxes")[2]
    assert "Last success 2026-11-20 12:00 UTC to 2026-11-21 12:00 UTC" in many[:700]
    assert "Pending Send 2 messages at most, 1 at least" in many[:900]
    assert "Beside Dynamics, 1 mailbox many2@branch.test" in text


def test_what_comes_is_told_by_month_with_its_mailboxes() -> None:
    """On a line of time and in a list; the names of many are cut short, and what is not known is said."""
    page = _full()
    for told in (
        "2026-12-01 in 8 days ADVICE Certificate ends 2026-12-01, pop.branch.test",
        "2027-10-14 in 325 days NOT READY Support ended 2027-10-14",
        "and 50 more",
        "When the certificate, or its chain, ends of: smtp://smtp.branch.test:587 : the server did not answer in time",
    ):
        assert told in page.text, told
    assert "Calendar" not in _Page(_written(publish(a_full_run()))).text


def test_nothing_that_comes_is_said() -> None:
    """That nothing is known to come is no empty list."""
    page = _Page(_written(publish(a_full_run()), ahead=lambda: an_outlook()._replace(coming=[], unseen=[])))
    assert "Nothing is known to come until 2028-11-22 ." in page.text


_ATTACKS = (
    _HOSTILE,
    "</title></style><script src=//evil.test></script><svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">ok</a> https://evil.test/phish data:text/html,<b>',
    "<!--><base href=//evil.test><meta http-equiv=refresh content=0><form action=//evil.test><input name=password></form>",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}${7*7}#{7*7}",
    "\u202egpj.exe\u2066\u200f\u061c\u200b\u2069\ufeff\u2028\u2029\x9b31m\x00\x07",
    "`Set-CsEvil -Now` &lt;b&gt; &#60;b&#62; \ud800\udfff",
)
"""What a greeting, a certificate, a name or Dynamics may say."""
_SHAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u061c\ud800-\udfff]")
"""What steers a display, or shows as nothing."""


@pytest.mark.parametrize("said", _ATTACKS)
@pytest.mark.parametrize("options", [{}, {"transcripts": True, "verbose": True}, {"quiet": True}], ids=str)
def test_nothing_that_anybody_names_becomes_markup(said: str, options: dict[str, Any]) -> None:
    """Greetings, certificates, Dynamics' words, addresses, profiles and what comes: all of it is text that shows, whoever chose it, and leads nowhere."""
    run = a_full_run(said)
    assert run.estate is not None
    chain = tuple(Validity(f"CN={said}", NOON, NOON) for _ in range(2))
    more = [a_fact(v.CERTIFICATE_CHAIN_DATES, chain), a_fact(v.FIPS_REASONS, (said,)), a_fact(v.TLS_SUITES, (("TLSv1.2", (said,)),))]
    run = replace(
        run,
        readings=(*(one for one in run.readings if one.key not in {fact.key for fact in more}), *more),
        estate=replace(run.estate, mailboxes=(*run.estate.mailboxes, a_mailbox(said))),
        assessments=(
            *run.assessments,
            an_assessment(said, Support.SUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, more[0])),
        ),
    )
    outlook = an_outlook()
    coming = [replace(one, words=said, remedy=said, rule=said, mailboxes=(said, "b@c"), endpoints=(said,)) for one in outlook.coming]
    document = _with(lambda text: f"{text}{said}")(dict(publish(run)))
    text = _written(document, ahead=lambda: outlook._replace(coming=coming, unseen=[Unseen(said, said)]), **options)
    page = _Page(text)  # which knows every tag and attribute that there may be
    assert text.isascii()
    assert not _SHAPES.search(page.text)
    assert [link for link in page.links if not re.match(r"#[a-z]\d+\Z|https://learn\.example/", link)] == []
    assert visible(said, keep="").replace("\n", " ")[:12] in page.text


def test_of_a_kind_of_which_tls_takes_nothing_that_is_told() -> None:
    """As in the text report: an empty list is known to be so, and is no gap."""
    run = a_full_run()
    readings = (*(one for one in run.readings if one.key is not v.TLS_GROUPS), a_fact(v.TLS_GROUPS, (("TLSv1.2", ()),)))
    page = _Page(_written(publish(replace(run, readings=readings))))
    assert f"{SUITES[1]} REFUSED IN FIPS MODE none rsa_pss_rsae_sha256 GOT" in page.text


def _refused(addresses: Sequence[str], *, alike: bool) -> Run:
    """Mailboxes that are refused, in the same words or each in words of its own, and of which most rules hold."""
    build = a_fact(v.SERVER_BUILD, Build((15, 2, 1258, 12)), POP, Observed(words("a1", 1, "+OK the words that it rests on")))
    rules = [a_rule(f"rule-{number}", Otherwise.NOT_READY) for number in range(60)]
    hold = [a_finding(rule, Result.HOLDS, build) for rule in rules]
    said = [f"refused {0 if alike else number}" for number in range(len(addresses))]
    refused = [
        a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, text, POP, Declared("peer", words("a1", 2, text)), address)
        for text, address in zip(said, addresses, strict=True)
    ]
    return a_run(
        estate=an_estate(*map(a_mailbox, addresses)),
        readings=[build, *refused],
        assessments=[
            an_assessment(address, Support.SUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, fact), *hold)
            for address, fact in zip(addresses, refused, strict=True)
        ],
    )


@pytest.mark.parametrize(("alike", "most"), [(True, 300), (False, 4000)])
def test_a_further_mailbox_takes_little(alike: bool, most: int) -> None:
    """A name where it is as others are, and its own reasons where it is not; what it has in common with others is not written again."""
    few, many = (
        len(_written(publish(_refused([f"m{number:05}@branch.test" for number in range(size)], alike=alike)))) for size in (100, 300)
    )
    assert 0 < (many - few) / 200 < most


def test_it_is_written_as_it_comes() -> None:
    """No piece is more than a group of mailboxes has, so that the file is never in memory as a whole."""
    document = publish(_refused([f"m{number:05}@branch.test" for number in range(300)], alike=False))
    pieces = list(REPORT.render(document, ReportOptions()))
    assert max(map(len, pieces)) < 50_000 < sum(map(len, pieces))
