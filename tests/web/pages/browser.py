"""Debian's Chromium, which playwright drives, before listeners that have something in each part of each page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, Page, async_playwright, expect

from probe.model import vocabulary as v
from probe.model.endpoints import endpoint_id
from probe.model.kinds import TlsSession, Validity
from probe.model.rules import Readiness, Result, Support
from probe.model.runs import Run
from probe.web import LookUnderWay
from probe.web.tokens import TokenScope
from tests.history.looks import START, look, product
from tests.runs import EWS, NOON, POP, REACHED, a_checked_run, a_fact, a_finding, a_mailbox, an_assessment
from tests.web.pages.gates import FAILED, LONG, PENDING, RIGHT_TO_LEFT, a_cannot_tell, a_go, gate_estate, gate_state, recorded
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
VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    # 1280 pixels at 400 %.
    "enlarged": {"viewport": {"width": 320, "height": 256}, "color_scheme": "light"},
}
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
async def browsing(chromium: Path) -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


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


def _full_run() -> Run:
    """A run with something in each part of each page, long names and names that are read from the right."""
    run = a_checked_run()
    assert run.estate is not None
    suites = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
    more = (
        a_fact(v.TLS_VERSIONS, ("TLSv1.1", "TLSv1.2")),
        a_fact(v.TLS_SUITES, (("TLSv1.2", suites),)),
        a_fact(v.TLS_GROUPS, (("TLSv1.2", ("secp384r1", "x25519")),)),
        a_fact(v.TLS_SCHEMES, (("TLSv1.2", ("rsa_pss_rsae_sha256",)),)),
        a_fact(v.FIPS_PROFILE, "windows-server-2019"),
        a_fact(v.FIPS_NEGOTIATES, TlsSession("TLSv1.2", suites[0], "secp384r1", "rsa_pss_rsae_sha256")),
        a_fact(v.FIPS_ALSO_ACCEPTS, ("TLSv1.1", f"TLSv1.2 with {suites[1]}")),
        a_fact(v.CERTIFICATE_CHAIN_DATES, (Validity("CN=pop.branch.test", NOON - timedelta(days=80), NOON + timedelta(days=10)),)),
        a_fact(v.CERTIFICATE_NOT_BEFORE, NOON - timedelta(days=80)),
    )
    addresses = (LONG, RIGHT_TO_LEFT)
    refused = (a_finding(REACHED, Result.FAILS, run.readings[0]),)
    return replace(
        run,
        readings=(*run.readings, *more),
        estate=replace(run.estate, mailboxes=(*run.estate.mailboxes, *map(a_mailbox, addresses))),
        assessments=(
            *run.assessments,
            *(an_assessment(one, Support.SUPPORTED, Readiness.NOT_READY, *refused) for one in addresses),
        ),
    )


@asynccontextmanager
async def full_world(folder: Path) -> AsyncIterator[World]:
    """A listener over that run, with a history of two days."""
    async with world(folder, _full_run()) as made:
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
