"""The HTML report in a real browser: opened as a file, without a script and without a network, on a screen and on paper."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, PdfMargins
from pypdf import PdfReader

from probe.document import ReportOptions, publish
from probe.model.runs import Run
from probe.reports.html import REPORT
from tests.browsing import VIEWS, browsing, look_sound
from tests.full_runs import LONG, SUITES, a_full_run, an_outlook
from tests.runs import EWS, POP, a_run
from tests.web.pages.hostile import HOSTILE, hostile_run


def _file(folder: Path, run: Run, **options: Any) -> Path:
    """The report of a run, as somebody gets it by mail."""
    file = folder / "report.html"
    is_check = run.estate is not None
    pieces = REPORT.render(publish(run), ReportOptions(ahead=an_outlook if is_check else None, **options))
    with file.open("w", encoding="ascii") as target:
        target.writelines(pieces)
    return file


@asynccontextmanager
async def _opened(browser: Browser, file: Path, **view: Any) -> AsyncIterator[Page]:
    """A tab with the file in it. Objects to whatever is asked for beside the file, and to whatever the browser complains of."""
    context = await browser.new_context(**view)
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda failed: complaints.append(str(failed)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    try:
        await page.goto(file.as_uri())
        yield page
        assert asked == [file.as_uri()]
        assert complaints == []
    finally:
        await context.close()


@pytest.mark.parametrize("name", VIEWS)
async def test_the_report_is_sound_at_every_width_and_in_both_colours(chromium: Path, tmp_path: Path, name: str) -> None:
    """axe finds nothing, nothing stands beyond the edge, nothing is loaded, and the browser complains of nothing."""
    async with browsing(chromium) as browser:
        async with _opened(browser, _file(tmp_path, a_full_run(), transcripts=True), **VIEWS[name]) as page:
            await look_sound(page, name)
        async with _opened(browser, _file(tmp_path, a_run(readings=a_full_run().readings)), **VIEWS[name]) as page:
            await look_sound(page, "a look", name)


async def test_everything_is_there_without_a_script(chromium: Path, tmp_path: Path) -> None:
    """Reasons, statements that hold, TLS, certificates, Dynamics' state and the calendar are shown, and what is folded away opens."""
    async with (
        browsing(chromium) as browser,
        _opened(browser, _file(tmp_path, a_full_run()), java_script_enabled=False, **VIEWS["wide"]) as page,
    ):
        for heading in ("Overview", "Mailboxes", "Calendar", "Endpoints", "What holds", "Rules"):
            assert await page.get_by_role("heading", name=heading, exact=True).is_visible()
        assert await page.get_by_text("incoming, outgoing: not ready").first.is_visible()
        assert await page.get_by_text("X-OWA-Version: 8.3.485.1").first.is_visible()
        assert await page.get_by_text(SUITES[0]).first.is_visible()
        assert await page.get_by_role("cell", name="not enabled").first.is_visible()
        await page.get_by_role("link", name="1 statement holds").first.click()
        assert await page.evaluate("location.hash") == "#h1"
        folded = page.get_by_text("250 mailboxes").first
        await folded.click()
        assert await page.get_by_text("many199@branch.test", exact=True).is_visible()


async def test_a_link_of_the_overview_leads_to_the_mailboxes(chromium: Path, tmp_path: Path) -> None:
    """And a link of a mailbox to its endpoint."""
    async with browsing(chromium) as browser, _opened(browser, _file(tmp_path, a_full_run()), **VIEWS["wide"]) as page:
        await page.get_by_role("link", name="pop@branch.test").first.click()
        section = page.locator("section:target")
        assert "pop@branch.test" in str(await section.text_content())
        await section.get_by_role("link", name=POP).first.click()
        assert (await page.locator(":target").text_content()) == POP


async def test_no_script_runs_in_it(chromium: Path, tmp_path: Path) -> None:
    """Whatever a peer said stands there as text, is no element and no link, and its policy would stop what got through all the same."""
    file = _file(tmp_path, hostile_run(), transcripts=True)
    async with browsing(chromium) as browser:
        async with _opened(browser, file, **VIEWS["wide"]) as page:
            assert HOSTILE[:25] in str(await page.locator("main").text_content())
            assert await page.locator("img, script, iframe, base, form, object").count() == 0
            assert await page.locator("[onerror], [onload], [style]").count() == 0
            assert await page.locator("a[href^=javascript], a[href^=data]").count() == 0
        smuggled = file.read_text().replace("</main>", "<img src=http://127.0.0.1:9/x><script>document.title = 'run'</script></main>")
        file.write_text(smuggled)
        context = await browser.new_context()
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text))
        await page.goto(file.as_uri())
        assert await page.title() != "run"
        assert any("Content Security Policy" in one for one in refused), refused
        await context.close()


@pytest.mark.parametrize("size", ["A4", "Letter"])
async def test_what_is_folded_away_is_printed(chromium: Path, tmp_path: Path, size: str) -> None:
    """On paper every name, fact and suite is there, no column is cut off, and links tell their addresses."""
    async with browsing(chromium) as browser, _opened(browser, _file(tmp_path, a_full_run(), transcripts=True)) as page:
        await page.emulate_media(media="print")
        folded = page.locator("details:not([open]) li").get_by_text("many199@branch.test", exact=True)
        assert await folded.is_visible()
        # As wide as the paper between its margins, at 96 pixels an inch.
        await page.set_viewport_size({"width": 718 if size == "A4" else 740, "height": 1000})
        beyond = await page.evaluate(
            "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 200))"
        )
        assert beyond == []
        file = tmp_path / "report.pdf"
        await page.pdf(path=file, format=size, margin=PdfMargins(top="10mm", right="10mm", bottom="10mm", left="10mm"))
    run_together = re.sub(r"\s", "", "".join(page.extract_text() for page in PdfReader(file).pages))
    for words in (
        "many199@branch.test",
        LONG,
        *SUITES,
        "rsa_pss_rsae_sha256",
        "protocol.greeting",
        "https://learn.example/unreachable",
        EWS,
    ):
        assert words.replace(" ", "") in run_together, words
