"""The application that the listener serves: its routes, and before them who may ask; after them the headers of every response."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probe import __version__
from probe.history import HistoryUnavailable
from probe.model.characters import visible
from probe.web.access import Gatekeeper
from probe.web.ahead import WhatComes
from probe.web.asking import asking
from probe.web.came_of import telling_what_came
from probe.web.coming import telling_what_comes
from probe.web.connections import MOST_HEAD_BYTES
from probe.web.forms import ProblemForm
from probe.web.going_on import telling_what_goes_on
from probe.web.jobs import Jobs
from probe.web.monitoring import monitoring
from probe.web.pages import pages, problem_page
from probe.web.problems import MEDIA_TYPE, RequestProblem
from probe.web.reading import reading
from probe.web.state import States
from probe.web.watch import Watch

MOST_BODY_BYTES = 64 * 1024
"""Of a request's body; the largest that is wanted has an address in it."""
_TOO_LARGE = f"a body has at most {MOST_BODY_BYTES} bytes"
_MOST_MISTAKES = 5
"""Of a request that are told."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every response."""

_log = logging.getLogger(__name__)


def application(watch: Watch, states: States, comes: WhatComes, gatekeeper: Gatekeeper, jobs: Jobs, clock: Callable[[], datetime]) -> Front:
    """What the listener serves."""
    app = FastAPI(
        title="probe",
        version=__version__,
        summary="The mail servers behind Dynamics 365 server-side synchronization, as the service sees them.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Whatever an administrator's environment says: nothing of the service goes to a collector of traces.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
        responses={"default": {"model": ProblemForm, "description": "What is wrong."}},
    )
    app.add_exception_handler(RequestProblem, _told)
    app.add_exception_handler(HTTPException, _told_of_route)
    app.add_exception_handler(RequestValidationError, _told_of_mistakes)
    app.add_exception_handler(Exception, _told_of_bug)
    app.add_exception_handler(HistoryUnavailable, _told_of_history)
    app.include_router(monitoring(watch, states, clock))
    app.include_router(reading(watch, states, comes))
    app.include_router(telling_what_comes(states, comes))
    app.include_router(asking(watch, states, jobs))
    app.include_router(telling_what_goes_on(watch, jobs, clock))
    app.include_router(telling_what_came(watch, jobs, clock))
    app.include_router(pages(watch, states, comes, jobs, gatekeeper, clock))
    described = app.openapi
    app.openapi = lambda: _with_problems(described())  # type: ignore[method-assign]
    return Front(app, gatekeeper, clock)


async def _told(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestProblem)
    return problem_page(request, problem) or problem.response()


async def _told_of_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    detail = {404: "there is nothing of this name", 405: "this cannot be done with it", 413: _TOO_LARGE}
    return await _told(request, RequestProblem(problem.status_code, detail.get(problem.status_code, problem.detail), problem.headers))


async def _told_of_mistakes(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    if any(one["loc"][0] == "path" for one in problem.errors()):  # what nothing can be named has nothing behind it
        return await _told_of_route(request, HTTPException(404))
    # What was sent is not repeated; where it was wrong is.
    mistakes = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors()[:_MOST_MISTAKES]]
    return await _told(request, RequestProblem(422, "; ".join(mistakes)))


async def _told_of_history(request: Request, unavailable: Exception) -> Response:
    _log.error("the history cannot be read", extra={"error": str(unavailable)})
    return await _told(request, RequestProblem(503, "the history cannot be read; the service's log says why", {"Retry-After": "60"}))


def _with_problems(description: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description, in which every error is problem details, and every operation wants a token."""
    description["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token by `probe token create`. Readers on loopback need none."}
    }
    description["security"] = [{"token": []}, {}]
    for path in description["paths"].values():
        for operation in path.values():
            operation["responses"]["default"]["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemForm"}}}
            operation["responses"].pop("422", None)
    return description


async def _told_of_bug(request: Request, _bug: Exception) -> Response:
    # Starlette raises it again once this is sent.
    return await _told(request, RequestProblem(500, "this program failed; its log says where"))


class Front:
    """Decides who asks, and sees to it that every response has its headers and every failure an answer."""

    def __init__(self, app: ASGIApp, gatekeeper: Gatekeeper, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._gatekeeper = gatekeeper
        self._clock = clock

    async def begin(self) -> None:
        """Answer one request for the estate's page to nobody: what frameworks and templates put off until then takes a fifth of a second."""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_: Message) -> None:
            pass

        asked = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [],
            "state": {"caller": None},
        }
        try:
            await self._app(
                {**asked, "http_version": "1.1", "scheme": "http", "root_path": "", "client": None, "server": None}, receive, send
            )
        except Exception:  # noqa: BLE001 - whoever asks for it is told, and everything else is answered
            _log.exception("a bug in probe: the estate's page cannot be shown")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, status, is_whole, is_received = scope["method"], 0, False, False

        async def receiving() -> Message:
            nonlocal is_received
            message = await receive()
            is_received = not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            nonlocal status, is_whole
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["Date"] = format_datetime(self._clock(), usegmt=True)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            if is_whole and status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                # All of the answer, and its end once the client has sent all: who sends the whole first would lose the answer with a connection that is closed.
                await send({**message, "more_body": True})
                while not is_received:  # as long as the client is waited for
                    await receiving()
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        # A head is asked for as the whole is; the server leaves out the body.
        asked: dict[str, Any] = {**scope, "method": "GET"} if method == "HEAD" else dict(scope)
        caller = None
        try:
            if _head_bytes(scope) > MOST_HEAD_BYTES:  # which came at once, so that uvicorn did not count it
                raise RequestProblem(431, f"a request's head has at most {MOST_HEAD_BYTES} bytes", {"Connection": "close"})
            caller = await self._gatekeeper.admit(
                method, scope["path"], Headers(scope=scope), (scope["client"] or ("",))[0], is_secure=scope["scheme"] == "https"
            )
            if int(Headers(scope=scope).get("content-length", "0")) > MOST_BODY_BYTES:
                raise RequestProblem(413, _TOO_LARGE)
            asked["state"] = {**scope.get("state", {}), "caller": caller}
            await self._app(asked, _bounded(receiving), sending)
        except RequestProblem as problem:
            response = await _told(Request(scope), problem)
            await response(scope, receive, sending)
        except Exception:
            _log.exception("a bug in probe: a request was not answered", extra={"method": method, "path": visible(scope["path"])})
            if not is_whole:
                raise
        finally:
            level = logging.INFO if method not in ("GET", "HEAD") else logging.DEBUG
            who = None if caller is None else caller.name
            _log.log(level, "request", extra={"method": method, "path": visible(scope["path"]), "status": status, "token": who})


def _head_bytes(scope: Scope) -> int:
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


def _bounded(receive: Receive) -> Receive:
    """Hands over a body as long as it is not too large, whatever its length was said to be."""
    left = MOST_BODY_BYTES

    async def receiving() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            # Starlette's own, which FastAPI lets through where it reads a body.
            raise HTTPException(413)
        return message

    return receiving
