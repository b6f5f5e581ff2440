"""JSON as it is answered: in ASCII, with an ETag by which an unchanged answer is not sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic_core import to_json
from starlette.responses import JSONResponse, Response

from probe.document import shown

_REVALIDATED = "private, no-cache"
"""It may be kept by whoever asked, and is asked about each time."""


class JsonResponse(JSONResponse):
    """JSON that is written already."""

    def render(self, content: bytes) -> bytes:
        return content


def encoded(form: Mapping[str, Any]) -> bytes:
    """A form as JSON in ASCII. What steers a terminal is written as an escape."""
    return to_json(shown(dict(form)), ensure_ascii=True)


def tagged(request: Request, body: bytes) -> Response:
    """JSON with its ETag; 304 without a body where the client has it already (RFC 9110 section 13.1.2). What answers a POST has none, and is whole."""
    if request.method != "GET":  # as which a HEAD is asked for
        return JsonResponse(body)
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": _REVALIDATED}
    shown = ",".join(request.headers.getlist("if-none-match"))
    known = {one.strip().removeprefix("W/") for one in shown.split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return JsonResponse(body, headers=headers)
