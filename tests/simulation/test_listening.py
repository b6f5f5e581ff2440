"""Every simulated server counts its callers and ends with nothing left open."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from probe.simulation.broken import BrokenServer, Silent
from probe.simulation.listening import Conversation, Server
from probe.simulation.pop3 import DOVECOT, Pop3Server
from tests.simulation.clients import RawClient


async def test_connections_are_counted() -> None:
    """A server knows how many connections it took, and how many were open at once."""

    def call(port: int) -> None:
        with RawClient(port) as first, RawClient(port) as second:
            assert first.line() == second.line() == "+OK Dovecot (Debian) ready."
        with RawClient(port) as third:
            assert third.reply("QUIT") == "+OK Dovecot (Debian) ready."

    async with Pop3Server(DOVECOT) as server:
        await asyncio.to_thread(call, server.port)
        assert (server.connections, server.peak) == (3, 2)


async def test_what_clients_say_is_kept_within_bounds() -> None:
    """A server keeps the lines that it hears, each cut to a length and no more than a number of them."""

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.line()
            client.say("X" * 4000)
            for _ in range(2100):
                client.say("NOOP")
            client.say("QUIT")
            client.read_until(b"Logging out\r\n")

    async with Pop3Server(DOVECOT) as server:
        await asyncio.to_thread(call, server.port)
        assert server.lines[-1] == "QUIT"
        assert len(server.lines) == 2000
        assert all(len(line) <= 500 for line in server.lines)


async def test_a_server_ends_with_its_connections() -> None:
    """Closing a server closes what is open, and a client sees the end."""
    with RawClient((server := await BrokenServer(Silent).__aenter__()).port) as client:
        await asyncio.sleep(0)
        await server.__aexit__(None, None, None)
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(_read_to_the_end, client)


def _read_to_the_end(client: RawClient) -> None:
    if client.socket.recv(1) == b"":
        raise ConnectionError("closed")


async def test_a_client_that_speaks_no_tls_is_left(tls: ssl.SSLContext) -> None:
    """Where TLS is expected, a client that speaks in clear meets the end of the connection."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            client.say("CAPA")
            return client.read_until(b"never")

    async with Pop3Server(DOVECOT, tls, implicit=True) as server:
        assert (await asyncio.to_thread(call, server.port)) == b""


async def test_tls_ends_in_good_order_from_either_side(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Under TLS a connection ends with a farewell, so that a cut is told from an end."""

    def server_ends(port: int) -> bytes:
        with RawClient(port, trust) as client:
            client.line()
            client.say("QUIT")
            client.line()
            return client.socket.recv(1)

    def client_ends(port: int) -> None:
        with RawClient(port, trust) as client:
            client.line()
            assert isinstance(client.socket, ssl.SSLSocket)
            client.socket = client.socket.unwrap()

    async with Pop3Server(DOVECOT, tls, implicit=True) as server:
        assert await asyncio.to_thread(server_ends, server.port) == b""
        await asyncio.to_thread(client_ends, server.port)


async def test_words_after_the_end_are_dropped() -> None:
    """What a server would say to a client that is gone goes nowhere, and is no error."""
    conversation = Conversation(BrokenServer(Silent))
    conversation.send(b"too early")
    conversation.close()
    conversation.abort()
    conversation.reset()
    assert conversation.peer == "127.0.0.1"


def test_tls_without_a_certificate_is_our_mistake() -> None:
    """A server that offers TLS and has no certificate is a mistake in the test, and says so."""
    server: Server = BrokenServer(Silent)
    with pytest.raises(RuntimeError, match="certificate"):
        server.converse().upgrade()
