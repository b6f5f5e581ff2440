"""A server on sockets of its own that looks at each TLS hello before it answers, and does not answer every one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

_HEAD_BYTES = 5


class ParticularServer:
    """Shakes hands where `bears` the hello, and plays its steps, those before `TLS` in clear; else hangs up in its way.

    `S: ` is said, `C: ` is a line that must begin so.
    """

    def __init__(self, context: ssl.SSLContext, bears: Callable[[bytes], bool], steps: Sequence[str], way: str = "close") -> None:
        """`way`: `close`, `reset`, `silent`, or `alert-` with the number of an alert."""
        self._context = context
        self._bears = bears
        self._steps = list(steps)
        self._way = way
        self._stop = threading.Event()
        self.connections = 0
        self.hellos: list[bytes] = []
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ParticularServer]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._stop.set()
                listening.shutdown(socket.SHUT_RDWR)
                await asyncio.to_thread(thread.join, 5)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            before = self._steps.index("TLS") if "TLS" in self._steps else 0
            self._play(connection, self._steps[:before])
            hello = _hello_of(connection)
            self.hellos.append(hello)
            if not self._bears(hello):
                self._hang_up(connection)
                return
            with self._context.wrap_socket(connection, server_side=True) as inside:
                self._play(inside, [step for step in self._steps[before:] if step != "TLS"])

    def _play(self, connection: socket.socket, steps: Sequence[str]) -> None:
        for step in steps:
            if step.startswith("S: "):
                connection.sendall(step[3:].encode() + b"\r\n")
                continue
            heard = b""
            while not heard.endswith(b"\n"):
                if not (byte := connection.recv(1)):
                    return
                heard += byte
            assert heard.startswith(step[3:].encode()), (heard, step)

    def _hang_up(self, connection: socket.socket) -> None:
        if self._way == "silent":
            self._stop.wait()
        elif self._way == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self._way.startswith("alert-"):
            connection.recv(65536)
            connection.sendall(bytes((21, 3, 3, 0, 2, 2, int(self._way.removeprefix("alert-")))))


def _hello_of(connection: socket.socket) -> bytes:
    """The record of the hello, left where it is."""
    seen = b""
    while len(seen) < _HEAD_BYTES or len(seen) < _HEAD_BYTES + int.from_bytes(seen[3:5], "big"):
        before, seen = len(seen), connection.recv(65536, socket.MSG_PEEK)
        if not seen or (len(seen) == before and connection.recv(1, socket.MSG_PEEK) == b""):
            raise ConnectionError
    return seen


def has_few_suites(hello: bytes) -> bool:
    """Whether a hello offers no more than 64 suites."""
    return suites_of(hello) <= 64


def has_no_tls13(hello: bytes) -> bool:
    """Whether a hello speaks of no version above TLS 1.2."""
    return b"\x00\x2b" not in hello[43:] or b"\x03\x04" not in hello[43:]


def suites_of(hello: bytes) -> int:
    """How many suites a hello offers."""
    at = _HEAD_BYTES + 4 + 2 + 32
    at += 1 + hello[at]
    return int.from_bytes(hello[at : at + 2], "big") // 2
