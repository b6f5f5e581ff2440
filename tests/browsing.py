"""A real browser: how pages and reports look to assistive technology, at which widths, and on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    # 1280 pixels at 400 %.
    "enlarged": {"viewport": {"width": 320, "height": 256}, "color_scheme": "light"},
}


@asynccontextmanager
async def browsing(chromium: Path) -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def look_sound(page: Page, *where: str) -> None:
    """Objects to what axe finds on a page, and to what stands beyond its edge."""
    found = (await Axe().run(page)).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], where
    assert len(found["passes"]) > 10
    beyond = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, where
