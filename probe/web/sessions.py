"""Sessions of people: a cookie got by a token, kept in memory alone, so that a restart ends them, as revoking the token does."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response

from probe.web.tokens import Token

UNUSED = timedelta(hours=12)
"""After which without a request a session ends."""
LONGEST = timedelta(days=7)
MOST_SESSIONS = 1000
"""The one that was used longest ago is ended first."""
_MOST_COOKIES = 4096
"""Characters of a header of cookies that is read."""


class Session(NamedTuple):
    """Somebody who signed in with a token."""

    token: Token
    csrf: str
    """What each of its forms sends along, so that no page of another site can send one."""
    began: datetime

    def sent(self, shown: str) -> bool:
        """Whether a form that shows this is one of the session's own."""
        return hmac.compare_digest(self.csrf.encode(), shown.encode("utf-8", "replace"))


class Sessions:
    """The sessions that last."""

    def __init__(self, clock: Callable[[], datetime], port: int) -> None:
        """`clock` gives the time in UTC. The port tells services on one machine apart, whose cookies browsers keep together."""
        self._clock = clock
        self._port = port
        self._by_digest: OrderedDict[bytes, tuple[Session, datetime]] = OrderedDict()

    def begin(self, token: Token, response: Response, *, is_secure: bool) -> None:
        """Begin a session, whose cookie goes with a response. `is_secure`: whether the listener speaks TLS."""
        shown, now = secrets.token_urlsafe(32), self._clock()
        self._by_digest[_digest(shown)] = (Session(token, secrets.token_urlsafe(32), now), now)
        while len(self._by_digest) > MOST_SESSIONS:
            self._by_digest.popitem(last=False)
        response.set_cookie(self._cookie(is_secure=is_secure), shown, path="/", secure=is_secure, httponly=True, samesite="strict")

    def of(self, headers: Headers, *, is_secure: bool) -> Session | None:
        """The session that a request's cookie names; None where there is none, or none any more."""
        shown = self._shown(headers, is_secure=is_secure)
        digest, now = _digest(shown), self._clock()
        session, used = self._by_digest.get(digest, (None, now))
        if session is None:
            return None
        if now - used > UNUSED or now - session.began > LONGEST:
            del self._by_digest[digest]
            return None
        self._by_digest[digest] = (session, now)
        self._by_digest.move_to_end(digest)
        return session

    def end(self, headers: Headers, response: Response, *, is_secure: bool) -> None:
        """End the session of a request, and take its cookie back."""
        self._by_digest.pop(_digest(self._shown(headers, is_secure=is_secure)), None)
        response.delete_cookie(self._cookie(is_secure=is_secure), path="/", secure=is_secure, httponly=True, samesite="strict")

    def _cookie(self, *, is_secure: bool) -> str:
        # A browser takes a name that begins so over TLS alone, and from no other host of the domain.
        return f"__Host-probe-{self._port}" if is_secure else f"probe-{self._port}"

    def _shown(self, headers: Headers, *, is_secure: bool) -> str:
        name, given = self._cookie(is_secure=is_secure), headers.get("cookie", "")
        if name not in given or len(given) > _MOST_COOKIES:
            return ""
        try:
            found = SimpleCookie(given).get(name)
        except CookieError:
            return ""
        return "" if found is None else found.value


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "replace")).digest()
