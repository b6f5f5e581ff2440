"""Debian's Chromium, which playwright drives, before listeners that have something in each part of each page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, Page, expect

from probe.model.endpoints import endpoint_id
from probe.web import LookUnderWay
from probe.web.tokens import TokenScope
from tests.full_runs import LONG, RIGHT_TO_LEFT, a_full_run
from tests.history.looks import START, look, product
from tests.runs import EWS, NOON, POP
from tests.web.pages.gates import FAILED, PENDING, a_cannot_tell, a_go, gate_estate, gate_state, recorded
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

AT_POP = f"/e/{endpoint_id(POP)}"
PATHS = (
    "/",
    "/?q=branch",
    "/m/info@contoso.test",
    "/m/pop@branch.test",
    f"/m/{LONG}",
    f"/m/{quote(RIGHT_TO_LEFT)}",
    AT_POP,
    f"/e/{endpoint_id(EWS)}",
    "/changes",
    "/calendar",
    "/rules/exchange-2003-or-2007",
    "/rules/certificate-untrusted",
    "/?rule=exchange-2003-or-2007",
    "/runs",
    "/login",
    "/m/nobody",
)
# On a machine that does much else a page may take longer than the five seconds for which it waits by itself.
expect.set_options(timeout=30_000)


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
        await made.worked_out()
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
