"""Servers on loopback that misbehave, each in one way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Hostile:
    """A server that says something at once, and then goes on saying it."""

    greeting: bytes = b""
    """Said at once."""
    again: bytes = b""
    """Said again and again."""
    pause: float = 0.0
    """Seconds between."""
    then: str = "wait"
    """`wait`, `close` or `reset` after the greeting."""
    port: int = 0
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    heard: bytearray = field(default_factory=bytearray)
    """The beginning of what clients said, all of them together."""
    open: set[asyncio.Transport] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is connected any more."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Hostile]:
        server = await asyncio.get_running_loop().create_server(lambda: _Talker(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in self.open:
                transport.abort()
            await server.wait_closed()


class _Talker(asyncio.Protocol):
    def __init__(self, server: Hostile) -> None:
        self._server = server
        self._may_write = True
        self._later: asyncio.TimerHandle | asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        server = self._server
        server.open.add(self._transport)
        server.connections += 1
        server.at_once += 1
        server.idle.clear()
        server.most_at_once = max(server.most_at_once, server.at_once)
        self._transport.write(server.greeting)
        if server.then == "reset":
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._soon(self._transport.abort)
        elif server.then == "close":
            self._transport.close()
        elif server.again:
            self._say()

    def _say(self) -> None:
        if self._transport.is_closing():
            return
        if self._may_write:
            self._transport.write(self._server.again)
        self._soon(self._say)

    def _soon(self, call: Callable[[], None]) -> None:
        self._later = asyncio.get_running_loop().call_later(self._server.pause, call)

    def data_received(self, data: bytes) -> None:
        self._server.heard += data[: max(0, 4096 - len(self._server.heard))]

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True

    def connection_lost(self, failure: Exception | None) -> None:
        self._server.at_once -= 1
        self._server.open.discard(self._transport)
        if not self._server.at_once:
            self._server.idle.set()
        if self._later is not None:
            self._later.cancel()


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
