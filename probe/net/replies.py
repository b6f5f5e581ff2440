"""Reads a server's replies from a stream, by the reader of its protocol; and sends EHLO, in one way wherever SMTP is spoken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from probe.net.failures import OffProtocol, PeerClosed, PeerFailure
from probe.net.stream import Stream
from probe.wire.lines import WireError, in_quotes
from probe.wire.smtp import SmtpReader, SmtpReply, address_literal, client_name

STRAY_SECONDS = 5.0
"""The wait for a reply after a line that is none: a real reply follows at once, and a server of another protocol says no more."""

T = TypeVar("T")


class ReplyReader(Protocol):
    """Takes bytes and gives replies; one for each protocol in `probe.wire`."""

    @property
    def stray(self) -> str:
        """The first line since the last reply that was passed over as none; empty where there was none."""
        ...

    def feed(self, data: bytes) -> None:
        """Store what came."""
        ...

    def take_rest(self) -> bytes:
        """What came after the last reply."""
        ...


async def hear(stream: Stream, reader: ReplyReader, take: Callable[[], T | None]) -> T:
    """What `take` gets out of the reader, reading as much as it takes.

    Raises OffProtocol for what the reader refuses, and where lines came that are no replies, and nothing after them; PeerClosed where the
    connection ended.
    """
    try:
        while (taken := take()) is None:
            data = await (_soon(stream) if reader.stray else stream.receive())
            if not data:
                raise broken_off(reader)
            reader.feed(data)
    except WireError as wrong:
        raise OffProtocol(f"the peer sent {wrong}") from wrong
    return taken


def broken_off(reader: ReplyReader) -> PeerFailure:
    """What to raise where nothing more comes, and a reply was due."""
    if reader.stray:
        return OffProtocol(f"what the peer sent is no reply: {in_quotes(reader.stray)}")
    return PeerClosed("the server closed the connection where a reply was due")


async def _soon(stream: Stream) -> bytes:
    """What comes within the time that is given behind a line that is none; nothing where nothing does."""
    try:
        async with asyncio.timeout(STRAY_SECONDS) as patience:
            return await stream.receive()
    except TimeoutError:
        if not patience.expired():
            raise
        return b""


async def say_ehlo(stream: Stream, reader: SmtpReader, ask: Callable[[str], Awaitable[SmtpReply]]) -> SmtpReply:
    """EHLO with our address, which needs no name (RFC 5321 section 4.1.4), and once more with a name where a server does not like that.

    Gives the reply that counts: a refusal of our name says nothing of what the server offers.
    """
    reply = await ask(f"EHLO {address_literal(stream.local_address)}")
    if reply.kind == 5:
        try:
            reply = await ask(f"EHLO {client_name(socket.gethostname())}")
        except (PeerClosed, ConnectionError):
            return reply  # it hung up on the first
    return reader.with_rest(reply)
