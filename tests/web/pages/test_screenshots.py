"""The maker of screenshots, which are looked at by people."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.browsing import browsing
from tests.web.pages.browser import full_world
from tests.web.pages.screenshots import LOOKS, take


async def test_a_page_is_taken_as_a_whole_at_its_width(chromium: Path, tmp_path: Path) -> None:
    """One file for each look, as wide as that look is and at least as high; each differs from the others."""
    async with full_world(tmp_path) as made, browsing(chromium) as browser:
        files = await take(browser, made, ["/rules/certificate-untrusted"], tmp_path, looks=["wide-light", "wide-dark", "narrow-light"])
    assert [file.name for file in files] == [
        f"out00-rules-certificate-untrusted-{look}.png" for look in ("wide-light", "wide-dark", "narrow-light")
    ]
    pictures = [file.read_bytes() for file in files]
    assert len(set(pictures)) == len(files)
    for look, picture in zip(("wide-light", "wide-dark", "narrow-light"), pictures, strict=True):
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", picture[16:24])
        view = LOOKS[look]["viewport"]
        scale = LOOKS[look].get("device_scale_factor", 1)
        assert width == view["width"] * scale
        assert height >= view["height"] * scale
