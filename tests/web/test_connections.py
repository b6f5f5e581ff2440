"""A connection of a client by itself, under an application that a test chooses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from probe.net.listening import ClientLimits, ListeningPort
from probe.web.connections import BoundedConnection, ClientPatience

LARGE = b"x" * 30_000_000
"""More than systems keep of a connection."""


async def large(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers with a large body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(LARGE)).encode())]})
    await send({"type": "http.response.body", "body": LARGE})


@asynccontextmanager
async def served(app: Any, patience: ClientPatience, most: int = 1) -> AsyncIterator[int]:
    """The port on which an application is served; so many connections at a time."""
    config = uvicorn.Config(app, http="h11", ws="none", interface="asgi3", log_config=None, lifespan="off")
    config.load()
    port, state, stop = ListeningPort("127.0.0.1", 0), ServerState(), asyncio.Event()

    def made(gone: Callable[[], None]) -> BoundedConnection:
        return BoundedConnection(gone, patience, config=config, server_state=state, app_state={})

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(port.serve(made, None, ClientLimits(most=most, most_of_one=most, handshake_seconds=1), stop))
        yield port.port
        stop.set()
        await asyncio.wait([serving], timeout=1)
        serving.cancel()


async def one_line(port: int) -> tuple[bytes, socket.socket]:
    """The first line of a response, and its connection, on which nothing more is read."""
    loop, connection = asyncio.get_running_loop(), socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(connection, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return await loop.sock_recv(connection, 12), connection


async def test_who_does_not_read_is_left() -> None:
    """A response that nobody takes is not kept for ever: the only place is free again once its time is over."""
    hasty = replace(ClientPatience(), response=1.0, rest=1.0)
    async with served(large, hasty) as port:
        first, held = await one_line(port)
        second, other = await one_line(port)
        assert first == second == b"HTTP/1.1 200"
        held.close()
        other.close()
