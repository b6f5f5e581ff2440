"""Lends a library one end of a local socket pair, whose other end is our Stream.

So the library speaks the protocol, and the address, TLS, pace, bounds and transcript stay ours. At STARTTLS the
relay of SMTP holds back whatever comes after the server's go-ahead: the library never sees it, and we do.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import aiosmtplib

from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled
from probe.net.stream import Stream, TcpPipe
from probe.wire.lines import LineBuffer, WireError


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
        self._ended()
        self._near.transport.close()

    async def _next(self) -> bytes:
        """What the library gets next; nothing once the peer has closed."""
        return await self._stream.receive()

    def _ended(self) -> None:
        """Nothing more will come from the peer."""


class SmtpRelay(Relay):
    """A relay that stands still at STARTTLS."""

    def __init__(self, stream: Stream, near: TcpPipe, far: socket.socket) -> None:
        super().__init__(stream, near, far)
        self._holding = False
        self._released = asyncio.Event()
        self._held = asyncio.Event()
        self._held_back = b""

    def hold_after_reply(self) -> None:
        """Pass on one more SMTP reply, then nothing until `upgrade`."""
        self._holding = True
        self._held.clear()
        self._released.clear()

    async def upgrade(self) -> bytes:
        """Shake hands on the stream, then pass bytes on again. Gives what came in clear after the reply; if anything did, no handshake is tried."""
        await self._held.wait()
        extra = self._held_back + self._stream.take_unread()
        self._held_back = b""
        if not extra:
            await self._stream.start_tls()
            self._release()
        return extra

    def resume(self) -> None:
        """Pass bytes on again without an upgrade, after a reply that was no go-ahead."""
        if self._holding:
            self._release()

    def _release(self) -> None:
        self._holding = False
        self._released.set()

    def _ended(self) -> None:
        self._held.set()

    async def _next(self) -> bytes:
        data = await self._stream.receive()
        if not self._holding or not data:
            return data
        reply, self._held_back = await self._one_reply(data)
        await self._near.write(reply)
        self._held.set()
        await self._released.wait()
        rest, self._held_back = self._held_back, b""
        return rest or await self._stream.receive()

    async def _one_reply(self, data: bytes) -> tuple[bytes, bytes]:
        """Bytes up to the end of one SMTP reply, and those after it. A reply ends with a line whose fourth character is no hyphen."""
        lines, reply = LineBuffer(), b""
        lines.feed(data)
        while True:
            line = lines.next_line()
            if line is None:
                more = await self._stream.receive()
                if not more:
                    return reply + lines.take_rest(), b""
                lines.feed(more)
                continue
            reply += line + b"\r\n"
            if line[3:4] != b"-":
                return reply, lines.take_rest()


R = TypeVar("R", bound=Relay)


@asynccontextmanager
async def lend(stream: Stream, kind: Callable[[Stream, TcpPipe, socket.socket], R]) -> AsyncIterator[R]:
    """A relay of some kind over a stream, until the block ends."""
    near_socket, far_socket = socket.socketpair()
    near_socket.setblocking(False)
    far_socket.setblocking(False)
    _, near = await asyncio.get_running_loop().create_connection(TcpPipe, sock=near_socket)
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


@contextmanager
def smtp_failures(relay: Relay) -> Iterator[None]:
    """Within this, aiosmtplib's errors become ours. What the peer did to the stream itself goes before what the library made of it."""
    try:
        yield
    except aiosmtplib.SMTPResponseException as answered:
        if 400 <= answered.code <= 499:
            raise Throttled(f"the server says: not now: {answered.code} {_one_line(answered.message)}") from answered
        if answered.code == 554:
            raise Denied(f"the server refuses to serve: 554 {_one_line(answered.message)}") from answered
        raise OffProtocol(f"an answer that SMTP does not know there: {answered.code} {_one_line(answered.message)}") from answered
    except (aiosmtplib.SMTPException, ConnectionError) as failed:
        if relay.failure is not None:
            raise relay.failure from failed
        raise PeerClosed("the server closed the connection in the middle") from failed


def _one_line(message: str) -> str:
    return " ".join(message.split())[:200]
