"""The part of an HTTP/1.1 server that clients of IIS need: persistent connections, bodies with a length or in chunks."""

from __future__ import annotations

import asyncio
import ssl
from abc import abstractmethod
from dataclasses import field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from probe.model.values import dataclass
from probe.simulation.listening import Conversation, Server

# http.sys refuses a header section beyond 16 KiB and IIS a body beyond what is set; EWS requests here are a few KiB.
HEADER_LIMIT = 16384
BODY_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a client."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    persistent: bool = True
    connection: dict[str, Any] = field(default_factory=dict)
    """The state of the connection that is kept between requests; NTLM signs in the connection."""

    @property
    def path(self) -> str:
        """The path in lower case, because IIS ignores case."""
        return self.target.partition("?")[0].lower()

    def header(self, name: str) -> str:
        """The value of a header, empty where it was not sent."""
        return next((value for header, value in self.headers if header.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Response:
    """A response. Date, length and Connection are added when it is sent."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    withheld: int = 0
    """How many bytes at its end are not sent: the connection ends instead."""
    chunked: bool = False
    """Whether the body comes in chunks, rather than with its length declared."""
    pause: float = 0.0
    """Seconds before every byte of the body, where it is sent byte by byte."""


class WebServer(Server):
    """A server that answers each HTTP request independently."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls, implicit=tls is not None)

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """The response to a request."""

    def converse(self) -> Conversation:
        return _WebConversation(self)


class _Unreadable(Exception):
    """The request is not HTTP, or not within the limits."""


class _WebConversation(Conversation):
    def __init__(self, server: WebServer) -> None:
        super().__init__(server)
        self._web = server
        self._unread = b""
        self._head: Request | None = None
        self._state: dict[str, Any] = {}

    def received(self, data: bytes) -> None:
        self._unread += data
        try:
            while self.is_open and (request := self._take()) is not None:
                self._send(request, self._web.answer(request))
        except _Unreadable:
            # As http.sys answers before IIS or Exchange get the request.
            refusal = Response(
                400, (("Content-Type", "text/html; charset=us-ascii"), ("Server", "Microsoft-HTTPAPI/2.0")), b"<h2>Bad Request</h2>"
            )
            self._send(Request("GET", "/", (), persistent=False), refusal)

    def _take(self) -> Request | None:
        """The next request; None while it is incomplete."""
        if self._head is None:
            end = self._unread.find(b"\r\n\r\n")
            if max(end, len(self._unread) if end < 0 else 0) > HEADER_LIMIT:
                raise _Unreadable
            if end < 0:
                return None
            head, self._unread = self._unread[:end], self._unread[end + 4 :]
            self._head = self._read_head(head)
            if self._head.header("Expect").lower() == "100-continue":
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._take_chunks() if "chunked" in self._head.header("Transfer-Encoding").lower() else self._take_counted()
        if body is None:
            return None
        head_read, self._head = self._head, None
        return Request(head_read.method, head_read.target, head_read.headers, body, head_read.persistent, self._state)

    def _read_head(self, head: bytes) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        self._web.heard(first.encode("latin-1"))
        words = first.split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.0", "HTTP/1.1") or not words[1].startswith("/"):
            raise _Unreadable
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        for line in lines:
            self._web.heard(line.encode("latin-1"))
        request = Request(words[0], words[1], headers)
        if words[2] == "HTTP/1.1" and not request.header("Host"):
            raise _Unreadable
        wish = request.header("Connection").lower()
        persistent = "close" not in wish and (words[2] == "HTTP/1.1" or "keep-alive" in wish)
        return Request(words[0], words[1], headers, persistent=persistent)

    def _take_counted(self) -> bytes | None:
        length = (self._head.header("Content-Length") if self._head else "") or "0"
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            raise _Unreadable
        if len(self._unread) < int(length):
            return None
        body, self._unread = self._unread[: int(length)], self._unread[int(length) :]
        return body

    def _take_chunks(self) -> bytes | None:
        body, rest = b"", self._unread
        while True:
            size_line, found, rest = rest.partition(b"\r\n")
            if not found:
                break
            try:
                size = int(size_line.partition(b";")[0], 16)
            except ValueError:
                raise _Unreadable from None
            if not 0 <= size <= BODY_LIMIT - len(body):
                raise _Unreadable
            if len(rest) < size + 2:
                break
            body, rest = body + rest[:size], rest[size + 2 :]
            if size == 0:
                self._unread = rest
                return body
        if len(self._unread) > 2 * BODY_LIMIT:
            raise _Unreadable
        return None

    def _send(self, request: Request, response: Response) -> None:
        own = [("Date", formatdate(usegmt=True))]
        if response.chunked:
            own.append(("Transfer-Encoding", "chunked"))
        elif response.status != HTTPStatus.NO_CONTENT:  # RFC 9110 section 8.6
            own.append(("Content-Length", str(len(response.body))))
        if not request.persistent:
            own.append(("Connection", "close"))
        phrase = HTTPStatus(response.status).phrase
        lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{n}: {v}" for n, v in (*response.headers, *own))]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        body = b"" if request.method == "HEAD" else _in_chunks(response.body) if response.chunked else response.body
        if response.pause:
            self.send(head)
            self._send_slowly(body, response.pause, request.persistent)
            return
        message = head + body
        self.send(message[: max(len(message) - response.withheld, 0)])
        if response.withheld or not request.persistent:
            self.close()

    def _send_slowly(self, body: bytes, pause: float, persistent: bool) -> None:
        if body and self.is_open:
            self.send(body[:1])
            asyncio.get_running_loop().call_later(pause, self._send_slowly, body[1:], pause, persistent)
        elif not persistent:
            self.close()


def _in_chunks(body: bytes) -> bytes:
    """A body in two chunks, where it has two bytes (RFC 9112 section 7.1)."""
    pieces = filter(None, (body[: len(body) // 2], body[len(body) // 2 :]))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
