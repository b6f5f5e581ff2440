"""SMTP through aiosmtplib, over a relay: a message is handed to a server that has let the account in.

Up to there the conversation is ours, since the library takes a reply by its code, and what a server says besides is what a probe is for.
Its replies are read by our own reader before the library gets them, one to each command.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import aiosmtplib

from probe.net.failures import PeerClosed
from probe.net.relay import Relay, lend
from probe.net.replies import hear
from probe.net.stream import Stream, TcpPipe
from probe.wire.smtp import SmtpReader, SmtpReply, plain_reply

_KNOWN_CODES = {2: 250, 3: 354}
"""By the first digit of a reply, which is what counts (RFC 5321 section 4.2.1): the code that the library knows."""


class SmtpRelay(Relay):
    """Hands on one reply to each command, written as the library reads it; what comes without being asked for it never sees."""

    def __init__(self, stream: Stream, near: TcpPipe, far: socket.socket, reader: SmtpReader) -> None:
        super().__init__(stream, near, far)
        self._reader = reader
        self._is_asked = asyncio.Event()
        self._is_greeted = False
        self.reply: SmtpReply | None = None
        """To the latest command, as the server said it; None while it has not come."""

    async def pump_out(self) -> None:
        """Commands from the library to the peer."""
        while data := await self._near.read():
            self.reply = None
            await self._stream.send(data)
            self._is_asked.set()

    async def _next(self) -> bytes:
        if not self._is_greeted:
            self._is_greeted = True
            return b"220\r\n"  # the library waits for a greeting, which was heard long ago
        await self._is_asked.wait()
        self._is_asked.clear()
        self._reader.drop_unasked()
        self.reply = reply = await hear(self._stream, self._reader, self._reader.next_reply)
        return plain_reply(replace(reply, code=_KNOWN_CODES.get(reply.kind, reply.code)))


async def submit(stream: Stream, reader: SmtpReader, envelope: Sequence[str], message: bytes) -> tuple[bool, SmtpReply]:
    """Say the commands of an envelope and hand the message over, as far as the server goes along. Whether it took it, and what it said last.

    The stream is signed in, and `reader` has read all that was said. A reply of another kind than is wanted ends it. Raises PeerClosed, and
    what `hear` raises.
    """
    async with lend(stream, partial(SmtpRelay, reader=reader)) as relay:
        client = aiosmtplib.SMTP(sock=relay.library_end, use_tls=False, start_tls=False, local_hostname="localhost", timeout=None)
        try:
            with _failures(relay):
                await client.connect()
                # EHLO has been said, before the sign-in.
                client.last_ehlo_response = aiosmtplib.SMTPResponse(250, "")
                for command in envelope:
                    await client.execute_command(command.encode())
                    if _last(relay).kind != 2:
                        return False, _last(relay)
                try:
                    await client.data(message)
                except aiosmtplib.SMTPDataError:
                    return False, _last(relay)
                return True, _last(relay)
        finally:
            client.close()


def _last(relay: SmtpRelay) -> SmtpReply:
    assert relay.reply is not None
    return relay.reply


@contextmanager
def _failures(relay: SmtpRelay) -> Iterator[None]:
    """Within this, aiosmtplib's errors become ours. What the peer did to the stream itself goes before what the library made of it."""
    try:
        yield
    except (aiosmtplib.SMTPException, ConnectionError) as failed:
        if relay.failure is not None:
            raise relay.failure from failed
        raise PeerClosed("the server closed the connection in the middle") from failed
