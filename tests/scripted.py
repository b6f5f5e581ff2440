"""A server on loopback that plays a transcript, and objects to departures from it.

A transcript reads as an RFC does: `S:` is what the server says, `C:` what it expects to hear (a trailing `*` stands
for anything), `TLS` a handshake, `ANY` any bytes at all. `S~` is said without a line end, `#` begins a comment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def steps_of(text: str) -> list[str]:
    """The steps of a transcript, comments left out."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


class ScriptedServer:
    """Plays the same steps to every connection."""

    def __init__(self, steps: list[str], context: ssl.SSLContext | None, *, implicit: bool) -> None:
        self.steps = steps
        self.context = context
        self.implicit = implicit
        self.departures: list[str] = []
        """What a client said otherwise than the transcript has it."""
        self.connections = 0
        self.once = False
        """Whether every connection after the first is closed at once."""
        self.port = 0
        self._open: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ScriptedServer]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Player(self), "127.0.0.1", 0, ssl=self.context if self.implicit else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in self._open:
                transport.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()


class _Player(asyncio.Protocol):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._position = 0
        self._heard = bytearray()
        self._upgrading = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        first = not hasattr(self, "_transport")
        self._transport = cast("asyncio.Transport", transport)
        self._server._open.add(self._transport)
        if first:
            self._server.connections += 1
            if self._server.once and self._server.connections > 1:
                self._transport.abort()
            else:
                self._play()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._upgrading:
            self._play()

    def connection_lost(self, failure: Exception | None) -> None:
        self._server._open.discard(self._transport)

    def _play(self) -> None:
        said = b""
        while self._position < len(self._server.steps):
            step = self._server.steps[self._position]
            if step.startswith("S: ") or step == "S:":
                said += step[3:].encode("latin-1", "backslashreplace") + b"\r\n"
            elif step.startswith("S~ "):
                said += step[3:].encode()
            elif step.startswith("C: "):
                if said:
                    self._transport.write(said)
                    said = b""
                line, newline, rest = bytes(self._heard).partition(b"\n")
                if not newline:
                    return
                self._heard = bytearray(rest)
                if not fnmatchcase(line.decode("latin-1").rstrip("\r"), step[3:].replace("[", "[[]")):
                    self._server.departures.append(f"{line!r} where {step!r} was due")
                    self._transport.close()
                    return
            elif step == "ANY":
                if said:
                    self._transport.write(said)
                    said = b""
                if not self._heard:
                    return
                self._heard.clear()
            elif step == "TLS":
                self._position += 1
                if said:
                    self._transport.write(said)
                self._upgrading = True
                task = asyncio.get_running_loop().create_task(self._upgrade())
                self._server._tasks.add(task)
                return
            else:
                raise AssertionError(f"not a step: {step!r}")
            self._position += 1
        if said:
            self._transport.write(said)
        self._transport.close()

    async def _upgrade(self) -> None:
        assert self._server.context is not None
        try:
            upgraded = await asyncio.get_running_loop().start_tls(self._transport, self, self._server.context, server_side=True)
        except (OSError, ssl.SSLError):
            return
        if upgraded is not None:
            self._upgrading = False
            self._transport = upgraded
            self._server._open.add(upgraded)
            self._play()
