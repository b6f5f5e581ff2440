"""Lends a library one end of a local socket pair, whose other end is our Stream.

So the library speaks the protocol, and the address, TLS, pace, bounds and transcript stay ours. Replies of SMTP are read by our own reader
before the library gets them: what comes after the server's go-ahead to STARTTLS it never sees, and we do.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TypeVar

from probe.net.failures import PeerClosed, PeerFailure
from probe.net.replies import hear
from probe.net.starttls import refused_service
from probe.net.stream import Stream, TcpPipe
from probe.wire.lines import WireError
from probe.wire.smtp import SmtpReader, SmtpReply, plain_reply


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


class SmtpRelay(Relay):
    """Hands on one reply to each command, written as the library reads it; what comes without being asked for it never sees."""

    def __init__(self, stream: Stream, near: TcpPipe, far: socket.socket) -> None:
        super().__init__(stream, near, far)
        self.reader = SmtpReader()
        """Of what the server says."""
        self._is_asked = asyncio.Event()
        self._is_asked.set()  # for the greeting
        self._is_greeted = False
        self.reply: SmtpReply | None = None
        """To the latest command, or the greeting, as the server said it; None while it has not come."""

    async def pump_out(self) -> None:
        """Commands from the library to the peer."""
        while data := await self._near.read():
            self.reply = None
            await self._stream.send(data)
            self._is_asked.set()

    async def upgrade(self) -> bytes:
        """Shake hands on the stream. Gives what came in clear after the server's go-ahead; if anything did, no handshake is tried."""
        extra = self.reader.take_rest() + self._stream.take_unread()
        if not extra:
            await self._stream.start_tls()
        return extra

    async def _next(self) -> bytes:
        await self._is_asked.wait()
        self._is_asked.clear()
        self.reader.drop_unasked()
        self.reply = reply = await hear(self._stream, self.reader, self.reader.next_reply)
        is_good_greeting = not self._is_greeted and reply.kind == 2
        self._is_greeted = True
        return plain_reply(replace(reply, code=220) if is_good_greeting else reply)  # the library knows no other code for a greeting


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


@contextmanager
def smtp_failures(relay: SmtpRelay) -> Iterator[None]:
    """Within this, aiosmtplib's errors become ours. What the peer did to the stream itself goes before what the library made of it."""
    import aiosmtplib  # here, since it takes as long to load as a look at another protocol takes

    try:
        yield
    except (aiosmtplib.SMTPException, ConnectionError) as failed:
        if relay.failure is not None:
            raise relay.failure from failed
        if isinstance(failed, aiosmtplib.SMTPConnectResponseError) and relay.reply is not None:
            raise refused_service(relay.reply.words) from failed
        raise PeerClosed("the server closed the connection in the middle") from failed
