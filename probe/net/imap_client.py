"""IMAP through aioimaplib, over a relay that keeps from the library what it cannot handle.

The library recurses for each line, takes any line that ends in a number in braces for a literal, knows a status only in capitals,
answers no challenge, and waits for ever once the connection is gone. So the relay reads the server's words first, within bounds, and
hands them on response by response, as plain lines. The end of the connection ends the command that waits.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aioimaplib.aioimaplib import AUTH, NONAUTH, SELECTED, Command, IMAP4ClientProtocol

from probe.model.values import dataclass
from probe.net.failures import PeerClosed
from probe.net.redact import STRUCK
from probe.net.relay import Relay, lend
from probe.net.replies import broken_off
from probe.net.stream import Stream, TcpPipe
from probe.wire.imap import ImapReader, plain_line, quoted
from probe.wire.lines import LineBuffer, WireError
from probe.wire.sasl import Mechanism, decoded

# What it logs for debugging holds passwords.
logging.getLogger("aioimaplib").setLevel(logging.CRITICAL)

MAX_SAID_BYTES = 256 * 1024
"""Longest line that the library may send. The longest that it needs is an access token in base64; Entra ID's have 2 to 20 KiB."""

_NOT_ENDED = frozenset({"Init", "Pending"})


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of one command."""

    ok: bool
    words: str
    """Its status and what the server says to it, as it stands behind the tag; the BYE with which the server ended the conversation instead."""
    data: tuple[str, ...] = ()
    """What came before that, without the star; of CAPABILITY and SEARCH, as of all that is no message's, without the name too."""


class ImapRelay(Relay):
    """Hands on what the server says, response by response."""

    def __init__(self, stream: Stream, near: TcpPipe, far: socket.socket, reader: ImapReader) -> None:
        super().__init__(stream, near, far)
        self._reader = reader
        self.tag = ""
        """Of the command that waits for its answer."""
        self.may_challenge = False
        self.labels: deque[str] = deque()
        """What stands in the transcript for the next lines of the library. Lines beyond them are answers to challenges, thus secret."""
        self.farewell = ""
        """The BYE with which the server ended the conversation."""

    async def pump_out(self) -> None:
        """Lines from the library to the peer, each with its label."""
        lines = LineBuffer(MAX_SAID_BYTES)
        while data := await self._near.read():
            lines.feed(data)
            while (line := lines.next_line()) is not None:
                await self._stream.send(line + b"\r\n", shown=self.labels.popleft() if self.labels else STRUCK)

    async def _next(self) -> bytes:
        while not self.farewell:
            response = self._reader.next_response(self.tag, may_challenge=self.may_challenge)
            if response is None:
                if not (data := await self._stream.receive()):
                    if self._reader.stray:
                        raise broken_off(self._reader)
                    break
                self._reader.feed(data)
            elif response.tag == "*" and response.kind == "BYE":
                self.farewell = f"BYE {response.data}".strip()
            else:
                return plain_line(response)
        return b""


class ImapClient:
    """One connection on which the capabilities were asked; at most one command at a time."""

    def __init__(self, relay: ImapRelay, count: int) -> None:
        self._relay = relay
        self._count = count
        self._command: Any = None
        self.has_proved = False
        """Whether the password, or what is made of it, has been handed on to the server."""
        self._library = IMAP4ClientProtocol(None, self._on_lost)

    async def begin(self) -> None:
        """Connect the library to the relay. It has heard no greeting, and is told what came of one."""
        await asyncio.get_running_loop().create_connection(lambda: self._library, sock=self._relay.library_end)
        self._library.state = NONAUTH

    def close(self) -> None:
        """Let the library go."""
        self._library.transport.abort()

    async def login(self, username: str, password: str) -> CommandResult:
        """LOGIN, once."""
        command = self._made("LOGIN", quoted(username), quoted(password))
        self.has_proved = True
        return self._state_after(await self._run(command, f"{command.tag} LOGIN {STRUCK}"), AUTH)

    async def authenticate(self, exchange: Mechanism) -> CommandResult:
        """AUTHENTICATE, once; nothing is said before the server asks for it. Raises WireError for a challenge that has no answer."""

        def say(line: str) -> None:
            self.has_proved = self.has_proved or command.said == exchange.proves_at
            self._library.send(line)

        command = _AuthenticateCommand(self._next_tag(), exchange, say)
        told = await self._run(command, f"{command.tag} AUTHENTICATE {exchange.name}", may_challenge=True)
        return self._state_after(told, AUTH)

    async def select(self, folder: str) -> CommandResult:
        """SELECT."""
        return self._state_after(await self.ask("SELECT", folder), SELECTED)

    async def examine(self, folder: str) -> CommandResult:
        """EXAMINE, which is SELECT for reading alone."""
        return self._state_after(await self.ask("EXAMINE", folder), SELECTED)

    async def ask(self, name: str, *arguments: str, by_uid: bool = False, answers: str | None = None) -> CommandResult:
        """Any other command. `answers` is the name of the data that it draws, where that is not its own."""
        command = self._made(name, *arguments, prefix="UID" if by_uid else None, untagged_resp_name=answers)
        return await self._run(command, str(command))

    def _made(self, name: str, *arguments: str, **more: str | None) -> Any:
        return Command(name, self._next_tag(), *arguments, **more)

    def _next_tag(self) -> str:
        self._count += 1
        return f"A{self._count}"

    async def _run(self, command: Any, label: str, *, may_challenge: bool = False) -> CommandResult:
        relay = self._relay
        relay.labels.append(label)
        relay.tag, relay.may_challenge, self._command = command.tag, may_challenge, command
        if self._library.transport.is_closing():
            self._on_lost(None)
        result, lines = await self._library.execute(command)
        relay.tag, relay.may_challenge, self._command = "", False, None
        if result not in ("OK", "NO", "BAD"):
            return self._after_loss(command)
        *data, last = (bytes(line).decode() for line in lines)
        return CommandResult(result == "OK", f"{result} {last}".strip(), tuple(data))

    def _after_loss(self, command: Any) -> CommandResult:
        if isinstance(command, _AuthenticateCommand) and command.failure is not None:
            raise command.failure
        if self._relay.farewell:
            return CommandResult(ok=False, words=self._relay.farewell)
        raise self._relay.failure or PeerClosed("the server closed the connection in the middle of the sign-in")

    def _state_after(self, told: CommandResult, state: str) -> CommandResult:
        """The library knows no other way to learn what a command of ours changed."""
        if told.ok:
            self._library.state = state
        return told

    def _on_lost(self, _: Exception | None) -> None:
        if self._command is not None and self._command.response.result in _NOT_ENDED:
            self._command.close(b"", "LOST")


class _AuthenticateCommand(Command):  # type: ignore[misc]
    """AUTHENTICATE. The library knows the command, but cannot answer challenges."""

    def __init__(self, tag: str, exchange: Mechanism, say: Callable[[str], None]) -> None:
        super().__init__("AUTHENTICATE", tag, exchange.name)
        self._exchange = exchange
        self._pending = exchange.first
        self._say = say
        self.said = 0
        """Number of challenges answered so far."""
        self.failure: WireError | None = None

    def append_to_resp(self, line: bytes, result: str = "Pending") -> None:
        """Answers a challenge; keeps any other line."""
        if result != "Pending" or not line.startswith(b"+"):
            super().append_to_resp(line, result)
            return
        try:
            challenge = decoded(line[1:].strip())
            said = self._exchange.respond(challenge) if self._pending is None else self._pending
        except WireError as failed:
            self.failure = failed
            self.close(b"", "LOST")
            return
        self._pending = None
        self._say(base64.b64encode(said).decode())
        self.said += 1


@asynccontextmanager
async def lend_to_imap(stream: Stream, reader: ImapReader, count: int) -> AsyncIterator[ImapClient]:
    """A client that goes on with a conversation, until the block ends. `reader` has what was heard and not yet read; tags go on from `count`."""
    async with lend(stream, lambda stream, near, far: ImapRelay(stream, near, far, reader)) as lent:
        client = ImapClient(lent, count)
        await client.begin()
        try:
            yield client
        finally:
            client.close()
