"""The files that pages load: a style, scripts, an icon. All are the program's own or vendored (`vendored.toml`); nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fastapi import APIRouter, Response

from probe.web.access import FILES
from probe.web.problems import RequestProblem

_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_MADE_OF = {
    "probe.css": ("probe.reports.html:style.css", "probe.web.pages:static/page.css"),
    "page.js": ("probe.web.pages:static/page.js",),
    "icon.svg": ("probe.web.pages:static/icon.svg",),
    "htmx.js": ("probe.web.pages:static/vendored/htmx.min.js",),
    "uplot.js": ("probe.web.pages:static/vendored/uPlot.iife.min.js",),
    "uplot.css": ("probe.web.pages:static/vendored/uPlot.min.css",),
}
"""Each file, by the name under which it is asked for, of files of our packages."""
_KEPT = "public, max-age=31536000, immutable"
"""For a year: another content has another address."""


class PageFile(NamedTuple):
    """A file, as it is answered."""

    content: bytes
    media_type: str
    place: str
    """Its path, with a part that is another for another content."""


@cache
def page_files() -> Mapping[str, PageFile]:
    """Every file that pages load, by name."""
    return {name: _file(name, parts) for name, parts in _MADE_OF.items()}


def _file(name: str, parts: tuple[str, ...]) -> PageFile:
    places = (part.split(":") for part in parts)
    content = b"\n".join(files(package).joinpath(path).read_bytes() for package, path in places)
    version = hashlib.sha256(content).hexdigest()[:12]
    return PageFile(content, _MEDIA_TYPES[name.rpartition(".")[2]], f"{FILES}{name}?v={version}")


def serving_files() -> APIRouter:
    """The route of these files."""
    router = APIRouter(include_in_schema=False)

    @router.get(FILES + "{name}")
    async def show_file(name: str, v: str = "") -> Response:
        file = page_files().get(name)
        if file is None:
            raise RequestProblem(404, "there is nothing of this name")
        kept = {"Cache-Control": _KEPT} if file.place.endswith(f"?v={v}") else None
        return Response(file.content, headers=kept, media_type=file.media_type)

    return router
