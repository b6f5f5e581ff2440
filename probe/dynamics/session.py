"""Requests to one organization, one at a time, over a connection that is signed in.

Reading is bounded in bytes and time, and is repeated where the server asks for patience (429, 503), or where it closed a connection that stood idle;
never otherwise. A change is sent once: see `WebApiSession.patch`. Nothing that a server says is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType

from probe.dynamics.signing_in import SignIn
from probe.model.estate import OrganizationUrl
from probe.net.dial import Dial
from probe.net.failures import OffProtocol, PeerClosed, PeerFailure
from probe.net.http_exchange import HttpConnection, HttpResponse, patience, seconds_to_wait
from probe.net.stream import Stream

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""Of one answer. A page of 500 mailboxes has about 1 MiB, and 4 where each has an error and a URL as long as Dynamics keeps them."""
MAX_CONNECTION_BYTES = 2 * 1024 * 1024 * 1024
"""Over one connection: what a thousand such pages may take, and no end."""
REQUEST_SECONDS = 120.0
"""For one answer, signing in included; Dynamics gives its database 30 to 120 s (learn.microsoft.com, "OLEDBTimeout")."""
MAX_PAUSES = 4
"""How often one request is put off."""
MAX_PAUSE_SECONDS = 300.0
"""In all, for one request: the window over which Dynamics counts requests (learn.microsoft.com, "Service protection API limits")."""
PAUSE_SECONDS = 10.0
"""Where a server asks for patience and does not say for how long."""

_ACCEPT = "application/json"
_HEADERS = (("OData-MaxVersion", "4.0"), ("OData-Version", "4.0"))
_READS = ("If-None-Match", "null")
"""So that no cache on the way answers (learn.microsoft.com, "Compose HTTP requests and handle errors")."""

Headers = Sequence[tuple[str, str]]


class Lost(Exception):
    """A change was sent, or may have been, and no answer tells what came of it. The message says what happened."""


class WebApiSession:
    """`async with` it: leaving closes the connection."""

    def __init__(
        self, url: OrganizationUrl, sign_in: SignIn, dial: Dial, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._url = url
        self._sign_in = sign_in
        self._dial = dial
        self._sleep = sleep
        self._stack = AsyncExitStack()
        self._http: HttpConnection | None = None
        self._stream: Stream
        self._is_signed_in = False
        self.requests = 0
        """Requests that were sent, those that sign in included."""

    async def __aenter__(self) -> WebApiSession:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that is signed in and takes another request."""
        return self._http is not None and self._is_signed_in and self._http.keeps_alive

    async def get(self, target: str, headers: Headers = ()) -> HttpResponse:
        """The answer to a request that reads, whatever it says, save that the server asks for patience longer than is waited. Raises PeerFailure."""
        waited = 0.0
        for _ in range(MAX_PAUSES + 1):
            answer = await self._read(target, headers)
            if (pause := pause_of(answer)) is None:
                return answer
            waited += pause
            if waited > MAX_PAUSE_SECONDS:
                break
            await self._put_off(pause)
        await self._close()
        raise patience(answer.status, answer.header("Retry-After"), answer.header("Date"))

    async def patch(self, target: str, body: bytes, headers: Headers, before: Callable[[], Awaitable[bool]]) -> HttpResponse | None:
        """Send a change over a connection that reading has signed in. Gives the answer; None where it was not to be sent.

        `before` reads what is to be changed, and says whether it still is to be. It is awaited before the change is sent, and again wherever the server
        has refused it by 429 or 503; only then is it sent again. Raises Lost where the change left and no answer came.
        """
        waited = 0.0
        for _ in range(MAX_PAUSES + 1):
            if not await before():
                return None
            if not self.is_open:
                raise OffProtocol(
                    "the server closes the connection after each answer, so no change can follow a read over the same connection"
                )
            answer = await self._send_change(target, body, headers)
            if (pause := pause_of(answer)) is None:
                return answer
            waited += pause
            if waited > MAX_PAUSE_SECONDS:
                break
            await self._put_off(pause)
        raise patience(answer.status, answer.header("Retry-After"), answer.header("Date"))

    async def _send_change(self, target: str, body: bytes, headers: Headers) -> HttpResponse:
        authorization = await self._sign_in.later(self._stream)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await self._ask("PATCH", target, headers, authorization, body)
        except (PeerFailure, OSError, TimeoutError) as lost:
            await self._close()
            raise Lost(str(lost) or type(lost).__name__) from lost

    async def _read(self, target: str, headers: Headers) -> HttpResponse:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                was_open = self.is_open
                try:
                    return await self._read_once(target, headers)
                except (PeerClosed, ConnectionError):
                    # IIS closes what stood idle for two minutes, and may do so while we ask. An answer that breaks off is another matter.
                    if not (was_open and self._http is not None and self._http.is_unanswered):
                        raise
                    self._dial.note("the server closed the idle connection: repeated over another")
                await self._close()
                return await self._read_once(target, headers)
        except TimeoutError as late:
            await self._close()
            raise TimeoutError(str(late) or f"Dynamics gave no complete answer within {REQUEST_SECONDS:g} s") from late
        except Exception:
            await self._close()
            raise

    async def _read_once(self, target: str, headers: Headers) -> HttpResponse:
        if self._http is None or not self._http.keeps_alive:
            await self._connect()

        async def ask(authorization: str | None) -> HttpResponse:
            return await self._ask("GET", target, (_READS, *headers), authorization)

        if not self._is_signed_in:
            answer, self._is_signed_in = await self._sign_in.first(ask, self._stream)
            return answer
        answer = await ask(await self._sign_in.later(self._stream))
        if answer.status == 401 and (ticket := await self._sign_in.again(answer, self._stream)) is not None:
            answer = await ask(ticket)
        return answer

    async def _connect(self) -> None:
        await self._close()
        if self._url.is_plain:
            self._stream = await self._stack.enter_async_context(self._dial.open_bare(recorded=False, most_bytes=MAX_CONNECTION_BYTES))
        else:
            self._stream = await self._stack.enter_async_context(self._dial.open_trusted(recorded=False, most_bytes=MAX_CONNECTION_BYTES))
        self._http = HttpConnection(self._stream, self._url.origin.partition("://")[2], MAX_PAGE_BYTES)
        self._is_signed_in = False

    async def _ask(self, method: str, target: str, headers: Headers, authorization: str | None, body: bytes = b"") -> HttpResponse:
        http = self._http
        if http is None or not http.keeps_alive:
            raise PeerClosed("the server closed the connection in the middle of signing in")
        given = [*_HEADERS, *headers] + ([] if authorization is None else [("Authorization", authorization)])
        self.requests += 1
        try:
            answer = await http.answer(await http.ask(method, target, headers=given, body=body, accept=_ACCEPT))
        except Exception:
            await self._sign_in.settle(None)
            raise
        scheme = "" if authorization is None else f" ({authorization.partition(' ')[0]})"
        self._dial.note(f"{method} {target[:200]}{scheme}: HTTP {answer.status}, {len(answer.body)} bytes")
        await self._sign_in.settle(answer)
        return answer

    async def _put_off(self, seconds: float) -> None:
        self._dial.note(f"the server asks for patience: once more after {seconds:g} s")
        await self._sleep(seconds)

    async def _close(self) -> None:
        self._http = None
        self._is_signed_in = False
        await self._stack.aclose()
        await self._sign_in.settle(None)


def pause_of(answer: HttpResponse) -> float | None:
    """Seconds that a server asks to wait before the request is sent again; None where it does not ask (RFC 9110 section 10.2.3)."""
    if answer.status not in (429, 503):
        return None
    pause = seconds_to_wait(answer.header("Retry-After") or "", answer.header("Date"))
    return PAUSE_SECONDS if pause is None else pause
