"""A connection of a client, on uvicorn's HTTP/1.1, with a deadline for everything that the client does.

uvicorn itself waits for ever for a head, for a body and for a client that does not read.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from probe.model.values import dataclass
from probe.web.problems import problem_bytes

MOST_HEAD_BYTES = 16 * 1024
"""Of a request's head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPatience:
    """How long clients are waited for, in seconds; each for the whole of it, however often a byte comes."""

    head: float = 10.0
    """For the head of a request, since the connection or since its first byte."""
    body: float = 10.0
    """For the rest of a request."""
    response: float = 180.0
    """Until a response is made and handed over."""
    rest: float = 30.0
    """Until the client has taken what it was sent, or asks for something else. uvicorn ends the connection of one that has taken it before."""
    drain: int = 8
    """For all that is being answered when an end is asked for."""


class BoundedConnection(H11Protocol):
    """Ends the connection where one of the times is over."""

    def __init__(self, gone: Callable[[], None], patience: ClientPatience, **given: Any) -> None:
        """`gone` is called once the connection is lost; the rest is uvicorn's."""
        super().__init__(**given)
        self._gone, self._patience = gone, patience
        self._awaited: tuple[str, object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        """Whether what comes is no HTTP, and was answered as such."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await("head", self._patience.head)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()
        self._gone()

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        super().data_received(data)
        self._settle(begun=bool(data))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._settle(begun=False)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, or has too long a head, with problem details."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # another answer cannot begin within one that goes on, nor after one to half a request
            return
        wrong = sys.exception()
        is_too_long = isinstance(wrong, h11.RemoteProtocolError) and wrong.error_status_hint == 431
        status = 431 if is_too_long else 400
        body = problem_bytes(status, f"a request's head has at most {MOST_HEAD_BYTES} bytes" if is_too_long else "this is no HTTP request")
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        events = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        # A connection that is closed before all of it was read is reset, and the answer may be lost with it; so the client closes it, or its time is over.
        self._is_over = True

    def _settle(self, *, begun: bool) -> None:
        """See to it that the deadline is that of what is awaited now."""
        patience = self._patience
        if self._is_over:
            self._await("end", patience.body)
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if (is_answering and self.cycle.more_body) or (not is_answering and self.conn.their_state is h11.SEND_BODY):
            self._await("body", patience.body)
        elif is_answering:
            self._await("response", patience.response)
        elif begun or self.conn.trailing_data[0]:
            self._await("head", patience.head)
        else:
            self._await("rest", patience.rest)

    def _await(self, what: str, seconds: float) -> None:
        # Of one request each is awaited once; of the next, which may be there already, anew.
        awaited = (what, self.cycle)
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        self.transport.abort()
