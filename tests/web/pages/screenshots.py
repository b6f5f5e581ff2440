"""Screenshots of every page, to be looked at: `python -m tests.web.pages.screenshots FOLDER [WORD...]`.

Each page of `PATHS`, of the gate and of Test & Enable, wide and narrow, light and dark, and at 400 %. With words, the pages alone whose paths have one
of them. Chromium has to be installed. The suite makes one of them (`test_screenshots.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.browsing import browsing
from tests.servers.programs import find_program
from tests.web.pages.browser import PATHS, full_world, gate_world, signed_in_tab, tab
from tests.web.world import World

_SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "narrow": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2},
    # 1280 pixels at 400 %.
    "enlarged": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 2},
}
LOOKS = {f"{size}-{colour}": {**view, "color_scheme": colour} for size, view in _SIZES.items() for colour in ("light", "dark")}
"""How each page is looked at, by name."""
_MOST_NAME = 60


async def take(
    browser: Browser, made: World, paths: Iterable[str], folder: Path, cookie: str = "", looks: Sequence[str] = tuple(LOOKS)
) -> list[Path]:
    """Screenshots of some pages, each as a whole; `cookie` is that of somebody who is signed in."""
    files = []
    for look in looks:
        async with signed_in_tab(browser, made, cookie, **LOOKS[look]) if cookie else tab(browser, made, **LOOKS[look]) as seen:
            for number, path in enumerate(paths):
                await seen.open(path)
                name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")[:_MOST_NAME] or "estate"
                files.append(folder / f"{'in' if cookie else 'out'}{number:02}-{name}-{look}.png")
                await seen.page.screenshot(path=files[-1], full_page=True)
    return files


async def _take_all(folder: Path, words: Sequence[str]) -> list[Path]:
    def wanted(paths: Iterable[str]) -> list[str]:
        return [path for path in paths if not words or any(word in path for word in words)]

    with tempfile.TemporaryDirectory() as state:
        async with browsing(find_program("chromium", "Chromium")) as browser:
            async with full_world(Path(state) / "full") as made:
                files = await take(browser, made, wanted(PATHS), folder)
            async with gate_world(Path(state) / "gate") as (made, paths, cookie):
                return [*files, *await take(browser, made, wanted(paths), folder, cookie)]


def main() -> None:
    """Take them, and say how many there are."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("words", nargs="*", metavar="WORD")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    files = asyncio.run(_take_all(given.folder, given.words))
    sys.stdout.write(f"{len(files)} screenshots in {given.folder}\n")


if __name__ == "__main__":
    main()
