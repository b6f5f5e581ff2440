"""Sessions of people."""

from __future__ import annotations

from datetime import timedelta

from starlette.datastructures import Headers
from starlette.responses import Response

from probe.web.sessions import LONGEST, MOST_SESSIONS, UNUSED, Session, Sessions
from probe.web.tokens import Token, TokenScope
from tests.runs import NOON
from tests.web.world import DrivenTime

TOKEN = Token("anna", TokenScope.READ, NOON, None)


def _begun(sessions: Sessions, *, is_secure: bool = False) -> Headers:
    response = Response()
    sessions.begin(TOKEN, response, is_secure=is_secure)
    return Headers({"cookie": response.headers["set-cookie"].partition(";")[0]})


def _of(sessions: Sessions, headers: Headers) -> Session | None:
    return sessions.of(headers, is_secure=False)


def test_a_cookie_is_the_listeners_alone() -> None:
    """No script reads it and no other site sends it; over TLS it is bound to the host too."""
    for is_secure, name in ((False, "probe-8025"), (True, "__Host-probe-8025")):
        response = Response()
        Sessions(DrivenTime().clock, 8025).begin(TOKEN, response, is_secure=is_secure)
        cookie = response.headers["set-cookie"]
        assert cookie.startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert ("Secure" in cookie.split("; ")) is is_secure
        assert "Domain" not in cookie


def test_a_session_ends_when_it_was_not_used_for_long() -> None:
    """Each use prolongs it, but not for ever."""
    time = DrivenTime()
    sessions = Sessions(time.clock, 8025)
    headers = _begun(sessions)
    for _ in range(LONGEST // (UNUSED - timedelta(seconds=1))):
        time.drive(UNUSED.total_seconds() - 1)
        assert _of(sessions, headers) is not None
    time.drive(UNUSED.total_seconds() - 1)
    assert _of(sessions, headers) is None
    headers = _begun(sessions)
    time.drive(UNUSED.total_seconds() + 1)
    assert _of(sessions, headers) is None


def test_a_cookie_that_was_guessed_or_is_not_ours_is_no_session() -> None:
    """Nor is one that is malformed or far too long."""
    sessions = Sessions(DrivenTime().clock, 8025)
    own = _begun(sessions)["cookie"]
    assert _of(sessions, Headers({"cookie": own})) is not None
    for cookie in (
        "",
        "probe-8025=",
        "probe-8025=guessed",
        own.replace("8025", "8026"),
        'probe-8025="',
        f"{own}; a={'x' * 5000}",
        "probe-8025=\xff\n",
    ):
        assert _of(sessions, Headers({"cookie": cookie})) is None
    assert sessions.of(Headers({"cookie": own}), is_secure=True) is None


def test_an_ended_session_is_none() -> None:
    """Its cookie is taken back, and counts no more where somebody kept it."""
    sessions = Sessions(DrivenTime().clock, 8025)
    headers, response = _begun(sessions), Response()
    sessions.end(headers, response, is_secure=False)
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert _of(sessions, headers) is None


def test_the_session_that_was_used_longest_ago_gives_way() -> None:
    """Their number is bounded, however often somebody signs in."""
    sessions = Sessions(DrivenTime().clock, 8025)
    first, second = _begun(sessions), _begun(sessions)
    assert _of(sessions, first) is not None
    for _ in range(MOST_SESSIONS - 1):
        _begun(sessions)
    assert _of(sessions, second) is None
    assert _of(sessions, first) is not None
