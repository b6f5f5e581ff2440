"""Lends a library one end of a local socket pair, whose other end is our Stream.

So the library speaks the protocol, while address, TLS, pace, bounds and transcript stay under our control.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from probe.net.failures import PeerFailure
from probe.net.stream import Stream, TcpPipe
from probe.wire.lines import WireError


class Relay:
    """Bytes from the library to the stream and back."""

    def __init__(self, stream: Stream, near: TcpPipe, far: socket.socket) -> None:
        self._stream = stream
        self._near = near
        self.library_end = far
        """The socket to hand to the library."""
        self.failure: Exception | None = None
        """Why the peer's side ended, where it ended otherwise than by closing."""

    async def pump_out(self) -> None:
        """Bytes from the library to the peer, until it closes its end."""
        while data := await self._near.read():
            await self._stream.send(data)

    async def pump_in(self) -> None:
        """Bytes from the peer to the library, until the peer closes."""
        try:
            while data := await self._next():
                await self._near.write(data)
        except (OSError, PeerFailure, WireError) as failed:
            self.failure = failed
        self._near.transport.close()

    async def _next(self) -> bytes:
        """What the library gets next; nothing once the peer has closed."""
        return await self._stream.receive()


R = TypeVar("R", bound=Relay)


@asynccontextmanager
async def lend(stream: Stream, kind: Callable[[Stream, TcpPipe, socket.socket], R]) -> AsyncIterator[R]:
    """A relay of some kind over a stream, until the block ends."""
    near_socket, far_socket = socket.socketpair()
    near_socket.setblocking(False)
    far_socket.setblocking(False)
    try:
        _, near = await asyncio.get_running_loop().create_connection(TcpPipe, sock=near_socket)
    except BaseException:  # cancelled while the loop takes the socket over
        near_socket.close()
        far_socket.close()
        raise
    relay = kind(stream, near, far_socket)
    try:
        async with asyncio.TaskGroup() as group:
            pumps = [group.create_task(relay.pump_out()), group.create_task(relay.pump_in())]
            try:
                yield relay
            finally:
                for pump in pumps:
                    pump.cancel()
    except BaseExceptionGroup as group_of_one:
        # What the block raised is what the caller must see, not the group around it.
        raise group_of_one.exceptions[0] from None
    finally:
        near.transport.abort()
        far_socket.close()
