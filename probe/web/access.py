"""Who may ask for what: the Host that was named, whether the request comes from loopback, tokens and their scopes, and how often somebody asks."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from starlette.datastructures import Headers

from probe.memory.folder import MemoryUnavailable
from probe.net.listening import is_loopback
from probe.net.threads import in_thread
from probe.web.problems import RequestProblem
from probe.web.sessions import Session, Sessions
from probe.web.tokens import MOST_CHARACTERS, USE_KEPT_EACH, StoredToken, Token, Tokens, TokenScope, matching

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>[0-9]{1,5}))?")
"""A Host header: a name or an address, and a port."""
_PASSED_ON = frozenset({"forwarded", "via", "x-real-ip"})
"""Headers of a proxy, besides those that begin with x-forwarded-: who sent the request is then not known."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/v1/"
"""What the paths of the API begin with. A cookie alone has nothing done there: what a browser sends by itself proves no intent."""
SIGN_IN, SIGN_OUT, FILES = "/login", "/logout", "/static/"
"""Where people sign in and out, and the files of the page, which are the program's own and everybody's."""
_READ_AGAIN_SECONDS = 10.0
"""After which the tokens are read again, though their file seems to be as it was."""
_CHALLENGE = 'Bearer realm="probe"'

_log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Who asks."""

    name: str | None
    """Of the token; None for a reader on loopback, and for whoever is about to sign in."""
    scope: TokenScope
    session: Session | None = None
    """Of somebody who signed in on the page."""


class RequestBudget(NamedTuple):
    """How often something may be done: so many at once, and then so many a second."""

    burst: float
    per_second: float


READERS = RequestBudget(200, 100)
"""For each token, and for each address that reads without one."""
CHECKERS = RequestBudget(100, 0.5)
"""The same for requests that have something done, be it that nothing is. What is done for them at a time is bounded by `Jobs`."""
STRANGERS = RequestBudget(100, 5)
"""For each address, of requests that show no valid token where one is wanted. A program that has lost its token shall not keep people of its machine from signing in."""


class Rates:
    """Token buckets, by whoever they are counted for."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds since any moment."""
        self._monotonic = monotonic
        self._left: OrderedDict[tuple[RequestBudget, str], tuple[float, float]] = OrderedDict()

    def take(self, budget: RequestBudget, whose: str) -> None:
        """Take one. Raises RequestProblem (429) where none is left, with the seconds after which there is."""
        now = self._monotonic()
        left, since = self._left.get((budget, whose), (budget.burst, now))
        left = min(budget.burst, left + (now - since) * budget.per_second)
        if left < 1:
            seconds = math.ceil((1 - left) / budget.per_second)
            raise RequestProblem(429, f"too many requests; ask again in {seconds} s", {"Retry-After": str(seconds)})
        self._left[budget, whose] = (left - 1, now)
        self._left.move_to_end((budget, whose))
        if len(self._left) > _MOST_COUNTED:
            self._left.popitem(last=False)


_MOST_COUNTED = 4096
"""Tokens and addresses; whoever asked longest ago is forgotten, and may ask as often as at first."""


class _TokenReader:
    """The tokens as they are now, read when their file was written to."""

    def __init__(self, tokens: Tokens, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._tokens, self._clock, self._monotonic = tokens, clock, monotonic
        self._known: Sequence[StoredToken] = ()
        self._stamp: tuple[int, ...] | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()
        self._noted: dict[str, datetime] = {}

    async def named_by(self, shown: str) -> Token | None:
        """The token that was shown; None where it is none. Raises RequestProblem (503)."""
        return await self._used(lambda known: matching(known, shown))

    async def still(self, token: Token) -> Token | None:
        """A token as it is now; None where it was revoked, be it that another has its name since. Raises RequestProblem (503)."""
        same = (token.name, token.created)
        return await self._used(lambda known: next((one.token for one in known if (one.token.name, one.token.created) == same), None))

    async def _used(self, find: Callable[[Sequence[StoredToken]], Token | None]) -> Token | None:
        """The token that is found among those that there are, whose use is kept."""
        async with self._reading:
            await self._refresh()
        found = find(self._known)
        if found is not None:
            await self._note_use(found.name)
        return found

    async def _refresh(self) -> None:
        stamp: tuple[int, ...] | None = None
        try:
            stamp = self._tokens.stamp()
            if stamp == self._stamp and self._monotonic() - self._read_at <= _READ_AGAIN_SECONDS:
                return
            self._known = await in_thread(self._tokens.known, "tokens")
        except MemoryUnavailable as unavailable:
            _log.error("the tokens cannot be read", extra={"error": str(unavailable)})
            # As long as the file is as it was when it was read, none was revoked, and nobody else has written to it.
            if stamp is None or stamp != self._stamp:
                raise RequestProblem(503, "the tokens cannot be read; the service's log says why", {"Retry-After": "10"}) from None
        self._stamp, self._read_at = stamp, self._monotonic()

    async def _note_use(self, name: str) -> None:
        now, noted = self._clock(), self._noted.get(name)
        # A clock that was set back must not keep the time of use from being written.
        if noted is None or abs(now - noted) >= USE_KEPT_EACH:
            self._noted[name] = now
            try:
                await in_thread(lambda: self._tokens.note_use(name, now), "tokens")
            except MemoryUnavailable as unavailable:  # a full disk is no reason to let nobody in
                _log.warning("the last use of a token is not kept", extra={"token": name, "error": str(unavailable)})


class Hosts:
    """The names under which the listener may be asked for."""

    def __init__(self, is_name: Callable[[str], bool], port: int) -> None:
        """`is_name` says whether a host, an IPv6 address without brackets, is one of ours."""
        self._is_name = is_name
        self._ports = ("", str(port))

    def has(self, host: str) -> bool:
        """Whether a Host header names the listener: a name of it, and its port or none."""
        found = _HOST.fullmatch(host)
        return found is not None and (found["port"] or "") in self._ports and self._is_name((found["six"] or found["name"]).lower())


def is_local_name(host: str) -> bool:
    """Whether a host is a name of loopback."""
    return host in LOCAL_HOSTS


class Gatekeeper:
    """Says of each request who asks, or why it is not answered."""

    def __init__(
        self,
        tokens: Tokens,
        hosts: Hosts,
        sessions: Sessions,
        *,
        on_loopback: bool,
        require_token: bool,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """`on_loopback`: whether the port is bound to loopback. `require_token`: whether readers there want a token too."""
        self._tokens = _TokenReader(tokens, clock, monotonic)
        self._on_loopback, self._require_token = on_loopback, require_token
        self._hosts, self._rates = hosts, Rates(monotonic)
        self.sessions = sessions

    async def admit(self, method: str, path: str, headers: Headers, client: str, *, is_secure: bool) -> Caller:
        """Who asks. `client` is the address of the connection, `is_secure` whether it speaks TLS. Raises RequestProblem."""
        wanted = TokenScope.READ if method in _READING or path == SIGN_OUT else TokenScope.CHECK
        is_named = self._hosts.has(headers.get("host", ""))
        if not self._on_loopback and not is_named:
            raise RequestProblem(421, "this service has another name; ask for it by a name of its certificate")
        shown = _shown_token(headers)
        if shown is None:
            if is_named and (path == SIGN_IN or (path.startswith(FILES) and method in _READING)):
                self._rates.take(READERS if method in _READING else STRANGERS, client)
                return Caller(None, TokenScope.READ)
            if is_named and (method in _READING or not path.startswith(API)) and not _is_of_another_site(headers):
                session = self.sessions.of(headers, is_secure=is_secure)
                token = None if session is None else await self._tokens.still(session.token)
                if token is not None:
                    self._check(token, wanted)
                    return Caller(token.name, token.scope, session)
            if wanted is TokenScope.READ and not self._require_token and is_named and self._is_local(headers, client):
                self._rates.take(READERS, client)
                return Caller(None, TokenScope.READ)
            self._rates.take(STRANGERS, client)
            raise RequestProblem(401, "a token is wanted: Authorization: Bearer TOKEN", {"WWW-Authenticate": _CHALLENGE})
        token = await self._tokens.named_by(shown)
        if token is None:
            self._rates.take(STRANGERS, client)
            raise RequestProblem(401, "this is no valid token", {"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'})
        self._check(token, wanted)
        return Caller(token.name, token.scope)

    async def sign_in(self, shown: str) -> Token | None:
        """The token that somebody shows on the page; None where it is none. Raises RequestProblem (503)."""
        return await self._tokens.named_by(shown) if 0 < len(shown) <= MOST_CHARACTERS else None

    def _check(self, token: Token, wanted: TokenScope) -> None:
        """See to it that a token is not used too often, nor for what it is not for. Raises RequestProblem."""
        self._rates.take(READERS if wanted is TokenScope.READ else CHECKERS, f"token {token.name}")
        if not token.scope.includes(wanted):
            challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{wanted}"'
            raise RequestProblem(403, f"a token of scope {wanted} is wanted; this one has {token.scope}", {"WWW-Authenticate": challenge})

    def _is_local(self, headers: Headers, client: str) -> bool:
        """Whether a request was sent by a program of this machine, for all that can be seen: no proxy passed it on, no page of another site had it sent."""
        is_passed_on = any(name in _PASSED_ON or name.startswith("x-forwarded") for name in headers)
        return self._on_loopback and is_loopback(client) and not is_passed_on and not _is_of_another_site(headers)


def _is_of_another_site(headers: Headers) -> bool:
    """Whether a page of another site has a browser ask. A link that somebody follows may lead here from anywhere."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"


def _shown_token(headers: Headers) -> str | None:
    """The token of the one Authorization header; None where there is none. Raises RequestProblem (401)."""
    given = headers.getlist("authorization")
    if not given:
        return None
    kind, _, token = given[0].partition(" ")
    if len(given) > 1 or kind.lower() != "bearer" or not token or len(token) > MOST_CHARACTERS:
        raise RequestProblem(401, "the only way to sign in is Authorization: Bearer TOKEN", {"WWW-Authenticate": _CHALLENGE})
    return token.strip()
