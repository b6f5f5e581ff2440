"""The pages in a real browser: how they look to assistive technology, at which widths, and what scripts do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page

from probe.model.endpoints import endpoint_id
from probe.web import LookUnderWay
from probe.web.tokens import TokenScope
from tests.browsing import VIEWS, browsing, look_sound
from tests.full_runs import LONG, RIGHT_TO_LEFT, a_full_run
from tests.history.looks import START, look, product
from tests.runs import EWS, NOON, POP
from tests.web.pages.gates import FAILED, PENDING, a_cannot_tell, a_go, gate_estate, gate_state, recorded
from tests.web.pages.hostile import HOSTILE, hostile_run
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

AT_POP = f"/e/{endpoint_id(POP)}"
PATHS = (
    "/",
    "/?q=branch",
    "/m/info@contoso.test",
    "/m/pop@branch.test",
    f"/m/{LONG}",
    AT_POP,
    "/changes",
    "/calendar",
    "/runs",
    "/login",
    "/m/nobody",
)


@dataclass
class Seen:
    """A tab, and what the browser complained of in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Open a page, and wait until nothing is loaded any more."""
        await self.page.goto(self.url + path)
        await self.page.wait_for_load_state("networkidle")


@asynccontextmanager
async def tab(browser: Browser, made: World, **view: Any) -> AsyncIterator[Seen]:
    """A tab of a browser that nobody used before."""
    context = await browser.new_context(**view)
    seen = Seen(await context.new_page(), made.asker.url)
    seen.page.on("console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None)
    seen.page.on("pageerror", lambda failed: seen.complaints.append(str(failed)))
    seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    try:
        yield seen
    finally:
        await context.close()


@asynccontextmanager
async def full_world(folder: Path) -> AsyncIterator[World]:
    """A listener over that run, with a history of two days."""
    async with world(folder, a_full_run()) as made:
        minutes = (NOON - START) / timedelta(minutes=1)
        for number in range(40):
            one = look(minutes - 2400 + number * 60, *product("Dovecot" if number < 39 else "Cyrus IMAP"), seconds=(number % 7 + 1) / 100)
            await made.watch.history.record([one])
        await made.watch.history.sweep(made.watch.estate.history, NOON)
        yield made


@asynccontextmanager
async def gate_world(folder: Path, said: str = "401 Unauthorized") -> AsyncIterator[tuple[World, Sequence[str], str]]:
    """A listener with answers of the gate and what came of Test & Enable, the paths of their pages, and a cookie of somebody who may enable."""
    bad, estate = "info@contoso.test", gate_estate("info@contoso.test", LONG, RIGHT_TO_LEFT)
    async with world(folder, gate_state(estate)) as made:
        made.watch.answers = {bad: a_cannot_tell(estate, bad, said), LONG: a_go(estate, LONG), RIGHT_TO_LEFT: a_go(estate, RIGHT_TO_LEFT)}
        made.watch.recorded = recorded(estate, LONG, RIGHT_TO_LEFT, said)
        made.watch.looking = [
            LookUnderWay(kind, subject, NOON) for kind, subject in (("quick", EWS), ("logins", LONG), ("dynamics", "deployment"))
        ]
        made.watch.late = timedelta(seconds=75.5)
        reader = PageReader(made.asker)
        await reader.sign_in(made.tokens.create("anna", TokenScope.ADMIN, NOON))
        paths = [f"/m/{quote(LONG)}"]
        for address in made.watch.answers:
            place = f"/m/{quote(address)}"
            answer = await reader.post(f"{place}/gate", {"csrf": (await reader.get(place)).fields["csrf"]})
            paths.append(answer.headers["location"])
            api = await made.asker.ask(f"/v1{paths[-1]}", headers={"Prefer": "wait=60"})
            assert api.status == 200
        made.watch.go.clear()
        place = f"/m/{quote(LONG)}"
        answer = await reader.post(f"{place}/gate", {"csrf": (await reader.get(place)).fields["csrf"]})
        (cookie,) = reader.cookies.values()
        yield made, (*paths, answer.headers["location"], f"/enabling/{FAILED}", f"/enabling/{PENDING}", "/runs"), cookie
        made.watch.go.set()


@asynccontextmanager
async def signed_in_tab(browser: Browser, made: World, cookie: str, **view: Any) -> AsyncIterator[Seen]:
    """A tab of somebody who is signed in."""
    async with tab(browser, made, **view) as seen:
        port = made.asker.url.rpartition(":")[2]
        await seen.page.context.add_cookies([{"name": f"probe-{port}", "value": cookie, "url": made.asker.url}])
        yield seen


@pytest.mark.timeout(300)
async def test_the_gate_and_enabling_are_sound_at_every_width_and_in_both_colours(chromium: Path, tmp_path: Path) -> None:
    """As every page is, with buttons, forms and progress on them."""
    async with gate_world(tmp_path) as (made, paths, cookie), browsing(chromium) as browser:
        for name, view in VIEWS.items():
            async with signed_in_tab(browser, made, cookie, **view) as seen:
                for path in paths:
                    await seen.page.goto(made.asker.url + path)
                    await look_sound(seen.page, path, name)
                assert seen.complaints == [], name


@pytest.mark.timeout(300)
async def test_every_page_is_sound_at_every_width_and_in_both_colours(chromium: Path, tmp_path: Path) -> None:
    """axe finds nothing, nothing stands beyond the edge, and the browser complains of nothing."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser:
        for name, view in VIEWS.items():
            async with tab(browser, made, **view) as seen:
                for path in PATHS:
                    await seen.open(path)
                    await look_sound(seen.page, path, name)
                complaints = [one for one in seen.complaints if "404" not in one]
                assert complaints == [], name


async def test_mailboxes_are_found_as_one_types(chromium: Path, tmp_path: Path) -> None:
    """Without a button; the address of the page follows, what was found is said aloud, and the field keeps the cursor."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"]) as seen:
        await seen.open("/")
        await seen.page.get_by_label("Address").press_sequentially("info")
        await seen.page.wait_for_url("**/?q=info*")
        await seen.page.get_by_role("status").get_by_text("1 mailbox found").wait_for()
        await seen.page.keyboard.type("@")
        await seen.page.wait_for_url("**/?q=info%40*")
        await seen.page.get_by_role("link", name="info@contoso.test").click()
        await seen.page.get_by_role("heading", name="info@contoso.test").wait_for()
        await seen.page.go_back()
        assert await seen.page.get_by_label("Address").input_value() == "info@"
        await seen.page.go_back()
        await seen.page.get_by_text("4 mailboxes found").or_(seen.page.get_by_text("1 mailbox found")).first.wait_for()
        assert seen.complaints == []


async def test_times_are_those_of_the_reader(chromium: Path, tmp_path: Path) -> None:
    """In the zone of the browser, with that in UTC beside."""
    zone = {"timezone_id": "Asia/Tokyo", "locale": "en-GB"}
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **zone) as seen:
        await seen.open("/changes")
        time = seen.page.locator("time").first
        assert await time.text_content() == "23 Nov 2026, 20:00"
        assert await time.get_attribute("title") == "2026-11-23 11:00 UTC"
        assert "those of Asia/Tokyo" in str(await seen.page.locator("footer").text_content())


async def test_latency_is_drawn_of_the_table(chromium: Path, tmp_path: Path) -> None:
    """By uPlot, as wide as the page."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"]) as seen:
        await seen.open(AT_POP)
        box = await seen.page.locator("#latency canvas").bounding_box()
        assert box is not None
        assert box["width"] > 600
        assert seen.complaints == []


async def test_a_check_is_had_by_the_keyboard_alone(chromium: Path, tmp_path: Path) -> None:
    """From the link of an alert: sign in, press the button, read what came of it; nothing else is needed."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"]) as seen:
        made.watch.go.clear()
        token = made.tokens.create("anna", TokenScope.CHECK, NOON)
        page = seen.page
        await seen.open("/m/silent@branch.test")
        await page.get_by_role("link", name="Sign in to have it checked now").press("Enter")
        await page.get_by_label("Token").fill(token)
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Check now").press("Enter")
        await page.get_by_text("The check is being held").wait_for()
        made.watch.ready = replace(made.watch.ready, is_ready=False)
        made.watch.go.set()
        await page.get_by_text("the service is about to end").wait_for()
        (cookie,) = await page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await page.get_by_role("button", name="Sign out").press("Enter")
        await page.get_by_label("Token").wait_for()
        assert await page.context.cookies() == []
        assert seen.complaints == []


async def test_without_a_script_everything_is_there(chromium: Path, tmp_path: Path) -> None:
    """Searching by the button, figures as tables, times in UTC, a check by its form."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, java_script_enabled=False) as seen:
        page = seen.page
        await seen.open("/")
        await page.get_by_label("Address").fill("info")
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("link", name="info@contoso.test").click()
        await page.get_by_text("401 Unauthorized").first.wait_for()
        await seen.open(AT_POP)
        await page.get_by_text("The figures").click()
        await page.get_by_role("cell", name="70", exact=True).first.wait_for()
        assert "UTC" in str(await page.locator("time").first.text_content())


async def test_what_a_peer_says_is_never_run(chromium: Path, tmp_path: Path) -> None:
    """Markup of greetings and certificates stands on the page, is no element of it, and nothing is loaded for it."""
    async with world(tmp_path, hostile_run()) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"]) as seen:
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        for path in ("/", "/m/sales@branch.test", AT_POP):
            await seen.open(path)
            assert HOSTILE[:25] in str(await seen.page.locator("main").text_content())
            assert await seen.page.locator("img, main script").count() == 0
        assert seen.complaints == []
        assert all(url.startswith(made.asker.url) for url in asked)


async def test_what_dynamics_says_is_never_run_either(chromium: Path, tmp_path: Path) -> None:
    """Nor is what stands in its rows, its alerts and its errors, on the pages of the gate and of what came of Test & Enable."""
    async with (
        gate_world(tmp_path, HOSTILE) as (made, paths, cookie),
        browsing(chromium) as browser,
        signed_in_tab(browser, made, cookie, **VIEWS["wide"]) as seen,
    ):
        for path in (paths[1], f"/enabling/{FAILED}"):
            await seen.page.goto(made.asker.url + path)
            assert HOSTILE[:25] in str(await seen.page.locator("main").text_content())
            assert await seen.page.locator("img, main script").count() == 0
        assert seen.complaints == []


@pytest.mark.parametrize("path", ["/", "/login"])
async def test_no_page_is_shown_within_another(chromium: Path, tmp_path: Path, path: str) -> None:
    """A browser refuses to frame it, so that nobody is led to press a button that is not seen."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made) as seen:
        await seen.page.set_content(f'<iframe src="{made.asker.url}{path}"></iframe>')
        await seen.page.wait_for_load_state("networkidle")
        assert "contoso" not in await seen.page.frames[1].content()
        assert "Token" not in await seen.page.frames[1].content()
