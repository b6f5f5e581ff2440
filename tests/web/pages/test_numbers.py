"""Every number of a page is found again in the API, and from there in a fact with its evidence."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from probe.history import judgement, sighting, sightings_of
from probe.history.telling import as_time
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.endpoints import endpoint_id
from probe.model.facts import Reading
from probe.model.kinds import TlsSession
from probe.model.provenance import Declared
from probe.model.rules import Readiness
from probe.model.runs import Run
from probe.web import LastLook, ahead
from probe.web.watch import LookUnderWay
from tests.demonstrated import checked
from tests.runs import NOON, a_fact
from tests.web.client import Asker
from tests.web.pages.numbers import Block, Claim, Corpus, blocks_of, claim, constant, unknown_numbers
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

Json = Any
Match = re.Match[str]

_OF_DYNAMICS = "warehouse@contoso.test"
_CHANGED = "smtp"
_WAYS = ("incoming", "outgoing", "appointments")


def _estate_run() -> Run:
    """The simulated estate, checked for real, with what Dynamics says of a mailbox, and the TLS that an endpoint takes."""
    run = checked().run
    by, address = Declared("dynamics"), _OF_DYNAMICS
    of_dynamics: list[Reading] = [
        a_fact(v.DYNAMICS_ENABLED, (("incoming", True), ("outgoing", False), ("appointments", False)), address, by),
        a_fact(v.DYNAMICS_STATUS, (("incoming", "success"), ("outgoing", "failure"), ("appointments", "not-run")), address, by),
        a_fact(v.DYNAMICS_LAST_SUCCESS, datetime(2026, 11, 23, 4, tzinfo=UTC), address, by),
        a_fact(v.DYNAMICS_LAST_ERROR, "Error 401 of 3 attempts", address, by),
        a_fact(v.DYNAMICS_LAST_ERROR_AT, datetime(2026, 11, 23, 5, tzinfo=UTC), address, by),
        a_fact(v.DYNAMICS_PENDING_SEND, 1234, address, by),
    ]
    url, attempt = next(
        (one.subject, one.id) for one in run.attempts if one.outcome is Outcome.COMPLETED and one.subject.startswith("pop3s")
    )
    seen = partial(_seen, url=url, attempt=attempt)
    of_tls: list[Reading] = [
        seen(v.TLS_VERSIONS, ("TLSv1.1", "TLSv1.2")),
        seen(v.TLS_SUITES, (("TLSv1.2", ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",)),)),
        seen(v.FIPS_PROFILE, "windows-server-2019"),
        seen(v.FIPS_NEGOTIATES, TlsSession("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "secp384r1")),
    ]
    others = [one for one in run.readings if one.subject != url or one.key not in {new.key for new in of_tls}]
    return replace(run, id="run-1", started=NOON, finished=NOON, readings=(*others, *of_dynamics, *of_tls))


def _seen(key: Any, value: Any, *, url: str, attempt: str) -> Reading:
    return replace(a_fact(key, value, url), attempt=attempt)


@dataclass
class Answers:
    """The answers of the API, each asked for once."""

    asker: Asker
    known: dict[str, Json] = field(default_factory=dict)
    now: datetime = NOON

    async def ask(self, *paths: str) -> list[Json]:
        """The answers of some paths; of a list all its pages as one."""
        for path in paths:
            if path not in self.known:
                whole, after = None, ""
                while whole is None or after:
                    answer = await self.asker.ask(path + after)
                    assert answer.status == 200, (path, answer.body)
                    self.now = parsedate_to_datetime(answer.headers["date"])
                    told = answer.json()
                    (many,) = [name for name, value in told.items() if isinstance(value, list)] if "next" in told else ("",)
                    whole = told if whole is None else {**whole, many: [*whole[many], *told[many]]}
                    after = f"{'&' if '?' in path else '?'}after={quote(told['next'])}" if told.get("next") else ""
                self.known[path] = whole
        return [self.known[path] for path in paths]

    def __getitem__(self, path: str) -> Json:
        return self.known[path]


def _mailbox(address: str) -> str:
    return f"/v1/mailboxes/{quote(address, safe='@')}"


ESTATE = ("/v1/summary", "/v1/causes", "/v1/coming", "/v1/changes", "/v1/endpoints", "/v1/mailboxes", "/v1/schedule", "/v1/rules")


@pytest.fixture
def run() -> Run:
    """What is known of the estate, which is checked outside of the loop of a test."""
    return _estate_run()


@pytest.fixture
async def service(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The estate after a day: an endpoint that changed, alike with two others, looks that took their time, sign-ins."""
    monkeypatch.setattr(ahead, "_RESTS", 0)
    began = time.monotonic()
    # Budgets of requests are tested elsewhere; here a second of them passes in a millisecond.
    async with world(tmp_path, run, monotonic=lambda: began + (time.monotonic() - began) * 1000) as made:
        await _lived(made, run)
        yield made


async def _lived(made: World, run: Run) -> None:
    history, urls = made.watch.history, [one.url for one in made.watch.estate.endpoints]
    await history.record([*sightings_of(replace(run, assessments=()))])
    changed = [url for url in urls if url.startswith("smtp")][:3]
    assert len(changed) == 3
    for minutes, product in ((90, "Postfix 3.7"), (60, "Exim 4.96")):
        at = NOON - timedelta(minutes=minutes)
        told = {url: [replace(_seen(v.SERVER_PRODUCT, product, url=url, attempt="a1"), at=at)] for url in changed}
        attempts = {url: [replace(one, at=at) for one in run.attempts if one.subject == url and one.mailbox is None] for url in changed}
        await history.record([sighting(url, None, at, told[url], attempts[url], seconds=minutes / 100) for url in changed])
    assessment = next(one for one in run.assessments if one.readiness is Readiness.NOT_READY)
    await history.record([judgement(replace(assessment, readiness=Readiness.READY), NOON - timedelta(minutes=50))])
    await history.record([judgement(assessment, NOON - timedelta(minutes=40))])
    await history.sweep(made.watch.estate.history, NOON)
    made.watch.looks = {url: LastLook(NOON - timedelta(minutes=3), 0.0314 * number) for number, url in enumerate(urls)}
    made.watch.sign_ins = {one.address: NOON - timedelta(minutes=5) for one in made.watch.estate.mailboxes}
    made.watch.looking = [LookUnderWay("quick", urls[0], NOON - timedelta(seconds=9))]
    made.watch.late = timedelta(seconds=91)


# ---- where the numbers of pages are in the API ------------------------------------------------------------------------


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _only(found: Iterable[int]) -> list[int]:
    """What the API has, where it has one thing of the kind; an empty list, which equals no number, where it has several or none."""
    different = {*found}
    return [*different] if len(different) == 1 else []


def of_estate(answers: Answers) -> list[Claim]:
    """The numbers of the estate's page, searched or not."""
    summary, causes, lines = answers["/v1/summary"], answers["/v1/causes"]["causes"], answers["/v1/mailboxes"]["mailboxes"]
    endpoints = {one["id"]: one for one in answers["/v1/endpoints"]["endpoints"]}
    words = "not ready|ready as far as seen without signing in|ready|undetermined|not assessed|unsupported|not listed|supported"

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)?: .*\.$", "p")
    def total(_: Match, __: Block) -> Sequence[int]:
        return [summary["mailboxes"]]

    @claim(rf"(?<=[:,] )(?P<n>[\d,]+) (?P<words>{words})(?=[,.])", "p")
    def verdicts(match: Match, block: Block) -> Sequence[int]:
        told = match["words"]
        if block.text.startswith("Support:"):
            return [summary["support"][told.replace(" ", "-")]]
        if told == "not assessed":
            return [summary["readiness"]["not-assessed"]]
        is_seen = [one for one in lines if one["readiness"] == told.partition(" as ")[0].replace(" ", "-")]
        if told.startswith("ready"):
            is_seen = [one for one in is_seen if (one["signed_in"] == "yes") is (told == "ready")]
        return [len(is_seen)]

    @claim(r"\| (?P<n>[\d,]+) mailboxes \|", "tr")
    def cause(_: Match, block: Block) -> Sequence[int] | None:
        groups = {link.removeprefix("/?group=") for link in block.links if link.startswith("/?group=")}
        return _only(one["mailboxes"] for one in causes if one["id"] in groups and one["cause"] in block.text) if groups else None

    @claim(r"(?P<n>[\d,]+) mailbox(?:es)?\b", "tr")
    def served(_: Match, block: Block) -> Sequence[int] | None:
        at = {link.removeprefix("/?at=") for link in block.links if link.startswith("/?at=")}
        return [endpoints[one]["mailboxes"] for one in at] or None

    @claim(r"(?P<n>[\d,]+) ms$", "tr")
    def took(_: Match, block: Block) -> Sequence[int]:
        return _took(endpoints[link.removeprefix("/?at=")] for link in block.links if link.startswith("/?at="))

    @claim(r"^: .*, (?P<n>[\d,]+) mailbox(?:es)?$", "li")
    def coming(_: Match, block: Block) -> Sequence[int] | None:
        return _only(one["mailboxes"] for one in answers["/v1/coming"]["coming"] if one["words"] in block.text and one["on"] in block.times)

    return [total, verdicts, cause, served, took, coming, of_many(answers["/v1/changes"]["changes"])]


def of_search(answers: Answers, path: str) -> list[Claim]:
    """The numbers of the estate's page, searched."""

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)? found", "p")
    def found(_: Match, __: Block) -> Sequence[int]:
        return [answers[path]["total"]]

    return [found, *of_estate(answers)]


def _took(lines: Iterable[Json]) -> list[int]:
    return [round(line["last_look"]["seconds"] * 1000) for line in lines]


def of_many(changes: Sequence[Json]) -> Claim:
    """How many subjects something befell alike."""

    @claim(r"^(?:at least )?(?P<n>[\d,]+) subjects, the first (?P<first>\S+)$", "summary")
    def alike(match: Match, _: Block) -> Sequence[int]:
        first = next(one for one in changes if one["subject"] == match["first"])
        same = [one for one in changes if all(one[part] == first[part] for part in ("key", "before", "after"))]
        return [len({(one["subject"], one["mailbox"]) for one in same})]

    return alike


def of_mailbox(answers: Answers, path: str) -> list[Claim]:
    """The numbers of a mailbox's page."""
    detail = answers[path]
    verdict, findings, rules = detail["verdict"], detail["assessment"]["findings"], detail["rules"]

    @claim(r"^UNKNOWN (?P<n>\d+) questions?, because (?P<because>.*)$", "summary")
    def questions(match: Match, _: Block) -> Sequence[int] | None:
        return _only(
            len(one["rules"]) for one in verdict["explanations"] if one["answer"] == "unknown" and one["because"] == match["because"]
        )

    @claim(r"^YES (?P<n>\d+) statements? holds?$", "summary")
    def holding(match: Match, _: Block) -> Sequence[int]:
        holds = [one["rule"] for one in findings if one["result"] == "holds"]
        of_page = [sum(rules[rule]["by"] == "microsoft" for rule in holds)]
        of_ways = [
            sum(
                rules[rule]["by"] == "readiness" and any(verdict["by_direction"][way].get(rule) == "holds" for way in ways)
                for rule in holds
            )
            for ways in _subsets([way for way in _WAYS if way in verdict["by_direction"]])
        ]
        return [number for number in {*of_page, *of_ways} if number == int(match["n"])]

    @claim(r"without effect on the verdict: (?P<n>\d+) questions?$", "summary")
    def beside(_: Match, __: Block) -> Sequence[int]:
        told = {rule for one in verdict["explanations"] for rule in one["rules"]}
        return [sum(one["result"] == "unknown" and one["rule"] not in told for one in findings)]

    @claim(r"^(?P<n>[\d,]+) messages?$", "dd")
    def pending(_: Match, __: Block) -> Sequence[int]:
        return _only(one["value"] for one in detail["facts"] if one["key"] == "dynamics.pending_send")

    @claim(r"signed in (?P<n>\d+) minutes? ago", "dd")
    def signed_in(_: Match, __: Block) -> Sequence[int]:
        return [int((answers.now - datetime.fromisoformat(detail["sign_in"]["at"])).total_seconds() // 60)]

    @claim(r"^(?P<key>[a-z0-9_]+\.[a-z0-9_]+) (?:at|of) .* = (?P<n>\d+)(?= \(|$)", "dd")
    def cited(match: Match, block: Block) -> Sequence[int]:
        return _only(one["value"] for one in detail["facts"] if one["key"] == match["key"] and one["subject"] in f"{block.text} {path}")

    often = constant(r"at most once in (?P<n>15) minutes", "dd")
    return [questions, holding, beside, pending, signed_in, cited, often, of_many(detail["timeline"])]


def _subsets(ways: Sequence[str]) -> list[list[str]]:
    return [[way for place, way in enumerate(ways) if number >> place & 1] for number in range(1, 1 << len(ways))]


def of_endpoint(answers: Answers, path: str) -> list[Claim]:
    """The numbers of an endpoint's page."""
    detail = answers[path]
    facts = [one for one in detail["facts"] if one["subject"] == detail["subject"]]

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)?$", "dd")
    def served(_: Match, __: Block) -> Sequence[int]:
        return [detail["mailboxes"]]

    @claim(r"^, (?P<n>\d+) ms$", "dd")
    def took(_: Match, __: Block) -> Sequence[int]:
        return _took([detail])

    @claim(r"^\| \| (?P<n1>\d+) \| (?P<n2>\d+) \| (?P<n3>\d+) \| (?P<n4>\d+)$", "tr")
    def latencies(_: Match, block: Block) -> Sequence[int]:
        (one,) = [one for one in detail["latencies"] if [one["from"]] == block.times]
        return [one["looks"], one["minimum"], one["median"], one["maximum"]]

    @claim(r"^(?P<n>\d+)$", "label of td")
    def drawn(match: Match, _: Block) -> Sequence[int]:
        known = {one[part] for one in detail["latencies"] for part in ("minimum", "median", "maximum")}
        return [number for number in known if number == int(match["n"])]

    @claim(r"^(?P<n>\d+) percent of the certificate's time have passed", "label of svg")
    def passed(_: Match, __: Block) -> Sequence[int]:
        begins, ends = (
            datetime.fromisoformat(next(one["value"] for one in facts if one["key"] == key))
            for key in ("certificate.not_before", "certificate.not_after")
        )
        on = datetime.fromisoformat(f"{answers['/v1/summary']['judged_at']}T00:00:00Z")
        return [round(min(max((on - begins) / (ends - begins), 0.0), 1.0) * 100)]

    @claim(r"^All that is known: (?P<n>\d+) facts?$", "summary")
    def known(_: Match, __: Block) -> Sequence[int]:
        return [len(facts)]

    @claim(r"^\| (?P<key>[a-z0-9_]+\.[a-z0-9_]+) \| (?P<n>\d+)(?= \(|$)", "tr")
    def value(match: Match, _: Block) -> Sequence[int]:
        return _only(one["value"] for one in facts if one["key"] == match["key"])

    @claim(r"^\| (?P<version>(?:TLS|SSL)v(?P<n1>\d)(?:\.(?P<n2>\d))?) \| (?P<taken>YES|NO)\b", "tr")
    def versions(match: Match, _: Block) -> Sequence[int]:
        (taken,) = [one["value"] for one in facts if one["key"] == "tls.versions"]
        return (
            [int(digit) for digit in re.findall(r"\d", match["version"])]
            if (match["version"] in taken) is (match["taken"] == "YES")
            else []
        )

    days = constant(r"each hour of the last (?P<n>14) days", "caption")
    return [served, took, latencies, drawn, passed, known, value, versions, days, of_many(detail["timeline"])]


def of_changes(answers: Answers) -> list[Claim]:
    """The numbers of the page of changes."""
    return [of_many(answers["/v1/changes"]["changes"])]


def of_calendar(answers: Answers) -> list[Claim]:
    """The numbers of the calendar."""
    told = answers["/v1/coming"]
    first, last = (date.fromisoformat(told[name]) for name in ("from", "until"))

    @claim(r"^in (?P<n>[\d,]+) days? ", "li")
    def left(_: Match, block: Block) -> Sequence[int]:
        return _only((date.fromisoformat(day) - first).days for day in block.times)

    @claim(r"^(?P<n>[\d,]+) mailboxes$", "summary")
    def befalls(match: Match, _: Block) -> Sequence[int]:
        return [number for number in {one["mailboxes"] for one in told["coming"]} if number == _number(match["n"])]

    @claim(r"^(?P<n>[\d,]+) events? on a line from", "label of svg")
    def events(_: Match, __: Block) -> Sequence[int]:
        return [told["total"]]

    @claim(r"^(?P<n1>\d{4})-(?P<n2>\d\d)$", "text")
    def ticks(match: Match, _: Block) -> Sequence[int]:
        quarter = date(int(match["n1"]), int(match["n2"]), 1)
        return [quarter.year, quarter.month] if first < quarter <= last and quarter.month % 3 == 1 else []

    return [left, befalls, events, ticks]


def of_runs(answers: Answers) -> list[Claim]:
    """The numbers of the page of runs."""

    @claim(r"^What is due longest is (?P<n>[\d,]+) seconds? late", "p")
    def late(_: Match, __: Block) -> Sequence[int]:
        return [answers["/v1/schedule"]["lag_seconds"]]

    return [late]


# ---- the pages --------------------------------------------------------------------------------------------------------


async def held(service: World, answers: Answers, place: str, paths: Sequence[str], claims: Callable[[], list[Claim]]) -> str:
    """See to it that the answers of some paths have every number of a page; gives what it says."""
    told = await answers.ask("/v1/summary", "/v1/openapi.json", *paths)
    page = await service.asker.ask(place, headers={"Accept": "text/html"})
    assert page.status == 200
    info = told[1]["info"]
    corpus = Corpus([told[0], info, *told[2:], as_time(answers.now)])
    assert unknown_numbers(page.body.decode(), corpus, claims()) == []
    return "\n".join(block.text for block in blocks_of(page.body.decode()))


async def test_the_numbers_of_the_estate_are_in_the_api(service: World) -> None:
    """Those of its causes, of what changed, what comes and what goes on, and of its endpoints; and of what is found by a link of each."""
    await service.worked_out()
    answers = Answers(service.asker)
    shown = await held(service, answers, "/", ESTATE, lambda: of_estate(answers))
    for link in (await PageReader(service.asker).get("/")).links:
        if link.startswith("/?group="):
            path = f"/v1/mailboxes?cause={link.removeprefix('/?group=')}"
            shown += await held(service, answers, link, (*ESTATE, path), partial(of_search, answers, path))
    shown += await held(service, answers, "/changes", ("/v1/changes",), lambda: of_changes(answers))
    shown += await held(service, answers, "/calendar", ("/v1/coming", "/v1/coming/unseen"), lambda: of_calendar(answers))
    shown += await held(service, answers, "/runs", ("/v1/jobs", "/v1/schedule", "/v1/runs"), lambda: of_runs(answers))
    for kind in (
        "mailboxes: ",
        "mailboxes |",
        "mailboxes found",
        "3 subjects, the first",
        " ms",
        " days ",
        "events on a line",
        "seconds late",
    ):
        assert kind in shown, kind
    # What counts mailboxes leads to them; to where each leads is tested below.
    counted = {f"/v1/mailboxes?cause={one['id']}": one["mailboxes"] for one in answers["/v1/causes"]["causes"]}
    counted |= {f"/v1/mailboxes?coming={one['id']}": one["mailboxes"] for one in answers["/v1/coming"]["coming"]}
    everybody = {one["mailbox"] for one in answers["/v1/mailboxes"]["mailboxes"]}
    for told, number in zip(await answers.ask(*counted), counted.values(), strict=True):
        assert told["total"] == len(told["mailboxes"]) == number > 0
        assert {one["mailbox"] for one in told["mailboxes"]} <= everybody


async def test_the_numbers_of_every_mailbox_are_in_the_api(service: World) -> None:
    """Of each verdict that there is, with Dynamics' own state beside one."""
    answers, shown = Answers(service.asker), ""
    for mailbox in service.watch.estate.mailboxes:
        path = _mailbox(mailbox.address)
        paths = (path, f"/v1/changes?subject={quote(mailbox.address)}", "/v1/endpoints")
        shown += await held(service, answers, f"/m/{quote(mailbox.address)}", paths, partial(of_mailbox, answers, path))
    told = [answers[_mailbox(one.address)] for one in service.watch.estate.mailboxes]
    assert {one["verdict"]["status"] for one in told} >= {"not-ready", "unsupported", "unknown", "ready", "not-served"}
    for kind in ("questions, because", "statements hold", "without effect on the verdict", "1,234 messages", "5 minutes ago", " = 401"):
        assert kind in shown, kind


async def test_the_numbers_of_every_endpoint_are_in_the_api(service: World) -> None:
    """Its TLS, its certificate, how long looks took, what was said."""
    answers, shown = Answers(service.asker), ""
    for endpoint in service.watch.estate.endpoints:
        path = f"/v1/endpoints/{endpoint_id(endpoint.url)}"
        paths = (path, f"{path}/transcripts", f"/v1/changes?subject={endpoint_id(endpoint.url)}")
        shown += await held(service, answers, f"/e/{endpoint_id(endpoint.url)}", paths, partial(of_endpoint, answers, path))
    for kind in ("percent of the certificate", "All that is known", "TLSv1.2 | YES", "each hour of the last", " ms", "Exim 4.96"):
        assert kind in shown, kind


async def test_every_number_leads_to_a_fact_with_its_evidence(service: World) -> None:
    """Each mailbox leads to the readings that decided it, each reading to an attempt and a line of what was said, or to whoever declared it."""
    answers, lines = Answers(service.asker), 0
    for detail in await answers.ask(*(_mailbox(one.address) for one in service.watch.estate.mailboxes)):
        lines += await rests_on_evidence(answers, detail)
        cited = {reading for one in detail["assessment"]["findings"] for reading in one["because"]}
        assert cited <= {one["id"] for part in ("facts", "missing") for one in detail[part]}
        decided = {rule for one in detail["verdict"]["explanations"] for rule in one["rules"]}
        assert all(one["because"] for one in detail["assessment"]["findings"] if one["rule"] in decided)
    for detail in await answers.ask(*(f"/v1/endpoints/{endpoint_id(one.url)}" for one in service.watch.estate.endpoints)):
        lines += await rests_on_evidence(answers, detail)
    assert any(detail["elsewhere"] for detail in answers.known.values())
    assert lines > 500


async def rests_on_evidence(answers: Answers, detail: Json) -> int:
    """See to it that each fact leads to what was said or to whoever declared it; gives how many lines of transcripts they lead to."""
    told = [*detail["attempts"]]
    for name, path in detail["elsewhere"].items():
        ((whose,),) = [[one for one in answer["attempts"] if one["id"] == name] for answer in await answers.ask(path)]
        told.append(whose)
    attempts = {one["id"]: {line["line"]: line["text"] for line in one["transcript"]} for one in told}
    keys = {one["key"] for one in detail["facts"]}
    count = 0
    for fact in detail["facts"]:
        for evidence in fact["evidence"]:
            said = attempts[evidence["attempt"]][evidence["line"]]
            assert evidence["excerpt"] in said or said in evidence["excerpt"], fact
            count += 1
        if fact["basis"] == "inferred":
            # Of an endpoint's own page, what the deployment declares is no part.
            assert {one for one in fact["premises"] if not one.startswith(("deployment.", "profile.", "mailbox."))} <= keys, fact
        elif not fact["evidence"]:
            assert fact["attempt"] in attempts or (fact["basis"], fact.get("by")) in (("declared", "operator"), ("declared", "dynamics")), (
                fact
            )
    return count


# ---- what would be missed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece",
    [
        "<p>17 unicorns</p>",
        "<table><tr><td>3</td><td>3 mailboxes</td></tr></table>",
        "<p>since <time datetime='2026-11-01T00:00:00Z'>some time</time></p>",
        "<p>TLSv1.9</p>",
        "<svg aria-label='4 things'></svg>",
        "<p>2 of 3 mailboxes</p>",
        "17",
    ],
)
def test_a_number_that_nobody_knows_is_found(piece: str) -> None:
    """Wherever it stands: a page that shows more than the API has does not pass."""
    corpus = Corpus([{"words": "2 of 4 mailboxes, TLSv1.2", "at": "2026-11-02T00:00:00Z"}])
    assert unknown_numbers(f"<body>{piece}</body>", corpus, []) != []
    assert unknown_numbers("<body><p>of 4 mailboxes, TLSv1.2</p></body>", corpus, []) == []


def test_a_number_that_the_api_has_otherwise_is_found() -> None:
    """Though it is claimed."""

    @claim(r"^(?P<n>\d+) mailboxes$", "p")
    def total(_: Match, __: Block) -> Sequence[int]:
        return [3]

    assert unknown_numbers("<p>3 mailboxes</p>", Corpus([]), [total]) == []
    assert unknown_numbers("<p>4 mailboxes</p>", Corpus([]), [total]) != []
