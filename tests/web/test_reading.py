"""The API as programs read it: the estate in short, its mailboxes, endpoints, what changed, the rules."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from probe import app
from probe.history import judgement, sighting
from probe.history.storage import DATABASE
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.endpoints import MOST_URL_BYTES, endpoint_id
from probe.model.provenance import Declared
from probe.model.rules import Readiness, Result, Support
from probe.web import LastLook
from probe.web.forms import (
    ChangePageForm,
    EndpointDetailForm,
    EndpointPageForm,
    MailboxDetailForm,
    MailboxPageForm,
    RuleListForm,
    SummaryForm,
    TranscriptPageForm,
)
from probe.web.tokens import TokenScope
from tests.history.looks import attempt, look, minutes, product
from tests.hostile import closed_port
from tests.runs import (
    EWS,
    NOON,
    POP,
    SECRET_PLACES,
    TLS_WORKS,
    a_checked_run,
    a_fact,
    a_finding,
    a_mailbox,
    a_run,
    an_assessment,
    an_estate,
    words,
)
from tests.web.client import got, pages
from tests.web.pages.reading import PageReader
from tests.web.world import World, estate_at, world


async def test_the_estate_in_short_counts_each_mailbox_once(service: World) -> None:
    """By support, by readiness, by profile; causes with the worst first, each with some of its mailboxes; and what comes up."""
    told = await service.worked_out()
    SummaryForm.model_validate(told)
    assert told["mailboxes"] == sum(told["support"].values()) == sum(told["readiness"].values()) == 7
    assert told["support"]["unsupported"] == 3
    assert {one["profile"]: one["mailboxes"] for one in told["profiles"]} == {"corp": 4, "branch": 3}
    first = told["worst"][0]
    assert (first["readiness"], first["mailboxes"], first["first"]) == ("not-ready", 2, ["info@contoso.test", "team@contoso.test"])
    assert "mail.contoso.test" in first["cause"]
    assert told["causes"] == len(told["worst"]) == 4
    (coming,) = told["coming"]
    assert (coming["on"], coming["rule"], coming["endpoints"], coming["mailboxes"]) == ("2026-12-01", "certificate-expired", [POP], 2)


async def test_the_estate_in_short_follows_the_newest_state(service: World) -> None:
    """It is drawn once of each state, and anew of the next."""
    before = await got(service.asker, "/v1/summary")
    assert await got(service.asker, "/v1/summary") == before
    run = a_checked_run()
    await service.watch.show(replace(run, assessments=run.assessments[:1]))
    assert (await got(service.asker, "/v1/summary"))["mailboxes"] == 1


@pytest.mark.parametrize(
    ("query", "addresses"),
    [
        ("?support=supported", ["listed"]),
        ("?support=supported&support=not-listed", ["listed", "new"]),
        ("?readiness=not-ready", ["info", "team"]),
        ("?profile=branch&support=unsupported", ["pop"]),
        ("?profile=other", []),
        ("?q=CONTOSO", ["info", "listed", "new", "team"]),
        ("?q=t%40b", ["silent"]),
        ("?q=%00", []),
    ],
)
async def test_mailboxes_are_filtered(service: World, query: str, addresses: list[str]) -> None:
    """By verdict, profile and a part of the address; the total is that of what was asked for."""
    told = await got(service.asker, f"/v1/mailboxes{query}")
    MailboxPageForm.model_validate(told)
    assert [one["mailbox"].partition("@")[0] for one in told["mailboxes"]] == addresses
    assert told["total"] == len(addresses)
    assert told["next"] is None


async def test_mailboxes_are_paged_by_a_cursor(service: World) -> None:
    """Every mailbox is on one page, also where the estate lost the one at which a page ended."""
    whole = await pages(service.asker, "/v1/mailboxes?limit=500", "mailboxes")
    assert [one["mailbox"] for one in whole] == sorted(one["mailbox"] for one in whole)
    for limit in (1, 2, 3, 7):
        assert await pages(service.asker, f"/v1/mailboxes?limit={limit}", "mailboxes") == whole
    first = await got(service.asker, "/v1/mailboxes?limit=2")
    run = a_checked_run()
    assert run.estate is not None
    gone = whole[1]["mailbox"]
    estate = replace(run.estate, mailboxes=tuple(one for one in run.estate.mailboxes if one.address != gone))
    await service.watch.show(replace(run, estate=estate, assessments=tuple(one for one in run.assessments if one.mailbox != gone)))
    rest = await got(service.asker, f"/v1/mailboxes?limit=500&after={first['next']}")
    assert rest["mailboxes"] == whole[2:]


@pytest.mark.parametrize(
    "query",
    ["?limit=0", "?limit=501", "?limit=x", f"?after={'x' * 5000}", "?support=good", "?readiness=", f"?q={'x' * 400}"],
)
async def test_what_is_asked_for_wrongly_is_said(service: World, query: str) -> None:
    """With the parameter that is wrong."""
    answer = await service.asker.ask(f"/v1/mailboxes{query}")
    assert answer.status == 422
    assert query[1:].partition("=")[0] in answer.problem


@pytest.mark.parametrize("name", ["pop@branch.test", "POP%40branch.test"])
async def test_a_mailbox_has_all_that_its_verdict_rests_on(service: World, name: str) -> None:
    """Each reading that a finding cites is there, with the attempt that told it and its words; nothing is there of other mailboxes."""
    told = await got(service.asker, f"/v1/mailboxes/{name}")
    MailboxDetailForm.model_validate(told)
    assert told["mailbox"]["address"] == "pop@branch.test"
    assert told["mailbox"]["has_credentials"] is True
    readings = {one["id"]: one for one in (*told["facts"], *told["missing"])}
    cited = [one for finding in told["assessment"]["findings"] for one in finding["because"]]
    assert cited
    assert set(cited) <= set(readings)
    assert {finding["rule"] for finding in told["assessment"]["findings"]} == set(told["rules"])
    assert [one["subject"] for one in told["endpoints"]] == [POP, "smtp://smtp.branch.test:587"]
    attempts = {one["id"] for one in told["attempts"]}
    assert {line["attempt"] for one in told["facts"] for line in one["evidence"]} <= attempts
    assert "contoso.test" not in str(told).replace("contoso-crm", "")


async def test_page_and_api_say_since_when_a_verdict_stands(service: World) -> None:
    """The time at which it was reached, whatever it rested on later; nothing where it is not kept."""
    address = "pop@branch.test"
    assert (await got(service.asker, f"/v1/mailboxes/{address}"))["since"] is None
    for at, findings in ((0, ()), (5, (a_finding(TLS_WORKS, Result.FAILS),))):
        await service.watch.history.record(
            [judgement(an_assessment(address, Support.SUPPORTED, Readiness.NOT_READY, *findings), NOON + timedelta(minutes=at))]
        )
    assert (await got(service.asker, f"/v1/mailboxes/{address}"))["since"] == "2026-11-23T12:00:00Z"
    assert '<dt>Since</dt><dd><time datetime="2026-11-23T12:00:00Z">' in (await service.asker.ask(f"/m/{address}")).body.decode()


async def test_a_mailbox_is_found_by_its_id_in_dynamics(tmp_path: Path) -> None:
    """In small and capital letters; another id is none."""
    guid = "8c1e2f3a-0b4c-4d5e-9f60-718293a4b5c6"
    estate = an_estate(replace(a_mailbox("a/b c@branch.test"), id=guid))
    run = a_run(estate=estate, assessments=[an_assessment("a/b c@branch.test", Support.UNDETERMINED, Readiness.UNDETERMINED)])
    async with world(tmp_path, run) as made:
        for name in (guid, guid.upper(), "a%2Fb%20c@branch.test", "a/b%20c@branch.test"):
            assert (await got(made.asker, f"/v1/mailboxes/{name}"))["mailbox"]["id"] == guid
        assert (await made.asker.ask(f"/v1/mailboxes/{guid[:-1]}7")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/mailboxes/nobody@contoso.test",
        "/v1/mailboxes/%2e%2e%2fstate",
        "/v1/mailboxes/",
        "/v1/endpoints/000000000000",
        "/v1/endpoints/smtp://elsewhere.test:25",
        "/v1/endpoints/%0d%0aSet-Cookie:%20a=b",
        "/v1/rules/nothing",
        "/v1/rules/..%2f..",
        f"/v1/runs/{'0' * 32}",
        f"/v1/gate/{'0' * 32}",
        "/v1/endpoints/000000000000/transcripts",
        "/v1/endpoints/https://elsewhere.test/transcripts",
        "/v1/endpoints/nothing/transcripts",
        "/v1/runs/nothing",
        "/v1/gate/nothing",
        "/v1/enabling/nothing",
        f"/v1/runs/{'0' * 32}0",
        f"/v1/rules/{'x' * 300}",
        f"/v1/mailboxes/{'x' * 5000}@contoso.test",
        f"/v1/endpoints/{'x' * 5000}",
        f"/gate/{'0' * 33}",
        f"/m/{'x' * 5000}",
    ],
)
async def test_what_the_estate_does_not_have_is_not_there(service: World, path: str) -> None:
    """A name that is guessed is none, and the answer does not repeat it."""
    answer = await service.asker.ask(path)
    assert answer.status == 404
    assert answer.problem
    assert "set-cookie" not in answer.headers
    assert not service.watch.held


async def test_endpoints_are_told_in_short_and_whole(service: World) -> None:
    """Each with its id; one by id as by subject, with what is known, what is not, and its transcript; nothing of accounts there."""
    service.watch.looks[POP] = LastLook(NOON, 0.0314159)
    listed = await got(service.asker, "/v1/endpoints")
    EndpointPageForm.model_validate(listed)
    assert [one["subject"] for one in listed["endpoints"]] == [EWS, POP, "smtp://smtp.branch.test:587"]
    assert [one["up"] for one in listed["endpoints"]] == [True, True, False]
    assert listed["endpoints"][1]["last_look"] == {"at": "2026-11-23T12:00:00Z", "seconds": 0.031}
    assert await pages(service.asker, "/v1/endpoints?limit=1", "endpoints") == listed["endpoints"]
    whole = await got(service.asker, f"/v1/endpoints/{endpoint_id(POP)}")
    EndpointDetailForm.model_validate(whole)
    assert whole == await got(service.asker, f"/v1/endpoints/{POP}")
    assert {name: whole[name] for name in listed["endpoints"][1]} == listed["endpoints"][1]
    assert whole["profiles"] == ["branch"]
    assert [line["text"] for line in whole["attempts"][0]["transcript"]] == ["+OK Dovecot ready.", "+OK"]
    assert {one["key"] for one in whole["facts"]} >= {"server.product", "tls.negotiated", "certificate.not_after"}
    ews = await got(service.asker, f"/v1/endpoints/{endpoint_id(EWS)}")
    assert all(one["mailbox"] is None for part in ("facts", "missing", "attempts") for one in ews[part])


async def test_the_longest_subjects_are_found_and_paged(tmp_path: Path) -> None:
    """Those that an estate may have just so: by the cursor of a list, and by their names wherever they are taken."""
    start = f"https://localhost:{closed_port()}/"
    long = "ü" * ((MOST_URL_BYTES - len(start) - 1) // 2)
    ends = [f"{start}{letter}{long}" for letter in "ab"]
    async with world(tmp_path, a_run(estate=estate_at(*ends))) as made:
        assert [one["subject"] for one in await pages(made.asker, "/v1/endpoints?limit=1", "endpoints")] == ends
        for url in ends:
            assert (await got(made.asker, f"/v1/endpoints/{quote(url)}"))["id"] == endpoint_id(url)
            assert (await got(made.asker, f"/v1/changes?subject={quote(url)}"))["changes"] == []
            assert (await made.of(TokenScope.CHECK).ask("/v1/checks", "POST", body={"endpoint": url})).status == 202
            made.watch.looks[url] = LastLook(NOON, 0.1)
            assert (await made.asker.ask(f"/probe?target={quote(url)}")).status == 200


async def test_changes_are_drift_newest_first_in_pages(service: World) -> None:
    """From what to what, on which words; since a time, and page by page."""
    looks = [look(5 * number, *product(f"Product {number}", f"+OK {number} ready")) for number in range(7)]
    for one in looks:
        await service.watch.history.record([one])
    whole = await pages(service.asker, "/v1/changes?limit=500", "changes")
    ChangePageForm.model_validate({"changes": whole, "next": None})
    products = [one for one in whole if one["key"] == "server.product"]
    assert [one["after"]["value"] for one in products] == [f"Product {number}" for number in range(6, 0, -1)]
    assert products[0]["before"]["value"] == "Product 5"
    assert products[0]["after"]["words"] == ["+OK 6 ready"]
    for limit in (1, 2, 5):
        assert await pages(service.asker, f"/v1/changes?limit={limit}", "changes") == whole
    late = await pages(service.asker, f"/v1/changes?since={products[1]['at']}", "changes")
    assert [one for one in late if one["key"] == "server.product"] == products[:2]
    timeline = (await got(service.asker, f"/v1/endpoints/{endpoint_id(POP)}"))["timeline"]
    assert timeline == whole
    latencies = (await got(service.asker, f"/v1/endpoints/{POP}"))["latencies"]
    assert all(one["minimum"] <= one["median"] <= one["maximum"] for one in latencies)


async def test_changes_of_one_subject_are_those_of_its_page_and_the_older_ones(service: World) -> None:
    """Of a mailbox with those of its endpoints, of an endpoint by id as by subject; page by page, beyond what a timeline has."""
    history, address = service.watch.history, "pop@branch.test"
    for number in range(60):
        await history.record([look(5 * number, *product(f"Product {number}", f"+OK {number} ready"))])
    for number, support in enumerate((Support.SUPPORTED, Support.UNSUPPORTED)):
        await history.record([judgement(an_assessment(address, support, Readiness.READY), NOON + timedelta(minutes=number))])
    await history.record([look(0, *product(), subject=EWS)])
    await history.record([look(5, *product("Exim"), subject=EWS)])
    of_endpoint = await pages(service.asker, f"/v1/changes?limit=20&subject={endpoint_id(POP)}", "changes")
    assert {one["subject"] for one in of_endpoint} == {POP}
    assert len({one["id"] for one in of_endpoint}) == 59
    assert await pages(service.asker, f"/v1/changes?limit=500&subject={POP}", "changes") == of_endpoint
    of_mailbox = await pages(service.asker, f"/v1/changes?limit=500&subject={address.upper()}", "changes")
    assert {one["subject"] for one in of_mailbox} == {POP, address}
    assert [one for one in of_mailbox if one["subject"] == POP] == of_endpoint
    timeline = (await got(service.asker, f"/v1/mailboxes/{address}"))["timeline"]
    assert of_mailbox[: len(timeline)] == timeline
    assert len(timeline) < len(of_mailbox)


async def test_kept_conversations_of_an_endpoint_are_paged_newest_first(service: World) -> None:
    """Those of its page and the older ones, word for word, with whose account it was; also where the one at which a page ended was dropped."""
    history, place = service.watch.history, f"/v1/endpoints/{endpoint_id(POP)}/transcripts"
    assert await got(service.asker, place) == {"transcripts": [], "next": None}
    for number in range(12):
        outcome = Outcome.COMPLETED if number % 2 else Outcome.CLOSED
        await history.record([look(number, *product(), outcome=outcome)])
    account = attempt(minutes(20), Outcome.DENIED, ("-ERR [AUTH] no",))
    await history.record([sighting(POP, "pop@branch.test", minutes(20), [], [account], seconds=None)])
    whole = await pages(service.asker, f"{place}?limit=20", "transcripts")
    TranscriptPageForm.model_validate({"transcripts": whole, "next": None})
    assert [(one["outcome"], one["mailbox"]) for one in whole[:3]] == [("denied", "pop@branch.test"), ("completed", None), ("closed", None)]
    assert whole[0]["transcript"] == [{"line": 1, "from": "peer", "text": "-ERR [AUTH] no"}]
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    assert len(whole) == 13
    for limit in (1, 4, 13):
        assert await pages(service.asker, f"{place}?limit={limit}", "transcripts") == whole
    words = (await PageReader(service.asker).get(f"/e/{endpoint_id(POP)}")).words
    assert "-ERR [AUTH] no" in words.partition("Those in which something changed")[2]
    first = await got(service.asker, f"{place}?limit=5")
    await history.erase("pop@branch.test")
    await history.sweep(service.watch.estate.history, minutes(20 * 24 * 60))
    rest = (await got(service.asker, f"{place}?limit=20&after={first['next']}"))["transcripts"]
    assert [one for one in rest if one not in whole[5:]] == []


async def test_a_mailbox_says_when_it_signed_in_and_when_it_does_next(service: World) -> None:
    """As far as that is known, and as the schedule has it; the last is on its page too."""
    place = "/v1/mailboxes/info@contoso.test"
    assert (await got(service.asker, place))["sign_in"] == {"at": "2026-11-23T12:00:00Z", "next": None}, "of its attempt"
    assert (await got(service.asker, "/v1/mailboxes/silent@branch.test"))["sign_in"] == {"at": None, "next": None}
    service.watch.sign_ins["info@contoso.test"] = NOON - timedelta(minutes=5)
    service.watch.next_sign_ins["info@contoso.test"] = NOON + timedelta(minutes=55)
    told = (await got(service.asker, place))["sign_in"]
    assert told == {"at": "2026-11-23T11:55:00Z", "next": "2026-11-23T12:55:00Z"}


@pytest.mark.parametrize(
    "query",
    ["?since=yesterday", "?since=0.5", "?since=20261123T120000Z", "?since=2026-11-23T12:00:00", "?after=x", "?after=-1", f"?after={2**63}"],
)
async def test_a_time_has_a_zone_and_a_cursor_is_one(service: World, query: str) -> None:
    """What could be meant in two ways is refused."""
    assert (await service.asker.ask(f"/v1/changes{query}")).status == 422


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00"])
async def test_any_time_can_be_asked_about(service: World, since: str) -> None:
    """The first and the last that a calendar has, in whatever zone."""
    assert await got(service.asker, f"/v1/changes?since={since}") == {"changes": [], "next": None}


async def test_the_zone_of_a_time_may_be_written_as_people_write_it(service: World) -> None:
    """A + that is not written with a percent sign is a space in a query, which stands nowhere else in a time."""
    told = await got(service.asker, "/v1/changes?since=2026-11-23T12:00:00%2B00:00")
    assert await got(service.asker, "/v1/changes?since=2026-11-23T12:00:00+00:00") == told


@pytest.mark.parametrize(
    "path",
    [
        "/v1/mailboxes",
        "/v1/endpoints",
        "/v1/causes",
        "/v1/changes",
        "/v1/runs",
        "/v1/coming",
        "/v1/coming/unseen",
        f"/v1/endpoints/{endpoint_id(POP)}/transcripts",
    ],
)
async def test_whoever_begins_with_an_empty_cursor_has_the_first_page(service: World, path: str) -> None:
    """So that one loop pages through any list."""
    assert await got(service.asker, f"{path}?after=&limit=2") == await got(service.asker, f"{path}?limit=2")


async def test_rules_are_those_of_the_program(service: World) -> None:
    """Each with its sources, its remedy and what it looks at; one by its id."""
    told = await got(service.asker, "/v1/rules")
    RuleListForm.model_validate(told)
    assert [one["id"] for one in told["rules"]] == sorted(app.rules())
    one = told["rules"][0]
    assert await got(service.asker, f"/v1/rules/{one['id']}") == one
    assert any(one["needs"].values())


async def test_what_did_not_change_is_not_sent_again(service: World) -> None:
    """An answer has an ETag, by which the next is empty until something changed."""
    answer = await service.asker.ask("/v1/mailboxes")
    tag = answer.headers["etag"]
    assert answer.headers["cache-control"] == "private, no-cache"
    for known in ([tag], [f'"other", {tag}'], ['"other"', tag], [f"W/{tag}"], ["*"], [f"{tag},"]):
        for method in ("GET", "HEAD"):
            again = await service.asker.ask("/v1/mailboxes", method, [("If-None-Match", one) for one in known])
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
            assert "content-security-policy" in again.headers
    assert (await service.asker.ask("/v1/mailboxes", headers={"If-None-Match": '"other"'})).status == 200
    run = a_checked_run()
    await service.watch.show(replace(run, assessments=run.assessments[1:]))
    assert (await service.asker.ask("/v1/mailboxes", headers={"If-None-Match": tag})).status == 200


async def test_a_history_that_cannot_be_read_is_said(service: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What does not rest on it is answered all the same; the answer names no path."""
    await service.watch.history.record([look(0, *product())])
    with closing(sqlite3.connect(tmp_path / "state" / DATABASE, isolation_level=None)) as database:
        database.execute("ALTER TABLE span RENAME TO elsewhere")
    answer = await service.asker.ask("/v1/changes")
    assert answer.status == 503
    assert answer.problem == "the history cannot be read; the service's log says why"
    assert (await service.asker.ask("/v1/mailboxes")).status == 200


async def test_no_secret_and_no_place_of_one_is_told(service: World) -> None:
    """Whatever is read: of a secret only that there is one."""
    paths = [
        "/v1/summary",
        "/v1/mailboxes",
        "/v1/endpoints",
        "/v1/rules",
        "/metrics",
        "/v1/openapi.json",
        "/v1/causes",
        "/v1/coming",
        "/v1/jobs",
    ]
    paths += [f"/v1/mailboxes/{one.address}" for one in service.watch.estate.mailboxes]
    paths += [f"/v1/endpoints/{one.url}" for one in service.watch.estate.endpoints]
    for path in paths:
        body = (await service.asker.ask(path)).body.decode()
        assert not [place for place in SECRET_PLACES if place in body or place.partition(":")[2] in body], path


async def test_what_a_server_said_is_data(tmp_path: Path) -> None:
    """Markup, escapes and marks of direction in a greeting are text in JSON, and no character of them steers a terminal."""
    greeting = '+OK <script>alert(1)</script>\x1b[31m\u202e"\\\x00\x7f'
    run = a_checked_run()
    hostile = a_fact(v.PROTOCOL_GREETING, greeting, provenance=Declared("peer", words("a1", 1, greeting)))
    async with world(tmp_path, replace(run, readings=(hostile,))) as made:
        await made.watch.history.record([sighting(POP, None, NOON, [hostile])])
        answer = await made.asker.ask(f"/v1/endpoints/{POP}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not set(answer.body) & {*range(32), 127}
    (fact,) = answer.json()["facts"]
    assert fact["value"] == '+OK <script>alert(1)</script>\\x1b[31m\\u202e"\\\\x00\\x7f'
