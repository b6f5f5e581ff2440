"""A server on a loopback port that counts its clients, and a conversation with one of them, with or without TLS.

TLS is spoken through memory BIOs rather than by asyncio: the change from clear to TLS then happens between two bytes,
in one place, with nothing lost and nothing that waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import Self, cast

LOOPBACK = "127.0.0.1"

# The part of the clients' data that is kept: enough for every test, and bounded against an endless client.
LINES_KEPT = 2000
LINE_KEPT = 500

_READ_AT_ONCE = 65536


class Conversation(asyncio.Protocol):
    """One connection. A subclass defines what happens when a client connects, and when it sends something."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._tls: ssl.SSLObject | None = None
        self._from_wire = ssl.MemoryBIO()
        self._to_wire = ssl.MemoryBIO()
        self._shaken = False

    def opened(self) -> None:
        """The client has connected; with implicit TLS, the handshake is done."""

    def received(self, data: bytes) -> None:
        """The client sent data, here decrypted."""

    def lost(self) -> None:
        """The connection is gone."""

    @property
    def peer(self) -> str:
        """The client's address."""
        address = self._transport.get_extra_info("peername") if self._transport else None
        return str(address[0]) if address else LOOPBACK

    @property
    def secure(self) -> bool:
        """Whether TLS is up."""
        return self._shaken

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Sends data, in one segment where it fits; nothing while the connection is closing."""
        if not self.is_open:
            return
        if self._tls is not None:
            self._tls.write(data)
            self._flush()
        elif self._transport is not None:
            self._transport.write(data)

    def upgrade(self) -> None:
        """From the next byte on, both sides speak TLS."""
        context = self._server.tls
        if context is None:
            raise RuntimeError("a server that offers TLS needs a certificate")
        self._tls = context.wrap_bio(self._from_wire, self._to_wire, server_side=True)

    def close(self) -> None:
        """Ends the connection in good order, once all is sent."""
        if self._tls is not None and self._shaken and self.is_open:
            # Our close_notify is written; the peer's need not be awaited (RFC 8446 section 6.1).
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Ends the connection with a TCP reset, which the peer sees as an error rather than an end."""
        if self._transport is not None:
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            connection = cast("socket.socket", self._transport.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.arrived(self)
        if self._server.implicit:
            self.upgrade()
        else:
            self.opened()

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            self.received(data)
            return
        self._from_wire.write(data)
        try:
            self._advance(self._tls)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:
            self._flush()  # the alert that says why
            self.abort_after_sending()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.left(self)
        self.lost()

    def abort_after_sending(self) -> None:
        """Ends the connection once everything is sent, without close_notify."""
        if self._transport is not None:
            self._transport.close()

    def _advance(self, tls: ssl.SSLObject) -> None:
        if not self._shaken:
            tls.do_handshake()
            self._shaken = True
            self._flush()
            if self._server.implicit:
                self.opened()
        while self.is_open:
            data = tls.read(_READ_AT_ONCE)
            if not data:
                self.close()
                return
            self.received(data)

    def _flush(self) -> None:
        if self._to_wire.pending and self._transport is not None:
            self._transport.write(self._to_wire.read())


class Server(ABC):
    """A listening port on loopback. `async with` opens and closes it."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        self.tls = tls
        self.implicit = implicit
        """Whether the port has implicit TLS."""
        self.port = 0
        """The port, once it is open."""
        self.connections = 0
        """Connections accepted so far."""
        self.peak = 0
        """The most connections that were open at once."""
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        """The data of clients, line by line."""
        self._open: set[Conversation] = set()
        self._listening: asyncio.Server | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()

    @abstractmethod
    def converse(self) -> Conversation:
        """A conversation for the next client."""

    def heard(self, line: bytes) -> None:
        """Keeps a line that a client sent."""
        self.lines.append(line[:LINE_KEPT].decode("ascii", "backslashreplace"))

    def arrived(self, conversation: Conversation) -> None:
        self.connections += 1
        self._open.add(conversation)
        self.peak = max(self.peak, len(self._open))
        self._quiet.clear()

    def left(self, conversation: Conversation) -> None:
        self._open.discard(conversation)
        if not self._open:
            self._quiet.set()

    async def __aenter__(self) -> Self:
        # 512: a test opens hundreds of connections at once, and none may be lost in the queue.
        self._listening = await asyncio.get_running_loop().create_server(self.converse, LOOPBACK, 0, backlog=512)
        self.port = int(self._listening.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._listening is not None:
            self._listening.close()
            for conversation in tuple(self._open):
                conversation.abort()
            await self._quiet.wait()
            await self._listening.wait_closed()
