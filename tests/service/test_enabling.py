"""The gate and Test & Enable from the page of `probe serve` as a user has it: a process, a browser, and a simulated organization."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from probe import app
from probe.memory import Folder
from probe.web.tokens import Tokens, TokenScope
from tests.command import environment
from tests.enabling.world import PASSWORD, World, address, organized
from tests.web.client import Asker
from tests.web.pages.reading import PageReader

_SCHEDULE = '\n[schedule]\ncanary = "off"\nlogins = "off"\ndynamics = "off"\nposture = "off"\n'
"""Nobody signs in but the gate."""
_BOX = f"/m/{address(0)}"


@asynccontextmanager
async def _serving(world: World) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`probe serve`, and the URL of its page."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "probe", "serve", "estate.toml", "--listen", "127.0.0.1:0", "--ca", "ca.pem", "--tls", "none"),
        cwd=world.folder,
        env=environment(PROBE_STATE_DIR=str(world.state), CRM_PASSWORD=PASSWORD, EWS_PASSWORD="Correct-Horse-7"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = b""
    try:
        while b"is watched; " not in said:
            line = await process.stderr.readline()
            assert line, said.decode()
            said = line
        url = said.decode().strip().rpartition(" ")[2]
        reader = PageReader(Asker(url))
        for _ in range(600):
            if (await reader.ask(_BOX)).status != 503:  # which it is as long as the mailbox is not judged
                break
            await asyncio.sleep(0.05)
        yield process, url
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, rest = await asyncio.wait_for(process.communicate(), 20)
        assert b"bug" not in rest, rest.decode()


@asynccontextmanager
async def _organized(folder: Path, pace: float) -> AsyncIterator[World]:
    async with organized(folder, 1, signs_in=True, from_page=True, pace=pace) as world:
        file = folder / "estate.toml"
        file.write_text(file.read_text() + _SCHEDULE)
        yield world


def _token(world: World) -> str:
    return Tokens(Folder(world.state)).create("anna", TokenScope.ADMIN, app.now())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")
@pytest.mark.timeout(120)
async def test_somebody_asks_the_gate_enables_and_sees_the_outcome_in_a_browser(chromium: Path, tmp_path: Path) -> None:
    """From the mailbox's page to Dynamics' outcome beside the prediction, by htmx; the row is written once."""
    async with (
        _organized(tmp_path, pace=5e-3) as world,
        _serving(world) as (_, url),
        async_playwright() as driver,
    ):
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        await page.goto(url + _BOX)
        await page.get_by_role("link", name="Sign in to have it checked now").click()
        await page.get_by_label("Token").fill(_token(world))
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Ask the gate").press("Enter")
        await page.get_by_text("SUCCESS").first.wait_for()
        assert await page.locator(".lead .word").text_content() == "GO"
        await page.get_by_label("Its address, typed").fill(address(0))
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Test & Enable of").wait_for()
        await page.get_by_text("ENABLED").wait_for(timeout=60_000)
        assert "as predicted" in str(await page.locator(".lead").text_content())
        await page.reload()
        await page.get_by_role("link", name="Runs").click()
        await page.get_by_role("link", name="Test & Enable").wait_for()
        assert complaints == []
        await browser.close()
        assert len(world.sent) == 1
        assert {json.loads(line)["who"] for line in world.audit.splitlines()} == {"token anna"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.timeout(240)
async def test_a_service_that_is_killed_after_it_asked_finds_the_outcome_by_itself(tmp_path: Path) -> None:
    """The next one follows up what the audit has, tells it on the same page, and writes nothing to the row."""
    async with _organized(tmp_path, pace=2e-2) as world:
        async with _serving(world) as (process, url):
            reader = PageReader(Asker(url))
            await reader.sign_in(_token(world))
            mark = {"csrf": (await reader.get(_BOX)).fields["csrf"]}
            gate = (await reader.post(f"{_BOX}/gate", mark)).headers["location"]
            assert (await reader.ask(f"/v1{gate}", headers={"Prefer": "wait=60"})).status == 200
            answer = await reader.post(f"{_BOX}/enable", {**mark, "gate": gate.rpartition("/")[2], "address": address(0)})
            place = answer.headers["location"]
            for _ in range(3000):
                if world.sent:
                    break
                await asyncio.sleep(0.01)
            assert world.sent
            process.kill()
            await process.wait()
        assert "outcome" not in world.audit
        # A kill in the middle of a sign-in bars the account for half an hour; as a person would, forget that.
        (world.state / "memory.sqlite").unlink(missing_ok=True)
        async with _serving(world) as (_, url):
            reader = PageReader(Asker(url))
            for _ in range(1000):
                words = (await reader.get(place)).words
                if "ENABLED" in words:
                    break
                await asyncio.sleep(0.1)
            assert "ENABLED incoming success, outgoing success, as predicted" in words
            assert "Asked for by token anna" in words
        assert len(world.sent) == 1
        assert len(world.organization.writes) == 1
