"""The pages as an administrator uses them in a real browser, by the keyboard alone: why, since when, what to type, and on which words that rests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playwright.async_api import Page, expect

from probe import app
from probe.history import judgement
from probe.model.rules import Readiness, Result, Support
from probe.model.runs import Run
from probe.web.places import page_of
from tests.browsing import VIEWS, browsing
from tests.full_runs import LONG
from tests.history.looks import START, look, minutes, product
from tests.runs import EWS, NOON, POP, SMTP, a_checked_run, a_finding, an_assessment
from tests.web.pages.browser import full_world, tab
from tests.web.world import world

INFO = "info@contoso.test"
COMMAND = f"Add-MailboxPermission -Identity {INFO} -User svc-crm@contoso.test -AccessRights FullAccess"
FROM_ALERTS: list[tuple[str, list[str], str]] = [
    (page_of(INFO), [], "401 Unauthorized"),
    (page_of("silent@branch.test"), [], "no greeting within 30 s"),
    (page_of(EWS), [], "X-OWA-Version: 8.3.485.1"),
    (page_of(SMTP), [], "no greeting within 30 s"),
    (page_of(POP), [], "+OK Dovecot ready."),
    (page_of(POP), ["The words that it rests on"], "+OK Courier ready."),
    ("/changes", ["The words that it rests on"], "+OK Courier ready."),
    ("/calendar", [POP], "+OK Dovecot ready."),
    (page_of("deployment"), ["2 mailboxes", LONG], "+OK Dovecot ready."),
]
"""Where alerts lead, what is pressed there, and words off the wire that stand there then."""
_MOST_TABS = 200
AT = {"timezone_id": "UTC", "locale": "en-GB", "permissions": ["clipboard-read", "clipboard-write"]}


def denied_run() -> Run:
    """A run in which the account of a profile may not open a mailbox."""
    run = a_checked_run()
    refusal = next(one for one in run.readings if one.mailbox == INFO and one.subject == EWS)
    finding = a_finding(app.rules()["mailbox-access-denied"], Result.FAILS, refusal)
    bad = an_assessment(INFO, Support.SUPPORTED, Readiness.NOT_READY, finding, profile="corp")
    return replace(run, assessments=tuple(bad if one.mailbox == INFO else one for one in run.assessments))


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until a link, a button, a field or what opens has the focus that is called so."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        called = await page.evaluate(
            """() => { const one = document.activeElement;
                return one.matches("a, button, input, select, summary") ? one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent : ""; }"""
        )
        if name in called:
            return
    raise AssertionError(f"no Tab leads to {name!r}")


async def press(page: Page, name: str) -> None:
    """Press Enter on what is called so, and wait for the page that a link leads to."""
    await tab_to(page, name)
    place = await page.evaluate("document.activeElement.href || ''")
    await page.keyboard.press("Enter")
    if place:
        await page.wait_for_url(place)
        await page.wait_for_load_state("networkidle")


async def test_why_since_when_and_what_to_type_by_the_keyboard(chromium: Path, tmp_path: Path) -> None:
    """From the first page: the mailbox is searched and opened, says why it is not ready and since when, and its command is copied as it is to be typed."""
    run = denied_run()
    async with world(tmp_path, run) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"], **AT) as seen:
        bad = next(one for one in run.assessments if one.mailbox == INFO)
        await made.watch.history.record([judgement(an_assessment(INFO, Support.SUPPORTED, Readiness.READY, profile="corp"), minutes(0))])
        await made.watch.history.record([judgement(bad, minutes(65))])
        page = seen.page
        await seen.open("/")
        await tab_to(page, "Address")
        await page.keyboard.type("info")
        await page.get_by_role("status").get_by_text("1 mailbox found").wait_for()
        await press(page, INFO)
        await page.get_by_role("heading", name=INFO).wait_for()
        for told in ("NOT READY, supported", "Account may not open the mailbox", "401 Unauthorized", COMMAND):
            await expect(page.get_by_text(told).first).to_be_visible()
        since = page.locator("dt", has_text="Since").locator("+ dd")
        await expect(since).to_have_text("1 Nov 2026, 01:05")
        await press(page, f"Copy: {COMMAND}")
        await expect(page.get_by_text("copied", exact=True)).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == COMMAND
        assert seen.complaints == []


async def test_from_an_alert_to_the_words_off_the_wire_in_two_presses(chromium: Path, tmp_path: Path) -> None:
    """Whatever an alert is about, at most two things are pressed on the page that its link leads to before the words stand there."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser, tab(browser, made, **VIEWS["wide"], **AT) as seen:
        await made.watch.history.record([look((NOON - START).total_seconds() / 60 - 5, *product("Courier", "+OK Courier ready."))])
        for link, pressed, words in FROM_ALERTS:
            assert len(pressed) <= 2
            await seen.open(link)
            for name in pressed:
                await press(seen.page, name)
            told = seen.page.locator("main").get_by_text(words).locator("visible=true").first
            await expect(told, f"{link} {pressed}").to_be_visible()
        assert seen.complaints == []
