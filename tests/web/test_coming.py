"""What comes, as programs read it: as far ahead as the calendar, filtered and paged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.model.endpoints import endpoint_id
from probe.web.forms import ComingPageForm, UnseenPageForm
from tests.outlook.estates import an_estate
from tests.runs import EWS, NOON
from tests.web.client import got, pages
from tests.web.pages.reading import PageReader
from tests.web.world import World, checked, estate_at, world

ONLINE = "https://outlook.office365.com:443/EWS/Exchange.asmx"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[World]:
    """An estate one certificate of which ends in 26 days and the other in 500."""
    ends = {EWS: "2026-12-19T04:05:00Z", ONLINE: "2028-04-06T04:05:00Z"}
    facts = [{"subject": url, "mailbox": None, "key": "certificate.not_after", "value": day} for url, day in ends.items()]
    estate = an_estate(("a@contoso.test", "corp"), ("b@contoso.test", "corp"), ("c@contoso.test", "online"))
    run = app.judge({"schema": "probe.run/2", "facts": facts, "missing": []}, estate, NOON.date())
    async with world(tmp_path, replace(run, id="run-1", finished=NOON)) as made:
        await made.worked_out()
        yield made


async def test_what_comes_is_what_the_calendar_has(service: World) -> None:
    """Each of its events, beyond the 90 days of the estate in short too, with its day, rule, words and remedy; the earliest first."""
    told = await got(service.asker, "/v1/coming?limit=500")
    ComingPageForm.model_validate(told)
    words = (await PageReader(service.asker).get("/calendar")).words
    assert told["total"] == len(told["coming"]) > 2
    assert words.count(" days ") == told["total"]
    for one in told["coming"]:
        assert f"{one['otherwise'].upper().replace('-', ' ')} {one['words']} ({one['rule']})" in words
        assert one["on"] in words
    days = [one["on"] for one in told["coming"]]
    assert days == sorted(days)
    assert days[-1] == "2028-04-06"
    assert (told["from"], told["until"], told["as_of"]) == ("2026-11-23", "2028-11-22", "2026-11-23T12:00:00Z")
    soon = {one["id"]: one for one in (await got(service.asker, "/v1/summary"))["coming"] if one["otherwise"] != "advice"}
    assert soon
    assert soon.items() <= {one["id"]: one for one in told["coming"]}.items()


@pytest.mark.parametrize(
    ("query", "rules", "days"),
    [
        ("rule=certificate-expired", {"certificate-expired"}, ["2026-12-19", "2028-04-06"]),
        ("rule=certificate-expired&until=2026-12-19", {"certificate-expired"}, ["2026-12-19"]),
        ("rule=certificate-expired&since=2026-12-20", {"certificate-expired"}, ["2028-04-06"]),
        (f"rule=certificate-expired&subject={endpoint_id(EWS)}", {"certificate-expired"}, ["2026-12-19"]),
        (f"rule=certificate-expired&subject={ONLINE}", {"certificate-expired"}, ["2028-04-06"]),
        ("rule=certificate-expired&subject=B@contoso.test", {"certificate-expired"}, ["2026-12-19"]),
        ("rule=certificate-expired&otherwise=advice", set(), []),
        ("rule=nothing", set(), []),
    ],
)
async def test_what_comes_is_filtered_by_kind_day_and_subject(service: World, query: str, rules: set[str], days: list[str]) -> None:
    """The rule, what its failure means, a first and a last day, a mailbox or an endpoint."""
    told = await got(service.asker, f"/v1/coming?{query}")
    assert {one["rule"] for one in told["coming"]} == rules
    assert [one["on"] for one in told["coming"]] == days
    assert told["total"] == len(days)


async def test_what_comes_is_paged_and_leads_to_its_mailboxes(service: World) -> None:
    """Each event is on one page; the mailboxes that it befalls are as many as it says."""
    whole = await pages(service.asker, "/v1/coming?limit=500", "coming")
    for limit in (1, 3):
        assert await pages(service.asker, f"/v1/coming?limit={limit}", "coming") == whole
    for one in whole:
        found = await got(service.asker, f"/v1/mailboxes?coming={one['id']}")
        assert found["total"] == one["mailboxes"]
        assert {line["mailbox"] for line in found["mailboxes"]} == set(one["first"])
    assert (await got(service.asker, "/v1/mailboxes?coming=000000000000"))["total"] == 0


@pytest.mark.parametrize("query", ["since=2026-11-23T00:00:00Z", "until=20261123", "since=0", "otherwise=bad", "limit=0"])
async def test_what_is_no_day_is_refused(service: World, query: str) -> None:
    """With the parameter that is wrong."""
    answer = await service.asker.ask(f"/v1/coming?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in answer.problem


async def test_of_what_the_estate_does_not_have_nothing_comes(service: World) -> None:
    """It is not there, and the answer does not repeat it."""
    for path in ("/v1/coming", "/v1/changes"):
        answer = await service.asker.ask(f"{path}?subject=smtp://elsewhere.test:25")
        assert (answer.status, answer.problem) == (404, "the estate has no such mailbox or endpoint")


async def test_an_end_that_is_not_known_is_listed_with_its_reason(tmp_path: Path) -> None:
    """By endpoint, as on the calendar."""
    async with world(tmp_path, await checked(estate_at("pop3://localhost:9", "smtp://localhost:9"))) as made:
        await made.worked_out()
        told = await got(made.asker, "/v1/coming/unseen?limit=1")
        UnseenPageForm.model_validate(told)
        assert told["total"] == (await got(made.asker, "/v1/coming"))["unseen"] == 2
        unseen = await pages(made.asker, "/v1/coming/unseen?limit=1", "unseen")
        assert [one["endpoint"] for one in unseen] == ["pop3://localhost:9", "smtp://localhost:9"]
        words = (await PageReader(made.asker).get("/calendar")).words
        assert all(f"{one['endpoint']}: {one['because']}" in words for one in unseen)


async def test_as_long_as_it_is_not_worked_out_that_is_said(tmp_path: Path) -> None:
    """With how much of the estate it is worked out of."""
    async with world(tmp_path) as made:
        told = await got(made.asker, "/v1/coming")
        assert (told["as_of"], told["worked_out"], told["parts"]) == (None, 0, 1)
        await made.worked_out()
        told = await got(made.asker, "/v1/coming")
        assert (told["as_of"], told["worked_out"], told["parts"]) == ("2026-11-23T12:00:07Z", 1, 1)
