"""Who may ask: loopback and what is not, names of the listener, tokens, scopes and rates."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from probe.memory.folder import Folder
from probe.model.endpoints import endpoint_id
from probe.web.access import Gatekeeper, Hosts, Rates, RequestBudget, is_local_name
from probe.web.ahead import WhatComes
from probe.web.application import application
from probe.web.listener import ListenSettings
from probe.web.problems import RequestProblem
from probe.web.state import States
from probe.web.tokens import Tokens, TokenScope
from tests.looking import authority
from tests.runs import EWS, NOON
from tests.web.client import Asker
from tests.web.world import DrivenTime, World, world

_NAMES = {
    "/m/": "info@contoso.test",
    "/v1/mailboxes/": "info@contoso.test",
    "/e/": endpoint_id(EWS),
    "/v1/endpoints/": endpoint_id(EWS),
    "/rules/": "certificate-expired",
    "/v1/rules/": "certificate-expired",
    "/static/": "probe.css",
    "/gate/": "0" * 32,
    "/v1/gate/": "0" * 32,
    "/v1/runs/": "0" * 32,
    "/enabling/": "0" * 32,
    "/v1/enabling/": "0" * 32,
}
"""A name for the parameter of each path that has one, by what stands before it."""


def _routes() -> Iterator[tuple[str, str]]:
    """Each method and path that the application answers, as a request."""
    nobody: Any = None  # routes are made of what they ask when somebody asks them
    states = States(nobody)
    gatekeeper = Gatekeeper(nobody, nobody, nobody, on_loopback=True, require_token=False, clock=nobody, monotonic=nobody)
    front = application(nobody, states, WhatComes(states), gatekeeper, nobody, nobody)
    assert isinstance(front._app, FastAPI)
    for route in iter_route_contexts(front._app.routes):
        assert route.path is not None
        before, parameter, after = re.fullmatch(r"([^{]*)(\{\w+(?::path)?\})?(.*)", route.path, re.DOTALL).groups()  # type: ignore[union-attr]
        for method in sorted(route.methods or ()):
            yield method, f"{before}{_NAMES[before] if parameter else ''}{after}"


ROUTES = (*_routes(), ("GET", "/nothing"), ("GET", "/probe?target=x"))
OPEN = {("GET", "/login"), ("POST", "/login"), ("GET", "/static/probe.css")}
"""What is answered without a token: where people sign in, and the files of the page."""


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[World]:
    """A listener on loopback on which readers want a token too."""
    async with world(tmp_path, settings=ListenSettings(port=0, require_token=True)) as made:
        yield made


@asynccontextmanager
async def seen_from_outside(folder: Path, how: str) -> AsyncIterator[tuple[World, Asker, dict[str, str]]]:
    """A listener as somebody sees it who is not on loopback, and the headers that come with that."""
    if how == "a token is wanted everywhere":
        async with world(folder, settings=ListenSettings(port=0, require_token=True)) as made:
            yield made, made.asker, {}
    elif how == "a proxy passed it on":
        async with world(folder) as made:
            yield made, made.asker, {"X-Forwarded-For": "127.0.0.1"}
    else:
        Tokens(Folder(folder / "state")).create("first", TokenScope.READ, NOON)
        file = authority().issue("localhost").file
        async with world(folder, settings=ListenSettings(host="0.0.0.0", port=0, certificate=file, key=file)) as made:
            port = made.asker.url.rpartition(":")[2]
            yield made, replace(made.asker, url=f"https://localhost:{port}"), {}


@pytest.mark.parametrize("how", ["a token is wanted everywhere", "a proxy passed it on", "it listens everywhere"])
async def test_nothing_is_read_without_a_token_where_one_is_wanted(tmp_path: Path, how: str) -> None:
    """Whatever the application has a route for, and whatever it has none for: whether a path exists is not told either."""
    assert set(ROUTES) > OPEN
    async with seen_from_outside(tmp_path, how) as (made, asker, headers):
        for method, path in ROUTES:
            made.time.drive(60)
            for asked in (method, *(["HEAD"] if method == "GET" else [])):
                answer = await asker.ask(path, asked, headers, body={} if method == "POST" else None)
                if (method, path) in OPEN:
                    assert answer.status in (200, 415), (asked, path)
                    continue
                assert answer.status == 401, (asked, path)
                assert answer.headers["www-authenticate"] == 'Bearer realm="probe"'
                assert asked == "HEAD" or answer.problem == "a token is wanted: Authorization: Bearer TOKEN"
        assert not made.watch.held


async def test_with_a_token_each_route_is_answered(strict: World) -> None:
    """One that reads, or, where something is done, one that checks; a form of the page wants the mark of a session besides."""
    for method, path in ROUTES:
        is_read = method in ("GET", "HEAD")
        asker = strict.of(TokenScope.READ if is_read else TokenScope.CHECK)
        answer = await asker.ask(path, method, body=None if is_read else {})
        assert answer.status in ((200, 404, 422) if is_read else (405, 415, 422)), (method, path, answer.body)


def test_every_route_of_the_api_and_of_the_page_is_among_them() -> None:
    """The table is that of the application, and has its parameters filled in."""
    paths = {path for _, path in ROUTES}
    assert paths >= {"/", "/metrics", "/v1/openapi.json", "/v1/summary", "/m/info@contoso.test", "/runs", "/v1/checks", "/logout"}
    assert not [path for path in paths if "{" in path]


@pytest.mark.parametrize(
    "header",
    [
        ("Forwarded", "for=127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded", "x"),
        ("Via", "1.1 proxy"),
        ("X-Real-IP", "127.0.0.1"),
        ("X-Real-Ip", ""),
    ],
    ids=lambda header: header[0],
)
async def test_a_request_that_was_passed_on_is_not_from_loopback(service: World, header: tuple[str, str]) -> None:
    """Who sent it is not known, whatever the proxy's header says: a token is wanted."""
    assert (await service.asker.ask("/metrics", headers=[header])).status == 401
    assert (await service.of(TokenScope.READ).ask("/metrics", headers=[header])).status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_local_names_are_of_loopback(service: World, host: str) -> None:
    """With the port and without it."""
    port = service.asker.url.rpartition(":")[2]
    assert (await service.asker.ask("/healthz", host=f"{host}:{port}")).status == 200
    assert (await service.asker.ask("/healthz", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "localhost:1",
        "localhost:",
        "user@localhost",
        "127.1",
        "[::2]",
        "0.0.0.0",
        "",
        "localhost, evil.example",
    ],
)
async def test_a_name_that_was_rebound_is_not_of_loopback(service: World, host: str) -> None:
    """A page whose name an attacker leads to this machine reads nothing, because its requests name another host."""
    assert (await service.asker.ask("/metrics", host=host)).status == 401


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 401),
        ("same-site", "cors", 401),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
async def test_a_page_of_another_site_has_nothing_asked(service: World, site: str, mode: str, status: int) -> None:
    """A browser says which site had it ask; a link may lead here, a script or an image may not."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert (await service.asker.ask("/healthz", headers=headers)).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROBE"])
async def test_what_does_more_than_read_wants_a_token_everywhere(service: World, method: str) -> None:
    """On loopback too, and one whose scope has it."""
    assert (await service.asker.ask("/healthz", method, body={})).status == 401
    refused = await service.of(TokenScope.READ).ask("/healthz", method, body={})
    assert refused.status == 403
    assert "a token of scope check is wanted" in refused.problem
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert (await service.of(TokenScope.CHECK).ask("/healthz", method, body={})).status == 405


@pytest.mark.parametrize(
    "shown",
    ["Bearer probe_guessed", "Bearer", "Basic cHJvYmU6cHJvYmU=", "probe_x", "Bearer " + "x" * 200, "bearer\tx", "Bearer \xe4"],
)
async def test_a_wrong_token_is_refused_where_none_was_wanted_too(service: World, shown: str) -> None:
    """Who shows one means it; the answer does not repeat it."""
    answer = await service.asker.ask("/healthz", headers=[("Authorization", shown)])
    assert answer.status == 401
    assert "guessed" not in answer.body.decode()


async def test_two_authorizations_are_none(service: World) -> None:
    """Which of them counts would be anybody's guess."""
    token = service.tokens.create("a", TokenScope.READ, service.time.now)
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")]
    assert (await service.asker.ask("/healthz", headers=headers)).status == 401


async def test_a_token_of_another_process_is_known_at_once_and_a_revoked_one_no_more(strict: World, tmp_path: Path) -> None:
    """The service reads the tokens anew when their file was written to."""
    others = Tokens(Folder(tmp_path / "state"))
    token = others.create("late", TokenScope.READ, strict.time.now)
    assert (await strict.asker.ask("/healthz", token=token)).status == 200
    assert others.revoke("late")
    assert (await strict.asker.ask("/healthz", token=token)).status == 401


async def test_the_last_use_of_a_token_is_kept(strict: World) -> None:
    """To the minute, so that an unused token is found."""
    asker = strict.of(TokenScope.READ)
    assert strict.tokens.all()[0].used is None
    assert (await asker.ask("/healthz")).status == 200
    first = strict.time.now
    strict.time.drive(59)
    await asker.ask("/healthz")
    assert strict.tokens.all()[0].used == first
    strict.time.drive(1)
    await asker.ask("/healthz")
    assert strict.tokens.all()[0].used == strict.time.now


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX's")
async def test_without_its_tokens_a_service_lets_nobody_in(strict: World, tmp_path: Path) -> None:
    """A file of tokens that others may write to is no reason to trust a token; the answer names no path."""
    asker = strict.of(TokenScope.READ)
    assert (await asker.ask("/healthz")).status == 200
    file = tmp_path / "state" / "tokens.sqlite"
    file.chmod(0o666)
    answer = await asker.ask("/healthz")
    assert answer.status == 503
    assert answer.problem == "the tokens cannot be read; the service's log says why"
    file.chmod(0o600)
    assert (await asker.ask("/healthz")).status == 200


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX's")
async def test_a_folder_that_fails_for_a_time_locks_nobody_out(strict: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As long as the file of tokens is as it was, what was read of it counts; that a use cannot be noted is told in the log."""
    asker = strict.of(TokenScope.READ)
    assert (await asker.ask("/healthz")).status == 200
    assert (await asker.ask("/healthz")).status == 200
    (tmp_path / "state").chmod(0o777)
    strict.time.drive(61)
    assert (await asker.ask("/healthz")).status == 200
    (tmp_path / "state").chmod(0o700)
    assert "the tokens cannot be read" in caplog.text
    assert "the last use of a token is not kept" in caplog.text


async def test_who_asks_too_often_waits(service: World) -> None:
    """Each token has a budget of its own, which fills up with time; others are not held up."""
    asker = service.of(TokenScope.READ)
    statuses = [(await asker.ask("/healthz")).status for _ in range(201)]
    assert statuses == [200] * 200 + [429]
    refused = await asker.ask("/healthz")
    assert int(refused.headers["retry-after"]) == 1
    assert (await service.asker.ask("/healthz")).status == 200
    service.time.drive(1)
    assert (await asker.ask("/healthz")).status == 200


async def test_guesses_of_tokens_are_slowed_down_and_hold_up_nobody_who_has_one(strict: World) -> None:
    """Guessing is hopeless; it shall not be free either."""
    statuses = {(await strict.asker.ask("/healthz", token=f"probe_{n}")).status for n in range(100)}
    assert statuses == {401}
    assert (await strict.asker.ask("/healthz", token="probe_100")).status == 429
    assert (await strict.asker.ask("/healthz")).status == 429
    assert (await strict.of(TokenScope.READ).ask("/healthz")).status == 200


async def test_every_response_has_the_headers_of_a_careful_server(service: World) -> None:
    """Whatever the status: nothing is framed, sniffed, kept or loaded from elsewhere, and the server does not say what it is."""
    for path, host in (("/healthz", None), ("/nothing", None), ("/metrics", "evil.example")):
        headers = (await service.asker.ask(path, host=host)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


async def test_control_characters_of_a_path_reach_no_header_and_no_log_as_they_are(
    service: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A line end that is written with a percent sign in a path splits neither a response nor a line of the log."""
    with caplog.at_level("DEBUG", logger="probe"):
        answer = await service.asker.ask("/x%0d%0aSet-Cookie:%20a=b%1b%5b31m")
    assert answer.status == 404
    assert "set-cookie" not in answer.headers
    (told,) = [record for record in caplog.records if record.getMessage() == "request"]
    assert told.__dict__["path"] == "/x\\x0d\\x0aSet-Cookie: a=b\\x1b[31m"


def test_a_budget_is_forgotten_after_whoever_asked_longest_ago() -> None:
    """What is counted is bounded, however many ask."""
    time = DrivenTime()
    rates, one = Rates(time.monotonic), RequestBudget(1, 0.001)
    rates.take(one, "first")
    for number in range(5000):
        rates.take(one, str(number))
    assert len(rates._left) <= 4096
    with pytest.raises(RequestProblem):
        rates.take(one, "4999")
    rates.take(one, "first")


def test_a_host_is_read_as_its_grammar_has_it() -> None:
    """A name, its port or none; an address of IPv6 in brackets."""
    hosts = Hosts(is_local_name, 8025)
    assert all(map(hosts.has, ("localhost:8025", "[::1]:8025", "127.0.0.1")))
    assert not any(map(hosts.has, ("::1", "::1:8025", "[localhost]", "localhost:08025", "localhost:8025:8025", "localhost/", "[::1]8025")))


async def test_many_askers_at_once_are_answered(service: World) -> None:
    """A hundred requests at the same time, each on its own connection."""
    answers = await asyncio.gather(*(service.asker.ask("/healthz") for _ in range(90)))
    assert {answer.status for answer in answers} == {200}
