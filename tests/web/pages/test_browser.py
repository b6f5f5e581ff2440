"""The pages in a real browser: how they look to assistive technology, at which widths, and what scripts do with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probe.web.tokens import TokenScope
from tests.browsing import VIEWS, browsing, look_sound
from tests.runs import NOON
from tests.web.pages.browser import AT_POP, PATHS, full_world, gate_world, signed_in_tab, tab
from tests.web.pages.gates import FAILED
from tests.web.pages.hostile import HOSTILE, hostile_run
from tests.web.pages.reading import PageReader
from tests.web.world import world


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


async def test_how_far_a_check_is_is_followed_without_a_reload(chromium: Path, tmp_path: Path) -> None:
    """On the page of the mailbox and among the runs: what is told anew stands there a few seconds later, and at the end what was found."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser:
        reader = PageReader(made.asker)
        await reader.sign_in(made.tokens.create("anna", TokenScope.CHECK, NOON))
        (cookie,) = reader.cookies.values()
        made.watch.go.clear()
        async with signed_in_tab(browser, made, cookie) as seen, signed_in_tab(browser, made, cookie) as other:
            await seen.open("/m/silent@branch.test")
            await seen.page.get_by_role("button", name="Check now").click()
            await seen.page.get_by_text("The check is being held: 1 of 2 conversations have ended.").wait_for()
            await other.open("/runs")
            await other.page.evaluate("window.isTheSame = true")
            await seen.page.evaluate("window.isTheSame = true")
            made.watch.says[0]("2 of 2 conversations have ended")
            for tab_of in (seen, other):
                await tab_of.page.get_by_text("2 of 2 conversations have ended").wait_for()
                assert await tab_of.page.evaluate("window.isTheSame")
            made.watch.ready = replace(made.watch.ready, is_ready=False)
            made.watch.go.set()
            await seen.page.get_by_text("NOT CHECKED").wait_for()
            await other.page.get_by_text("FAILED").wait_for()
            assert seen.complaints == other.complaints == []


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


async def test_what_a_cell_is_of_stands_in_it_on_a_phone(chromium: Path, tmp_path: Path) -> None:
    """Where a table has no heads of columns any more, two values of one kind are told apart, and what is empty takes no line."""
    async with gate_world(tmp_path) as (made, _, cookie), browsing(chromium) as browser:
        for view, told in (("phone", ['"Predicted: "', '"Reported by Dynamics: "'] * 3), ("wide", ["none"] * 6)):
            async with signed_in_tab(browser, made, cookie, **VIEWS[view]) as seen:
                await seen.open(f"/enabling/{FAILED}")
                found = await seen.page.locator("td").evaluate_all("all => all.map((one) => getComputedStyle(one, '::before').content)")
                assert found == told, view
                await seen.open("/")
                steps = await seen.page.locator("td:empty").evaluate_all("all => all.map((one) => one.offsetHeight)")
                assert [height > 0 for height in steps] == [view == "wide"] * len(steps)
                assert steps


async def test_a_drawing_keeps_its_size_and_is_scrolled_to(chromium: Path, tmp_path: Path) -> None:
    """The line of time can be read on a phone: it scrolls within the page, which is no wider for it."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["phone"]) as seen:
        await seen.open("/calendar")
        box = await seen.page.locator(".parts svg").bounding_box()
        assert box is not None
        assert box["width"] == 1000
