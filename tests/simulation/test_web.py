"""The HTTP server under the simulated Exchange, as http.client and a plain socket meet it."""

from __future__ import annotations

import asyncio
import http.client
import ssl

import pytest

from probe.simulation.web import Request, Response, WebServer
from tests.simulation.clients import RawClient


class _Echo(WebServer):
    """Answers with what it was sent."""

    def answer(self, request: Request) -> Response:
        return Response(200, (("X-Path", request.path), ("X-Two", "1"), ("X-Two", "2")), request.body)


async def test_a_connection_is_kept_alive(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Several requests share one connection; a HEAD is answered without a body, a body in chunks is put together."""

    def call(port: int) -> None:
        client = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=5)
        try:
            client.request("POST", "/EWS/Exchange.asmx?a=b", body=b"one")
            answer = client.getresponse()
            assert (answer.status, answer.read(), answer.getheader("X-Path")) == (200, b"one", "/ews/exchange.asmx")
            assert answer.headers.get_all("X-Two") == ["1", "2"]
            client.request("HEAD", "/")
            assert client.getresponse().read() == b""
            client.request("POST", "/", body=iter([b"two ", b"chunks"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
            assert client.getresponse().read() == b"two chunks"
            client.request("GET", "/", headers={"Connection": "close"})
            answer = client.getresponse()
            assert answer.getheader("Connection") == "close"
            answer.read()
        finally:
            client.close()

    async with _Echo(tls) as server:
        await asyncio.to_thread(call, server.port)
        assert server.connections == 1
        assert "POST /EWS/Exchange.asmx?a=b HTTP/1.1" in server.lines


async def test_a_request_may_come_in_pieces() -> None:
    """A request is answered once all of it is there, however it was cut, and a client that asks first is told to go on."""

    def call(port: int) -> None:
        with RawClient(port) as client:
            for piece in (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Le", b"ngth: 3\r\n\r\n"):
                client.socket.sendall(piece)
            assert client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.socket.sendall(b"ab")
            client.socket.sendall(b"c")
            assert client.read_until(b"abc").startswith(b"HTTP/1.1 200 OK\r\n")
            client.socket.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
            client.socket.sendall(b"c\r\n0\r\n")
            client.socket.sendall(b"\r\n")
            assert client.read_until(b"abc").endswith(b"abc")

    async with _Echo() as server:
        await asyncio.to_thread(call, server.port)


async def test_http_1_0_ends_with_its_answer() -> None:
    """A request of HTTP/1.0 needs no Host and ends the connection, unless it asks to keep it."""

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.socket.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            client.read_until(b"\r\n\r\n")
            client.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"Connection: close" in client.read_until(b"never")

    async with _Echo() as server:
        await asyncio.to_thread(call, server.port)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"CAPA\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20000,
    ],
    ids=["no HTTP", "version", "absolute", "no host", "length", "too long", "chunk", "chunk too long", "headers too long"],
)
async def test_what_is_not_http_is_refused(request_bytes: bytes) -> None:
    """A request that is no HTTP, or beyond the limits, gets 400 from the system's HTTP layer and the end of the connection."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            client.socket.sendall(request_bytes)
            return client.read_until(b"never")

    async with _Echo() as server:
        answer = await asyncio.to_thread(call, server.port)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Server: Microsoft-HTTPAPI/2.0\r\n" in answer
    assert b"Connection: close\r\n" in answer


class _Odd(WebServer):
    """Withholds the end of its answers, or says them slowly."""

    def answer(self, request: Request) -> Response:
        if request.path == "/none":
            return Response(204, (), b"")
        if request.path == "/slow":
            return Response(200, (), b"slow", pause=0.0001)
        return Response(200, (), b"whole", withheld=2 if request.path == "/cut" else 1000)


async def test_an_answer_may_be_odd() -> None:
    """An answer may end before its declared length, never begin, or come byte by byte; one without content declares no length."""

    def call(port: int, path: bytes, *, persistent: bool = False) -> bytes:
        with RawClient(port) as client:
            kind = b"" if persistent else b"Connection: close\r\n"
            client.socket.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + kind + b"\r\n")
            return client.read_until(b"never")

    async with _Odd() as server:
        cut = await asyncio.to_thread(call, server.port, b"/cut", persistent=True)
        nothing = await asyncio.to_thread(call, server.port, b"/nothing", persistent=True)
        slow = await asyncio.to_thread(call, server.port, b"/slow")
        none = await asyncio.to_thread(call, server.port, b"/none")
    assert b"Content-Length: 5\r\n" in cut
    assert cut.endswith(b"\r\n\r\nwho")
    assert nothing == b""
    assert slow.endswith(b"\r\n\r\nslow")
    assert none.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Content-Length" not in none
