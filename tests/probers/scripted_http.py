"""An HTTPS server on loopback that says exactly these bytes to these requests, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from tests.looking import server_context

POST = "POST /EWS/Exchange.asmx"
OWA = "GET /owa/auth/logon.aspx"
WITHOUT_TOKEN = f"{POST} (no token)"
"""The same with an empty token; answered as the other where nothing else is said."""
ACTIVESYNC = "OPTIONS /Microsoft-Server-ActiveSync (no token)"
AUTODISCOVER = "GET /autodiscover/autodiscover.xml"
FEDERATION = "POST /autodiscover/autodiscover.svc"
MAPI = "GET /mapi/nspi/"
EXPORT_TOOL = "GET /ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application"

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nServer: Microsoft-IIS/10.0\r\nContent-Length: 9\r\n\r\nNot Found"
HANG_UP = b""
"""Closes the connection instead of an answer."""


def answer(status: str, *headers: str, body: str = "") -> bytes:
    """An answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body.encode())}", "", ""]
    return "\r\n".join(lines).encode() + body.encode()


class HttpPeer:
    """Answers each request by its method and path; None is silence, and what it does not know is not found."""

    def __init__(self, answers: Mapping[str, bytes | None], *, requests_per_connection: int, most_connections: int, drips: bool) -> None:
        self.answers = answers
        self.most_connections = most_connections
        """With the last of them it stops listening."""
        self.requests_per_connection = requests_per_connection
        """After so many a connection is closed without a word of warning."""
        self.drips = drips
        """Whether answers go out byte by byte."""
        self.asked: list[str] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.stop_listening: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/EWS/Exchange.asmx"


class _Player(asyncio.Protocol):
    def __init__(self, peer: HttpPeer, opened: set[asyncio.Transport]) -> None:
        self._peer = peer
        self._opened = opened
        self._heard = b""
        self._served = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self._transport)
        self._peer.connections += 1
        if self._peer.connections == self._peer.most_connections:
            self._peer.stop_listening()

    def connection_lost(self, failure: Exception | None) -> None:
        self._opened.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        if not end or len(rest) < length:
            return
        self._heard = rest[length:]
        self._peer.requests.append(head + end + rest[:length])
        is_empty = b"\r\nauthorization: bearer\r\n" in head.lower() + b"\r\n"
        self._serve(" ".join(head.decode().split(" ")[:2]), " (no token)" if is_empty else "")

    def _serve(self, asked: str, variant: str) -> None:
        self._peer.asked.append(asked + variant)
        said = self._peer.answers.get(asked + variant, self._peer.answers.get(asked, NOT_FOUND))
        if said is None:
            return
        for piece in [said[n : n + 1] for n in range(len(said))] if self._peer.drips else [said]:
            self._transport.write(piece)
        self._served += 1
        if not said or self._served >= self._peer.requests_per_connection:
            self._transport.close()


@asynccontextmanager
async def serving(
    answers: Mapping[str, bytes | None],
    *,
    requests_per_connection: int = 100,
    connections: int = 100,
    drips: bool = False,
    certificate: str = "trusted",
) -> AsyncIterator[HttpPeer]:
    """A server that gives these answers."""
    peer = HttpPeer(answers, requests_per_connection=requests_per_connection, most_connections=connections, drips=drips)
    opened: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Player(peer, opened), "127.0.0.1", 0, ssl=server_context(certificate))
    peer.stop_listening = server.close
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for transport in opened:
            transport.abort()
        await server.wait_closed()
