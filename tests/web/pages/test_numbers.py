"""Every number of a page is found again in the API, and from there in a fact with its evidence."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
from probe.model.vocabulary import all_keys
from probe.web import LastLook, ahead
from probe.web.tokens import TokenScope
from probe.web.watch import LookUnderWay
from tests.demonstrated import checked
from tests.runs import NOON, a_fact
from tests.web.pages.claims import (
    Answers,
    Json,
    of_calendar,
    of_changes,
    of_endpoint,
    of_estate,
    of_gate,
    of_mailbox,
    of_rule,
    of_runs,
    of_search,
)
from tests.web.pages.gates import FAILED, a_cannot_tell, a_go, gate_estate, gate_state, recorded
from tests.web.pages.numbers import Block, Claim, Corpus, blocks_of, claim, unknown_numbers
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

_OF_DYNAMICS = "warehouse@contoso.test"


def _estate_run() -> Run:
    """The simulated estate, checked for real, with what Dynamics says of a mailbox, and the TLS that an endpoint takes."""
    run = _begun_at(checked().run, NOON - timedelta(hours=2))
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
    return replace(run, id="run-1", readings=(*others, *of_dynamics, *of_tls))


def _begun_at(run: Run, at: datetime) -> Run:
    """A run of that time, whenever it was held."""
    attempts = tuple(replace(one, at=at) for one in run.attempts)
    return replace(run, started=at, finished=NOON, attempts=attempts, readings=tuple(replace(one, at=at) for one in run.readings))


def _seen(key: Any, value: Any, *, url: str, attempt: str) -> Reading:
    return replace(a_fact(key, value, url), attempt=attempt)


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


async def test_the_numbers_of_what_is_searched_are_in_the_api(service: World) -> None:
    """By profile, by a part of the address, by verdict and by endpoint: as many as the API has."""
    answers = Answers(service.asker)
    await answers.ask(*ESTATE)
    profile, endpoint = service.watch.estate.profiles[0].name, answers["/v1/endpoints"]["endpoints"][0]
    unsupported = sum(one["mailboxes"] for one in answers["/v1/causes"]["causes"] if one["status"] == "unsupported")
    for query, path in ((f"profile={profile}", f"/v1/mailboxes?profile={profile}"), ("q=contoso", "/v1/mailboxes?q=contoso")):
        await held(service, answers, f"/?{query}", (*ESTATE, path), partial(of_search, answers, path))
    for query, number in (("verdict=UNSUPPORTED", unsupported), (f"at={endpoint['id']}", endpoint["mailboxes"])):
        answers.known[query] = {"total": number}
        await held(service, answers, f"/?{query}", ESTATE, partial(of_search, answers, query))


async def test_the_numbers_of_rules_are_in_the_api(service: World) -> None:
    """How many mailboxes each decides, and in what way; what a fact means is what `probe facts` says."""
    answers, shown = Answers(service.asker), ""
    await answers.ask(*ESTATE)
    answers.known["facts"] = [key.doc for key in all_keys().values()]
    for rule in answers["/v1/rules"]["rules"]:
        wanted = [f"?rule={rule['id']}&result={result}" for result in ("fails", "unknown", "holds")]
        paths = [f"/v1/mailboxes{one}" for one in wanted]
        shown += await held(
            service, answers, f"/rules/{rule['id']}", ("facts", f"/v1/rules/{rule['id']}", *paths), partial(of_rule, answers)
        )
        for one, path in zip(wanted, paths, strict=True):
            if answers[path]["total"]:
                shown += await held(service, answers, f"/{one}", (*ESTATE, path), partial(of_search, answers, path))
    for kind in ("NOT READY 1 mailbox", "UNKNOWN 2 mailboxes", "mailboxes found, which a rule decides"):
        assert kind in shown, kind


async def test_the_numbers_of_the_gate_and_of_enabling_are_in_the_api(tmp_path: Path) -> None:
    """What Test & Enable would do, what it rests on, and what came of it."""
    bad, good = "info@contoso.test", "sales@contoso.test"
    estate = gate_estate(bad, good)
    async with world(tmp_path, gate_state(estate)) as made:
        made.watch.answers = {bad: a_cannot_tell(estate, bad), good: a_go(estate, good)}
        made.watch.recorded = recorded(estate, good, bad)
        for address in (bad, good):
            asked = await made.of(TokenScope.CHECK).ask("/v1/gate", "POST", {"Prefer": "wait=60"}, {"mailbox": address})
            assert asked.status == 200
        answers, shown = Answers(made.asker), ""
        (jobs,) = await answers.ask("/v1/jobs")
        for path in (f"/v1/enabling/{FAILED}", *(one["place"] for one in jobs["jobs"])):
            shown += await held(made, answers, path.removeprefix("/v1"), ("/v1/jobs", "/v1/rules", path), partial(of_gate, answers, path))
        for kind in ("12 mails that wait", "14,312 messages received", "it may try for 50 minutes", "401 Unauthorized"):
            assert kind in shown, kind


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
    def total(_: re.Match[str], __: Block) -> Sequence[int]:
        return [3]

    assert unknown_numbers("<p>3 mailboxes</p>", Corpus([]), [total]) == []
    assert unknown_numbers("<p>4 mailboxes</p>", Corpus([]), [total]) != []
