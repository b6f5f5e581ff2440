"""Servers that misbehave, each in one way, to test a client's reaction to it.

Certificates that are expired, for another name or self-signed come from `authority`, and text injected before TLS from
the `injected` argument of the POP3 and SMTP servers.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from probe.simulation.listening import Conversation, Server

_BLOCK = 16384


class BrokenServer(Server):
    """A server whose conversations all go wrong in the same way."""

    def __init__(self, behaviour: Callable[[Server], Conversation], tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        super().__init__(tls, implicit=implicit)
        self._behaviour = behaviour

    def converse(self) -> Conversation:
        return self._behaviour(self)


class Silent(Conversation):
    """Accepts the connection and never sends anything."""


class _Repeating(Conversation):
    """Sends the same data repeatedly, as fast as the client reads or at an interval."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._timer: asyncio.Handle | None = None
        self._held = False

    def again(self) -> None:
        raise NotImplementedError

    def next_in(self, seconds: float) -> None:
        if self.is_open and not self._held:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.again)

    def opened(self) -> None:
        self.again()

    def lost(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        self._held = True

    def resume_writing(self) -> None:
        self._held = False
        self.next_in(0)


class _Dripping(_Repeating):
    def __init__(self, server: Server, text: bytes, interval: float) -> None:
        super().__init__(server)
        self._text = text
        self._interval = interval

    def again(self) -> None:
        if not self._text:
            return
        first, self._text = self._text[:1], self._text[1:]
        self.send(first)
        self.next_in(self._interval)


class _Endless(_Repeating):
    def __init__(self, server: Server, start: bytes, unit: bytes) -> None:
        super().__init__(server)
        self._start = start
        self._block = unit * (_BLOCK // len(unit))

    def again(self) -> None:
        self.send(self._start + self._block)
        self._start = b""
        self.next_in(0)


class _OneSaying(Conversation):
    def __init__(self, server: Server, text: bytes, *, to_first_words: bool = False, and_then: str = "") -> None:
        super().__init__(server)
        self._text = text
        self._to_first_words = to_first_words
        self._and_then = and_then

    def opened(self) -> None:
        if not self._to_first_words:
            self._act()

    def received(self, data: bytes) -> None:
        if self._to_first_words:
            self._act()

    def _act(self) -> None:
        if self._text:
            self.send(self._text)
        if self._and_then == "close":
            self.close()
        elif self._and_then == "reset":
            self.reset()


def dripping(text: bytes, interval: float) -> Callable[[Server], Conversation]:
    """One byte at a time, an interval apart; then silence."""
    return lambda server: _Dripping(server, text, interval)


def endless_line(start: bytes = b"+OK ") -> Callable[[Server], Conversation]:
    """A line that never ends, as fast as the client reads."""
    return lambda server: _Endless(server, start, b"x")


def endless_lines(start: bytes = b"220-mail ready\r\n", line: bytes = b"220-and more\r\n") -> Callable[[Server], Conversation]:
    """An answer of lines that never ends."""
    return lambda server: _Endless(server, start, line)


def resetting(*, on_first_words: bool = False) -> Callable[[Server], Conversation]:
    """A TCP reset at once, or after the client has sent something."""
    return lambda server: _OneSaying(server, b"", to_first_words=on_first_words, and_then="reset")


def closing(after: bytes = b"", *, on_first_words: bool = False) -> Callable[[Server], Conversation]:
    """An orderly end, after some data or in the middle of a line."""
    return lambda server: _OneSaying(server, after, to_first_words=on_first_words, and_then="close")


def garbage() -> Callable[[Server], Conversation]:
    """Bytes of no protocol: control characters, zeros, and bytes that are neither ASCII nor UTF-8."""
    return lambda server: _OneSaying(server, bytes(range(256)) * 4 + b"\r\n")


# TLS record: alert (21), legacy version 3.3, length 2; fatal (2), handshake_failure (40). RFC 8446 sections 5.1 and 6.
_HANDSHAKE_FAILURE = bytes((21, 3, 3, 0, 2, 2, 40))


def tls_alert() -> Callable[[Server], Conversation]:
    """A fatal alert to whatever the client hello offers."""
    return lambda server: _OneSaying(server, _HANDSHAKE_FAILURE, to_first_words=True, and_then="close")
