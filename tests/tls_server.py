"""A TLS server on loopback whose way to refuse, and whose limits, a test chooses. It counts its connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal, cast

from tests.looking import server_context

Manner = Literal["serve", "close", "reset", "silent", "alert-80", "garbage", "close-at-once"]
"""What is done with a connection: `serve` shakes hands as OpenSSL does, `close` ends it once the hello is there."""


class TlsServer:
    """`manner` says for each connection, numbered from 1, how it is treated; `says_no` is the server's own way to refuse a hello."""

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        manner: Callable[[int], Manner] = lambda number: "serve",
        says_no: Literal["alert", "close", "reset"] = "alert",
    ) -> None:
        self.context = context or server_context()
        self.manner = manner
        self.says_no = says_no
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.port = 0
        self.open: set[asyncio.Transport] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[TlsServer]:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in list(self.open):
                transport.abort()
            await server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, server: TlsServer) -> None:
        self._server = server
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server.context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        self._transport = cast("asyncio.Transport", transport)
        server.open.add(self._transport)
        server.connections += 1
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        self._manner: Manner = server.manner(server.connections)
        if self._manner == "close-at-once":
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        match self._manner:
            case "serve":
                self._shake_hands(data)
            case "alert-80":
                self._transport.write(b"\x15\x03\x03\x00\x02\x02\x50")
                self._transport.close()
            case "garbage":
                self._transport.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                self._transport.close()
            case "close" | "reset" | "close-at-once":
                self._end(self._manner)
            case "silent":
                pass

    def _shake_hands(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            if self._server.says_no == "alert":
                self._transport.write(self._outgoing.read())
                self._transport.close()
            else:
                self._end(self._server.says_no)
            return
        self._transport.write(self._outgoing.read())

    def _end(self, how: str) -> None:
        if how == "reset":
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    def connection_lost(self, failure: Exception | None) -> None:
        self._server.at_once -= 1
        self._server.open.discard(self._transport)
