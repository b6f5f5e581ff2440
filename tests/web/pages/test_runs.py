"""What pages say of checks that go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from probe.web.tokens import TokenScope
from tests.runs import NOON
from tests.web.pages.hostile import HOSTILE
from tests.web.pages.reading import HtmlPage, PageReader
from tests.web.world import world

BOX = "/m/silent@branch.test"
TOLD = "0 of 2 conversations have ended; <b><script>alert(1)</script>"


async def _until(reader: PageReader, path: str, is_so: Callable[[str], bool]) -> HtmlPage:
    """The page once its words are so."""
    for _ in range(600):
        if is_so((page := await reader.get(path)).words):
            return page
        await asyncio.sleep(0.05)
    raise AssertionError(page.words)


async def test_how_far_a_check_is_stands_on_its_page_and_among_the_runs(tmp_path: Path) -> None:
    """As it is told, without a script by a reload; what is too long is cut, and what a server's name has in it is text."""
    async with world(tmp_path) as made:
        reader = PageReader(made.asker)
        await reader.sign_in(made.tokens.create("anna", TokenScope.CHECK, NOON))
        made.watch.go.clear()
        made.watch.news = f"0 of 2 conversations have ended; <b>{HOSTILE} is waited for {'x' * 1000}"
        shown = (await reader.post(f"{BOX}/check", {"csrf": (await reader.get(BOX)).fields["csrf"]})).headers["location"]
        page = await _until(reader, shown, lambda words: f"The check is being held: {TOLD}" in words)
        assert "What it finds will stand here." in page.words
        bodies = [(await reader.ask(path)).body for path in (shown, "/runs")]
        for body in bodies:
            assert b"x" * 500 not in body
            assert b'<noscript><meta http-equiv="refresh" content="5"></noscript>' in body
            assert b'hx-trigger="every ' in body
        assert f"GOES ON {TOLD}" in HtmlPage(bodies[1].decode()).words
        assert "silent@branch.test token anna" in HtmlPage(bodies[1].decode()).words
        made.watch.go.set()
        page = await _until(reader, "/runs", lambda words: "GOES ON" not in words)
        assert TOLD not in page.words
        assert b"http-equiv" not in (await reader.ask("/runs")).body
