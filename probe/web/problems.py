"""Errors as RFC 9457 has them: `application/problem+json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from probe.document import shown

MEDIA_TYPE = "application/problem+json"


class RequestProblem(Exception):
    """What a request cannot have, told to its sender: a status, and one sentence that repeats no secret."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        return Response(problem_bytes(self.status, self.detail), self.status, self.headers, MEDIA_TYPE)


def problem_bytes(status: int, detail: str) -> bytes:
    """RequestProblem details in ASCII, on one line; what steers a terminal is written as an escape."""
    told: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json.dumps(shown(told), separators=(",", ":")).encode("ascii") + b"\n"
