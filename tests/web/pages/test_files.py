"""The files that pages load."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from probe.web.pages.files import page_files
from tests.web.world import world

_PAGES = files("probe.web.pages")
_VENDORED = tomllib.loads(_PAGES.joinpath("vendored.toml").read_text(encoding="utf-8"))["file"]


def _sha256(name: str) -> str:
    return hashlib.sha256(_PAGES.joinpath("static", "vendored", name).read_bytes()).hexdigest()


@pytest.mark.parametrize("entry", _VENDORED, ids=lambda entry: entry["name"])
def test_a_vendored_file_is_the_published_one_with_its_licence(entry: dict[str, str]) -> None:
    """Its digest and that of its licence are those that the table has, with version and source."""
    assert set(entry) == {"name", "package", "version", "source", "path", "sha256", "license", "license_file", "license_sha256"}
    assert _sha256(entry["name"]) == entry["sha256"]
    assert _sha256(entry["license_file"]) == entry["license_sha256"]
    assert entry["source"] == f"https://registry.npmjs.org/{entry['package']}/-/{entry['package']}-{entry['version']}.tgz"


def test_nothing_else_is_vendored() -> None:
    """Every file of the folder is in the table."""
    listed = {entry[part] for entry in _VENDORED for part in ("name", "license_file")}
    assert {path.name for path in _PAGES.joinpath("static", "vendored").iterdir()} == listed


async def test_a_file_is_kept_by_browsers_as_long_as_its_address_stays(tmp_path: Path) -> None:
    """Another content has another address, so that the old one may be kept; whoever asks without it is told to ask again."""
    async with world(tmp_path) as made:
        for name, file in page_files().items():
            answer = await made.asker.ask(file.place)
            assert (answer.status, answer.body) == (200, file.content)
            assert answer.headers["content-type"] == file.media_type
            assert "immutable" in answer.headers["cache-control"]
            assert (await made.asker.ask(f"/static/{name}?v=other")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/", "/static/other.js", "/static/vendored/htmx.min.js", "/static/..%2f__init__.py", "/static/../tokens.sqlite"]
)
async def test_no_other_file_is_served(tmp_path: Path, path: str) -> None:
    """A name that is none of theirs leads to no file, however it is written."""
    async with world(tmp_path) as made:
        assert (await made.asker.ask(path)).status == 404
