"""Times on pages, those that are values of facts among them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from probe import app
from probe.model import vocabulary as v
from probe.model.endpoints import endpoint_id
from probe.model.kinds import ChainEnd, Validity
from probe.model.provenance import Declared
from probe.model.rules import Direction, Readiness, Result, Support
from probe.web.tokens import TokenScope
from tests.browsing import browsing
from tests.history.looks import look
from tests.runs import EWS, NOON, POP, a_checked_run, a_fact, a_finding, an_assessment, an_attempt
from tests.web.pages.browser import tab
from tests.web.pages.gates import an_answer, gate_estate, gate_state
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

RAW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:")
AT_POP = f"/e/{endpoint_id(POP)}"
ENDS, ENDED = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 11, 19, 23, 30, tzinfo=UTC)


def _run() -> Any:
    """A run in which every kind of fact with a time in it is known."""
    run, by, box = a_checked_run(), Declared("dynamics"), "info@contoso.test"
    chain = (Validity("CN=pop.branch.test", ENDED, ENDS), Validity("CN=Branch CA", ENDED, ENDS + timedelta(days=400)))
    more = (
        a_fact(v.CERTIFICATE_NOT_BEFORE, ENDED),
        a_fact(v.CERTIFICATE_CHAIN_DATES, chain),
        a_fact(v.CERTIFICATE_CHAIN_ENDS, ChainEnd("CN=pop.branch.test", ENDS)),
        a_fact(v.DYNAMICS_ENABLED, (("incoming", True), ("outgoing", True), ("appointments", False)), box, by),
        a_fact(v.DYNAMICS_LAST_SUCCESS, ENDED, box, by),
        a_fact(v.DYNAMICS_PROCESSES_MAIL_SINCE, ENDED, box, by),
    )
    return replace(run, readings=(*run.readings, *more))


async def _have_changed(made: World) -> None:
    """Let a certificate have been replaced."""
    for minutes, end in ((10.0, ENDED), (20.0, ENDS)):
        await made.watch.history.record([look(minutes, a_fact(v.CERTIFICATE_NOT_AFTER, end))])


async def test_no_page_has_a_time_as_it_stands_in_json(tmp_path: Path) -> None:
    """What was found, what it rests on, and what changed: each time of a value is an element with it, in UTC."""
    async with world(tmp_path, _run()) as made:
        await _have_changed(made)
        await made.worked_out()
        reader = PageReader(made.asker)
        for path, told in (
            ("/", []),
            ("/m/info@contoso.test", ["2026-11-19T23:30:00Z"]),
            ("/m/pop@branch.test", ["2026-12-01T00:00:00Z", "2027-01-02T03:04:05Z"]),
            (AT_POP, ["2026-11-19T23:30:00Z", "2027-01-02T03:04:05Z", "2028-02-06T03:04:05Z", "2026-12-01T00:00:00Z"]),
            (f"/e/{endpoint_id(EWS)}", ["2017-04-11"]),
            ("/changes", ["2026-11-19T23:30:00Z", "2027-01-02T03:04:05Z"]),
            ("/calendar", []),
            ("/runs", []),
        ):
            page = await reader.get(path)
            assert RAW.search(page.words) is None, path
            assert set(told) <= set(page.times), path
        assert "certificate.not_after 2026-11-19 23:30 UTC became 2027-01-02 03:04 UTC" in (await reader.get("/changes")).words


async def test_the_gate_has_a_value_that_is_a_time_as_one_too(tmp_path: Path) -> None:
    """In the sentence that says why, as among what was seen."""
    box, expired = "info@contoso.test", app.rules()["certificate-expired"]
    estate = gate_estate(box)
    seen = a_fact(v.CERTIFICATE_NOT_AFTER, ENDED, EWS)
    finding = replace(a_finding(expired, Result.FAILS, seen), directions=dict.fromkeys(Direction, Result.FAILS))
    assessment = an_assessment(box, Support.SUPPORTED, Readiness.NOT_READY, finding, profile="corp")
    assessment = replace(assessment, directions=dict.fromkeys(Direction, Readiness.NOT_READY))
    async with world(tmp_path, gate_state(estate)) as made:
        made.watch.answers = {box: an_answer(estate, box, assessment, [seen], an_attempt(4, EWS))}
        reader = PageReader(made.asker)
        await reader.sign_in(made.tokens.create("anna", TokenScope.CHECK, NOON))
        place = (await reader.post(f"/m/{box}/gate", {"csrf": (await reader.get(f"/m/{box}")).fields["csrf"]})).headers["location"]
        assert (await made.asker.ask(f"/v1{place}", headers={"Prefer": "wait=60"})).status == 200
        page = await reader.get(place)
        assert f"{expired.title} (certificate-expired); certificate.not_after = 2026-11-19 23:30 UTC at {EWS}" in page.words
        assert page.times.count("2026-11-19T23:30:00Z") == 2
        assert RAW.search(page.words) is None


async def test_values_that_are_times_are_those_of_the_reader(chromium: Path, tmp_path: Path) -> None:
    """The script writes them in the zone of the browser, on another day where that is one; with UTC beside."""
    zone = {"timezone_id": "Asia/Tokyo", "locale": "en-GB"}
    async with world(tmp_path, _run()) as made, browsing(chromium) as browser, tab(browser, made, **zone) as seen:
        await _have_changed(made)
        await seen.open(AT_POP)
        await seen.page.get_by_text("All that is known: ").click()
        begins = seen.page.get_by_role("row", name="certificate.not_before").locator("time")
        await expect(begins).to_have_text("20 Nov 2026, 08:30")
        assert await begins.get_attribute("title") == "2026-11-19 23:30 UTC"
        became = seen.page.locator("ins time").first
        await expect(became).to_have_text("2 Jan 2027, 12:04")
