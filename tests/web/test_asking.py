"""The API as programs have something done: checks and the gate, their queue, their places and their keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from probe.document import gate_schema, schema
from probe.model.endpoints import endpoint_id
from probe.model.estate import Delivery
from probe.model.runs import Run
from probe.web import Standby
from probe.web.jobs import AT_ONCE, MOST_OF_ONE, MOST_WAITING, AskedJob, JobKind, Jobs, JobTopic
from probe.web.problems import RequestProblem
from probe.web.tokens import TokenScope
from tests.hostile import closed_port
from tests.looking import playing
from tests.runs import NOON, a_mailbox, a_run
from tests.scripted import TRANSCRIPTS
from tests.web.client import Answer, Asker
from tests.web.world import DrivenTime, World, checked, estate_at, world

DOVECOT = (TRANSCRIPTS / "pop3-capabilities" / "dovecot-stls.txt").read_text()
ADDRESS = "sales@branch.test"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[World]:
    """A service whose estate has one server that answers, and one that is not there."""
    async with playing(DOVECOT, implicit=False) as server:
        estate = estate_at(f"pop3://localhost:{server.port}", f"smtp://localhost:{closed_port()}", ADDRESS, "other@branch.test")
        unserved = a_mailbox("unserved@branch.test", delivery=Delivery.NONE)
        run = await checked(replace(estate, mailboxes=(*estate.mailboxes, unserved)))
        async with world(tmp_path, run) as made:
            yield made


def url_of(service: World) -> str:
    return service.watch.estate.endpoints[0].url


async def ended(asker: Asker, answer: Answer) -> Answer:
    """What is at the place of something that was asked for, once it is there."""
    assert answer.status == 202, answer.body
    return await asker.ask(answer.headers["location"], headers={"Prefer": "wait=60"})


async def test_a_check_has_a_place_where_its_run_will_be(service: World) -> None:
    """202 with the place; there the run is, as the document, once it has ended."""
    asker = service.of(TokenScope.CHECK)
    service.watch.go.clear()
    answer = await asker.ask("/v1/checks", "POST", body={"mailbox": ADDRESS.upper()})
    assert answer.status == 202
    told = answer.json()
    assert told["place"] == answer.headers["location"] == f"/v1/runs/{told['id']}"
    assert answer.headers["retry-after"] == "5"
    assert (await service.asker.ask(told["place"])).status == 202
    service.watch.go.set()
    run = await ended(service.asker, answer)
    assert run.status == 200
    document = run.json()
    Draft202012Validator(schema()).validate(document)
    assert document["id"] == told["id"]
    assert document["asked"]["mailboxes"] == [ADDRESS]
    assert await service.watch.history.document(told["id"]) == document
    assert service.watch.held == {ADDRESS: 1}


@pytest.mark.parametrize("by_id", [True, False])
async def test_an_endpoint_is_checked_by_its_id_or_subject(service: World, by_id: bool) -> None:
    """And waited for where the request prefers that."""
    url = url_of(service)
    body = {"endpoint": endpoint_id(url) if by_id else url}
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Prefer": "respond-async, wait=30"}, body)
    assert answer.status == 200
    document = answer.json()
    assert {attempt["subject"] for attempt in document["attempts"]} == {url}
    assert "Dovecot" in {fact["value"] for fact in document["facts"] if fact["key"] == "server.product"}


async def test_the_gate_is_waited_for_and_enables_nothing(service: World) -> None:
    """200 with the document, be the answer go, no-go or cannot-tell."""
    answer = await service.of(TokenScope.CHECK).ask("/v1/gate", "POST", body={"mailbox": ADDRESS})
    assert answer.status == 200
    document = answer.json()
    Draft202012Validator(gate_schema()).validate(document)
    assert document["schema"] == "probe.gate/1"
    assert [one["mailbox"] for one in document["mailboxes"]] == [ADDRESS]
    assert document["mailboxes"][0]["answer"] == "no-go"
    assert document["mailboxes"][0]["enabled"] is None


async def test_the_gate_has_a_place_where_nobody_waits(service: World) -> None:
    """As it has where its answer takes longer than somebody waits."""
    asker = service.of(TokenScope.CHECK)
    service.watch.go.clear()
    one = await asker.ask("/v1/gate", "POST", {"Prefer": "respond-async"}, {"mailbox": ADDRESS})
    other = await asker.ask("/v1/gate", "POST", {"Prefer": "wait=0"}, {"mailbox": ADDRESS})
    assert one.status == other.status == 202
    assert one.headers["location"] != other.headers["location"]
    of_run = one.headers["location"].replace("gate", "runs")
    going_on = await service.asker.ask(of_run)
    assert (going_on.status, going_on.headers["location"], going_on.json()["place"]) == (202, of_run, of_run)
    service.watch.go.set()
    for answer in (one, other):
        assert (await ended(service.asker, answer)).json()["schema"] == "probe.gate/1"
    assert (await service.asker.ask(of_run)).json()["id"] == one.json()["id"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/checks", {"mailbox": "nobody@branch.test"}, 404),
        ("/v1/checks", {"endpoint": "smtp://elsewhere.test:25"}, 404),
        ("/v1/checks", {"endpoint": "127.0.0.1:25"}, 404),
        ("/v1/checks", {"endpoint": "000000000000"}, 404),
        ("/v1/checks", {"mailbox": ADDRESS, "endpoint": "000000000000"}, 422),
        ("/v1/checks", {}, 422),
        ("/v1/checks", [], 422),
        ("/v1/checks", {"mailbox": None}, 422),
        ("/v1/checks", {"mailbox": ""}, 422),
        ("/v1/checks", {"mailbox": ADDRESS, "password": "x"}, 422),
        ("/v1/checks", {"mailbox": ADDRESS, "host": "elsewhere.test"}, 422),
        ("/v1/checks", {"mailbox": "x" * 400}, 422),
        ("/v1/checks", b"{", 422),
        ("/v1/checks", b"\xff", 422),
        ("/v1/checks", b"[" * 15_000, 422),
        ("/v1/gate", {"mailbox": "nobody@branch.test"}, 404),
        ("/v1/gate", {"mailbox": "unserved@branch.test"}, 409),
        ("/v1/gate", {"mailbox": f"{ADDRESS}\r\nX: y"}, 404),
        ("/v1/gate", {"mailbox": ADDRESS, "enable": True}, 422),
        ("/v1/gate", {"endpoint": "000000000000"}, 422),
    ],
)
async def test_nothing_is_held_for_what_the_estate_does_not_name(service: World, path: str, body: Any, status: int) -> None:
    """No host, no URL, no credential can be handed in, and what is wrong is said without a repetition of what was sent."""
    answer = await service.of(TokenScope.CHECK).ask(path, "POST", body=body)
    assert answer.status in (status, 400)
    assert "elsewhere" not in answer.problem
    assert "nobody" not in answer.problem
    assert not service.watch.held


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_form_of_a_page_is_no_request(service: World, kind: str) -> None:
    """A page of another site can have a browser send these kinds without asking; they are not read as JSON."""
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Content-Type": kind}, b'{"mailbox": "sales@branch.test"}')
    assert (answer.status, answer.problem) == (415, "a body in JSON is wanted, as Content-Type: application/json")
    assert not service.watch.held


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.probe+json"])
async def test_json_is_read_whatever_it_is_called(service: World, kind: str) -> None:
    """With parameters, in capital letters, and as a kind of its own that is JSON."""
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Content-Type": kind}, b'{"mailbox": "sales@branch.test"}')
    assert answer.status == 202


@pytest.mark.parametrize("body", [b'{"mailbox": "sales@branch.test", "mailbox": "other@branch.test"}', b'{"mailbox": {"a": 1, "a": 1}}'])
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/gate"])
async def test_a_name_that_stands_twice_in_a_body_is_refused(service: World, path: str, body: bytes) -> None:
    """One reader takes the first and another the last; nothing is held for either."""
    answer = await service.of(TokenScope.CHECK).ask(path, "POST", body=body)
    assert (answer.status, answer.problem) == (422, "body: a name stands twice in it")
    assert not service.watch.held


@pytest.mark.parametrize(
    "prefer",
    [
        ["respond-async", "wait=60"],
        ["wait=60; x=y, wait=0"],
        ['WAIT = "60"'],
        [f"wait={'9' * 400}"],
        [f"x={'y' * 500}, wait=60"],
        ["wait=-1", "wait=60"],
    ],
    ids=lambda prefer: prefer[0][:20],
)
async def test_a_wait_is_found_among_other_preferences(service: World, prefer: list[str]) -> None:
    """In any of several lines, the first that can be meant, however long; what is not known is passed over (RFC 7240)."""
    headers = [("Prefer", one) for one in prefer]
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", headers, {"mailbox": ADDRESS})
    assert answer.status == 200


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=1.5", "wait=soon", "wait=", "handling=lenient", "respond-async", ""])
async def test_without_a_wait_nobody_waits_for_a_check(service: World, prefer: str) -> None:
    """Its place is answered at once, and which preference was followed, where one was."""
    service.watch.go.clear()
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Prefer": prefer}, {"mailbox": ADDRESS})
    assert answer.status == 202
    assert answer.headers.get("preference-applied") == ("respond-async" if prefer == "respond-async" else None)


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/gate"])
async def test_what_is_done_is_answered_whole_whatever_is_known(service: World, path: str) -> None:
    """A condition is for what is read: to a POST it changes nothing, and what answers one has no tag."""
    headers = {"If-None-Match": "*", "Prefer": "wait=60"}
    answer = await service.of(TokenScope.CHECK).ask(path, "POST", headers, {"mailbox": ADDRESS})
    assert answer.status == 200
    assert answer.json()["schema"].startswith("probe.")
    assert "etag" not in answer.headers


async def test_a_key_makes_one_of_two_requests(service: World) -> None:
    """What was asked for under the same key is not done again: it is waited for, or its result is given; another request under it is refused."""
    asker, key = service.of(TokenScope.CHECK), {"Idempotency-Key": "9b1deb4d", "Prefer": "wait=60"}
    one, other = await asyncio.gather(*(asker.ask("/v1/checks", "POST", key, {"mailbox": ADDRESS}) for _ in range(2)))
    assert one.status == 200
    assert one.json() == other.json() == (await asker.ask("/v1/checks", "POST", key, {"mailbox": ADDRESS})).json()
    assert service.watch.held == {ADDRESS: 1}
    refused = await asker.ask("/v1/checks", "POST", key, {"mailbox": "other@branch.test"})
    assert (refused.status, refused.problem) == (409, "this idempotency key was used for another request")
    assert (await asker.ask("/v1/gate", "POST", key, {"mailbox": ADDRESS})).status == 409
    others = replace(service.asker, token=service.tokens.create("others", TokenScope.CHECK, NOON))
    assert (await others.ask("/v1/checks", "POST", key, {"mailbox": "other@branch.test"})).status == 200


async def test_a_key_is_remembered_for_an_hour(service: World) -> None:
    """After it the same request is another one."""
    asker, key = service.of(TokenScope.CHECK), {"Idempotency-Key": "k", "Prefer": "wait=60"}
    first = (await asker.ask("/v1/checks", "POST", key, {"mailbox": ADDRESS})).json()["id"]
    service.time.drive(3600)
    assert (await asker.ask("/v1/checks", "POST", key, {"mailbox": ADDRESS})).json()["id"] == first
    service.time.drive(1)
    assert (await asker.ask("/v1/checks", "POST", key, {"mailbox": ADDRESS})).json()["id"] != first
    assert (await asker.ask(f"/v1/runs/{first}")).json()["id"] == first, "the history has it"


async def test_a_flood_on_the_gate_is_bounded(service: World) -> None:
    """One token has so many requests at a time; more are refused, and read requests are answered as before."""
    asker = service.of(TokenScope.CHECK)
    service.watch.go.clear()
    answers = await asyncio.gather(
        *(asker.ask("/v1/gate", "POST", {"Prefer": "respond-async"}, {"mailbox": ADDRESS}) for _ in range(MOST_OF_ONE + 5))
    )
    assert sorted(answer.status for answer in answers) == [202] * MOST_OF_ONE + [429] * 5
    assert service.watch.held[ADDRESS] == AT_ONCE
    assert {answer.headers["retry-after"] for answer in answers if answer.status == 429} == {"30"}
    assert (await service.asker.ask("/v1/mailboxes")).status == 200
    service.watch.go.set()
    assert (await ended(asker, next(answer for answer in answers if answer.status == 202))).status == 200


async def test_what_cannot_be_held_is_said(service: World) -> None:
    """In the service's words, to whoever waits and at the place."""
    asker, key = service.of(TokenScope.CHECK), {"Idempotency-Key": "k"}
    service.watch.ready = Standby(False, "")
    waited = await asker.ask("/v1/checks", "POST", {"Prefer": "wait=30", **key}, {"mailbox": ADDRESS})
    assert (waited.status, waited.problem) == (503, "the service is about to end")
    service.watch.go.clear()
    left = await asker.ask("/v1/gate", "POST", {"Prefer": "respond-async"}, {"mailbox": ADDRESS})
    service.watch.go.set()
    assert (await ended(asker, left)).problem == "the service is about to end"
    service.watch.ready = Standby(True, "")
    again = await asker.ask("/v1/checks", "POST", {"Prefer": "wait=30", **key}, {"mailbox": ADDRESS})
    assert again.status == 200, "what failed is done when it is asked for again, under the same key too"


async def test_a_bug_in_what_was_asked_for_is_said(service: World, caplog: pytest.LogCaptureFixture) -> None:
    """Without a word of it, and the next is done."""
    asker, waiting = service.of(TokenScope.CHECK), {"Prefer": "wait=30"}
    service.watch.options = None  # type: ignore[assignment]
    answer = await asker.ask("/v1/checks", "POST", waiting, {"mailbox": ADDRESS})
    assert (answer.status, answer.problem) == (500, "this program failed; its log says where")
    assert "a bug in probe: what was asked for ended by itself" in caplog.text
    assert (await asker.ask("/healthz")).status == 200


async def test_an_end_tells_those_who_wait(tmp_path: Path) -> None:
    """At once, so that an end does not wait for a check."""
    estate = estate_at(f"pop3://localhost:{closed_port()}", f"smtp://localhost:{closed_port()}", ADDRESS)
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(tmp_path, a_run(estate=estate)))
        made.watch.go.clear()
        asker = made.of(TokenScope.CHECK)
        waiting = [
            asyncio.ensure_future(asker.ask("/v1/checks", "POST", {"Prefer": "wait=100"}, {"mailbox": ADDRESS})) for _ in range(AT_ONCE + 2)
        ]
        while made.watch.held[ADDRESS] < AT_ONCE:
            await asyncio.wait(waiting, timeout=0.02)  # for their connections
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 5
    assert {(await one).problem for one in waiting} == {"the service ends"}


async def test_the_queue_is_bounded_for_all_together() -> None:
    """However many tokens there are; and what is over is dropped, the oldest first."""
    time = DrivenTime()
    jobs, topic = Jobs(time.clock, time.monotonic), JobTopic(JobKind.CHECK, ADDRESS)

    async def work(_job: AskedJob) -> Run:
        return a_run()

    for number in range(MOST_WAITING):
        jobs.ask(f"token {number}", None, topic, lambda job_id: job_id, work)
    with pytest.raises(RequestProblem, match="100 requests wait already"):
        jobs.ask("another", None, topic, lambda job_id: job_id, work)
