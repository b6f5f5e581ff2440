"""Each broken server goes wrong in the way that it is named for."""

from __future__ import annotations

import asyncio
import ssl
from itertools import pairwise
from time import monotonic

import pytest

from probe.simulation import broken
from probe.simulation.broken import BrokenServer, Silent
from tests.simulation.clients import RawClient


async def test_the_silent_server_says_nothing() -> None:
    """A silent server takes the connection and never says a word."""

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.socket.settimeout(0.2)
            client.say("CAPA")
            with pytest.raises(TimeoutError):
                client.socket.recv(1)

    async with BrokenServer(Silent) as server:
        await asyncio.to_thread(call, server.port)
        assert server.connections == 1


async def test_the_silent_server_can_be_silent_under_tls(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A silent server completes the handshake where it is told to, and is silent after it."""

    def call(port: int) -> None:
        with RawClient(port, trust) as client:
            client.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)

    async with BrokenServer(Silent, tls, implicit=True) as server:
        await asyncio.to_thread(call, server.port)


async def test_the_dripping_server_sends_one_byte_at_a_time() -> None:
    """A dripping server lets an interval pass between bytes, and stops at the end of its text."""

    def call(port: int) -> list[float]:
        with RawClient(port) as client:
            moments = []
            for expected in b"+OK":
                assert client.socket.recv(4096) == bytes((expected,))
                moments.append(monotonic())
            client.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            return moments

    async with BrokenServer(broken.dripping(b"+OK", 0.1)) as server:
        moments = await asyncio.to_thread(call, server.port)
    assert all(later - earlier > 0.05 for earlier, later in pairwise(moments))


async def test_a_drip_ends_with_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dripping server stops when its client leaves: the drop that was to come next does not."""
    behaviour, happened = broken.dripping(b"+OK" * 1000, 0.01), []
    is_lost = asyncio.Event()
    again, lost = broken._Dripping.again, broken._Dripping.lost

    def counted_again(self: broken._Dripping) -> None:
        happened.append("again")
        again(self)

    def counted_lost(self: broken._Dripping) -> None:
        happened.append("lost")
        is_lost.set()
        lost(self)

    monkeypatch.setattr(broken._Dripping, "again", counted_again)
    monkeypatch.setattr(broken._Dripping, "lost", counted_lost)

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.socket.recv(1)

    async with BrokenServer(behaviour) as server:
        await asyncio.to_thread(call, server.port)
        await asyncio.wait_for(is_lost.wait(), 5)
        await asyncio.sleep(0.05)
        assert happened[-1] == "lost"
        assert "again" in happened


@pytest.mark.parametrize(
    ("behaviour", "start", "line_ends"),
    [(broken.endless_line(), b"+OK xxx", False), (broken.endless_lines(), b"220-mail ready\r\n220-and more\r\n", True)],
    ids=["endless line", "endless lines"],
)
async def test_the_endless_answer_does_not_end(behaviour: object, start: bytes, line_ends: bool) -> None:
    """An endless server goes on for as long as the client reads, and holds no more than the client lets it send."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            got = b""
            while len(got) < 4_000_000:
                got += client.socket.recv(65536)
            return got

    assert callable(behaviour)
    async with BrokenServer(behaviour) as server:
        got = await asyncio.to_thread(call, server.port)
    assert got.startswith(start)
    assert (b"\n" in got) is line_ends


@pytest.mark.parametrize("on_first_words", [False, True])
async def test_the_resetting_server_resets(on_first_words: bool) -> None:
    """A resetting server ends the connection by a TCP reset, at once or once the client has spoken."""

    def call(port: int) -> None:
        # A reset at once may reach the client while it still connects.
        with RawClient(port) as client:
            if on_first_words:
                client.say("CAPA")
            client.socket.recv(1)

    async with BrokenServer(broken.resetting(on_first_words=on_first_words)) as server:
        with pytest.raises(ConnectionResetError):
            await asyncio.to_thread(call, server.port)


async def test_the_closing_server_closes_in_the_middle_of_a_line() -> None:
    """A closing server ends the connection after half a line."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            return client.read_until(b"\r\n")

    async with BrokenServer(broken.closing(b"+OK Dovec")) as server:
        assert await asyncio.to_thread(call, server.port) == b"+OK Dovec"


async def test_the_garbling_server_speaks_no_protocol() -> None:
    """A garbling server sends bytes that are no text."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            return client.socket.recv(4096)

    async with BrokenServer(broken.garbage()) as server:
        assert set(await asyncio.to_thread(call, server.port)) == set(range(256))


async def test_the_alerting_server_refuses_the_handshake(trust: ssl.SSLContext) -> None:
    """An alerting server answers a client hello with a fatal alert."""

    def call(port: int) -> None:
        with pytest.raises(ssl.SSLError, match="handshake failure"), RawClient(port) as client:
            client.upgrade(trust)

    async with BrokenServer(broken.tls_alert()) as server:
        await asyncio.to_thread(call, server.port)
