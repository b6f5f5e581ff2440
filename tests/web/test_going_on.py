"""What goes on, as programs read it: what was asked for, the runs that are kept, the schedule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe.model.endpoints import endpoint_id
from probe.web.asked_forms import AskedForListForm, KeptRunPageForm, ScheduleForm
from probe.web.tokens import TokenScope
from probe.web.watch import LookUnderWay
from tests.hostile import closed_port
from tests.runs import NOON, a_run
from tests.web.client import Asker, got, pages
from tests.web.pages.gates import PENDING, recorded
from tests.web.pages.reading import PageReader
from tests.web.world import World, checked, estate_at, world

ADDRESS = "sales@branch.test"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[World]:
    estate = estate_at(f"pop3://localhost:{closed_port()}", f"smtp://localhost:{closed_port()}")
    async with world(tmp_path, await checked(estate)) as made:
        yield made


async def jobs(asker: Asker) -> list[Any]:
    told = await got(asker, "/v1/jobs")
    AskedForListForm.model_validate(told)
    return list(told["jobs"])


async def test_what_was_asked_for_is_listed_while_it_goes_on_and_for_an_hour(service: World) -> None:
    """What, of what, by whom, since when, how far, and where its result is; on the page of runs the same stands."""
    checker, url = service.of(TokenScope.CHECK), service.watch.estate.endpoints[0].url
    service.watch.go.clear()
    first = (await checker.ask("/v1/checks", "POST", body={"mailbox": ADDRESS})).json()
    (one,) = await jobs(service.asker)
    assert one == {
        "id": first["id"], "kind": "check", "subject": ADDRESS, "who": "token of-check", "asked_at": "2026-11-23T12:00:00Z",
        "state": one["state"], "news": one["news"], "place": f"/v1/runs/{first['id']}",
    }  # fmt: skip
    assert (one["state"], one["news"]) in (("waiting", ""), ("running", ""), ("running", service.watch.news))
    service.time.drive(60)
    await checker.ask("/v1/checks", "POST", body={"endpoint": endpoint_id(url)})
    assert [line["subject"] for line in await jobs(service.asker)] == [url, ADDRESS]
    service.watch.go.set()
    for line in await jobs(service.asker):
        assert (await checker.ask(line["place"], headers={"Prefer": "wait=60"})).status == 200
    told = await jobs(service.asker)
    assert [(line["state"], line["subject"]) for line in told] == [("done", url), ("done", ADDRESS)]
    page = await PageReader(service.asker).get("/runs")
    assert [link for link in page.links if link.startswith("/v1/runs/")] == [line["place"] for line in told]
    service.time.drive(3601)
    assert await jobs(service.asker) == []


async def test_what_failed_says_why_and_has_no_result(service: World) -> None:
    """As on the page."""
    service.watch.ready = replace(service.watch.ready, is_ready=False)
    answer = await service.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Prefer": "wait=60"}, {"mailbox": ADDRESS})
    assert answer.status == 503
    (one,) = await jobs(service.asker)
    assert (one["state"], one["news"], one["place"]) == ("failed", "the service is about to end", None)


async def test_what_dynamics_was_asked_for_and_has_no_outcome_goes_on(tmp_path: Path) -> None:
    """By a service before this one; where the audit cannot be read, that is said."""
    async with world(tmp_path) as made:
        made.watch.recorded = recorded(made.watch.estate, "pop@branch.test", "info@contoso.test")
        (one,) = await jobs(made.asker)
        assert (one["id"], one["kind"], one["state"], one["subject"]) == (PENDING, "enable", "pending", "info@contoso.test")
        assert one["place"] == f"/v1/enabling/{PENDING}"
        assert (await got(made.asker, "/v1/jobs"))["unread"] is None
        (tmp_path / "state" / "audit.jsonl").mkdir()
        unread = (await got(made.asker, "/v1/jobs"))["unread"]
        assert unread
        assert unread in (await PageReader(made.asker).get("/runs")).words


async def test_what_has_no_outcome_is_listed_once(tmp_path: Path) -> None:
    """As pending, though what asked for it has ended."""
    async with world(tmp_path) as made:
        made.watch.ready = replace(made.watch.ready, is_ready=False)
        await made.of(TokenScope.CHECK).ask("/v1/checks", "POST", {"Prefer": "wait=60"}, {"mailbox": "info@contoso.test"})
        (one,) = await jobs(made.asker)
        assert one["state"] == "failed"
        made.watch.recorded = {one["id"]: recorded(made.watch.estate, "pop@branch.test", "info@contoso.test")[PENDING]}
        assert [(job["id"], job["state"]) for job in await jobs(made.asker)] == [(one["id"], "pending")]


async def test_runs_that_are_kept_are_listed_the_newest_first(service: World) -> None:
    """Each with the place of its document, page by page, also where one at which a page ended was dropped."""
    for number in range(5):
        run = replace(a_run(), id=f"{number:032x}", finished=NOON + timedelta(minutes=number // 2))
        await service.watch.history.record_run(run)
    whole = await pages(service.asker, "/v1/runs?limit=500", "runs")
    KeptRunPageForm.model_validate({"runs": whole, "next": None})
    assert [int(one["id"], 16) for one in whole] == [4, 3, 2, 1, 0]
    assert (whole[0]["finished"], whole[0]["place"]) == ("2026-11-23T12:02:00Z", f"/v1/runs/{4:032x}")
    assert (await got(service.asker, whole[0]["place"]))["id"] == whole[0]["id"]
    for limit in (1, 2, 5):
        assert await pages(service.asker, f"/v1/runs?limit={limit}", "runs") == whole
    first = await got(service.asker, "/v1/runs?limit=3")
    await service.watch.history.record_run(replace(a_run(), id=f"{2:032x}", finished=NOON + timedelta(hours=1)))
    assert (await got(service.asker, f"/v1/runs?after={first['next']}"))["runs"] == whole[3:]


@pytest.mark.parametrize("after", ["x", "-1", "1", "1-", "1-x", "9" * 30 + "-1", "²-1"])
async def test_a_cursor_is_one(service: World, after: str) -> None:
    """What no page ended at is refused."""
    for path in ("/v1/runs", f"/v1/endpoints/{endpoint_id(service.watch.estate.endpoints[0].url)}/transcripts"):
        answer = await service.asker.ask(f"{path}?after={after.encode().decode('latin-1') if after.isascii() else '%C2%B2-1'}")
        assert answer.status == 422


async def test_the_schedule_says_how_late_it_is_and_what_it_does(service: World) -> None:
    """As the page of runs."""
    url = service.watch.estate.endpoints[0].url
    service.watch.looking = [LookUnderWay("quick", url, NOON - timedelta(seconds=9)), LookUnderWay("canary", ADDRESS, NOON)]
    service.watch.late = timedelta(seconds=90.7)
    told = await got(service.asker, "/v1/schedule")
    ScheduleForm.model_validate(told)
    assert told == {
        "ready": True,
        "detail": service.watch.ready.words,
        "lag_seconds": 90,
        "under_way": [
            {"kind": "quick", "subject": url, "since": "2026-11-23T11:59:51Z"},
            {"kind": "canary", "subject": ADDRESS, "since": "2026-11-23T12:00:00Z"},
        ],
    }
    assert "What is due longest is 90 seconds late." in (await PageReader(service.asker).get("/runs")).words
