"""From a fresh connection to the point where a TLS hello may be sent, as the service wants it. Nothing is pipelined.

Only what leads there is said; what a server tells besides is the business of the service's own prober.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from probe.model.attempts import Outcome
from probe.model.estate import Security, Service
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled
from probe.net.stream import Stream
from probe.wire.lines import LineBuffer, as_text
from probe.wire.smtp import address_literal

GREETING_SECONDS = 35.0
"""For the greeting alone: Postfix' postscreen waits 6 s by default and up to 15, sendmail's greet_pause up to 20, Exchange's tarpit 5."""
MAX_LINES = 200
"""Lines of one reply."""

_LATER = ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]", "[UNAVAILABLE]", "[LIMIT]", "TOO MANY", "TRY AGAIN", "TRY LATER", "LIMIT EXCEEDED")
"""RFC 2449, 3206, 5530, and the words of servers without response codes."""


class NoUpgrade(PeerFailure):
    """The server does not go over to TLS; the message is its answer."""

    outcome = Outcome.COMPLETED


async def come_to_tls(stream: Stream, service: Service, security: Security) -> None:
    """Say what must be said before the hello.

    Raises NoUpgrade where the server will not, Throttled where it will not now, Denied where it greets with a
    refusal, OffProtocol for what is not the service or for bytes that follow its consent.
    """
    if security is Security.IMPLICIT:
        return
    replies = _Replies(stream)
    await _STEPS[service](stream, replies)
    if replies.rest() or stream.take_unread():
        raise OffProtocol("the server went on in clear after it agreed to TLS")


class _Replies:
    """Lines of the peer, one at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lines = LineBuffer()
        self._count = 0

    async def line(self) -> str:
        while (line := self._lines.next_line()) is None:
            data = await self._stream.receive()
            if not data:
                raise PeerClosed("the server closed the connection before TLS")
            self._lines.feed(data)
        self._count += 1
        if self._count > MAX_LINES:
            raise OffProtocol(f"more than {MAX_LINES} lines before TLS")
        return as_text(line)

    async def greeting(self, read: Callable[[], Awaitable[str]]) -> str:
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                return await read()
        except TimeoutError:
            raise TimeoutError(f"no greeting within {GREETING_SECONDS:g} s") from None

    async def smtp(self) -> str:
        """The last line of an SMTP reply (RFC 5321 section 4.2)."""
        while True:
            line = await self.line()
            if not line[:3].isdigit() or line[3:4] not in ("", " ", "-"):
                raise OffProtocol(f"not an SMTP reply: {line[:80]!r}")
            if line[3:4] != "-":
                return line

    async def tagged(self, tag: str) -> str:
        """The IMAP status line of a command (RFC 9051 section 7)."""
        while True:
            line = await self.line()
            if line.startswith(f"{tag} "):
                return line.removeprefix(f"{tag} ")
            if line.upper().startswith("* BYE"):
                raise Throttled(f"the server says goodbye: {line[:200]}")
            if not line.startswith("* "):
                raise OffProtocol(f"not an IMAP reply: {line[:80]!r}")

    def rest(self) -> bytes:
        return self._lines.take_rest()


def _is_for_now(text: str) -> bool:
    return any(word in text.upper() for word in _LATER)


async def _pop3(stream: Stream, replies: _Replies) -> None:
    greeting = await replies.greeting(replies.line)
    if not greeting.upper().startswith("+OK"):
        if not greeting.upper().startswith("-ERR"):
            raise OffProtocol(f"not a POP3 greeting: {greeting[:80]!r}")
        raise (Throttled if _is_for_now(greeting) else Denied)(f"the server greets with a refusal: {greeting[:200]}")
    await stream.send(b"STLS\r\n")
    answer = await replies.line()
    if not answer.upper().startswith("+OK"):
        raise (Throttled if _is_for_now(answer) else NoUpgrade)(f"STLS is refused: {answer[:200]}")


async def _smtp(stream: Stream, replies: _Replies) -> None:
    greeting = await replies.greeting(replies.smtp)
    if not greeting.startswith("2"):
        raise (Throttled if greeting.startswith("4") else Denied)(f"the server greets with a refusal: {greeting[:200]}")
    await stream.send(f"EHLO {address_literal(stream.local_address)}\r\n".encode())
    answer = await replies.smtp()
    if not answer.startswith("2"):
        raise (Throttled if answer.startswith("4") else NoUpgrade)(f"EHLO is refused: {answer[:200]}")
    await stream.send(b"STARTTLS\r\n")
    answer = await replies.smtp()
    if not answer.startswith("220"):
        raise (Throttled if answer.startswith("4") else NoUpgrade)(f"STARTTLS is refused: {answer[:200]}")


async def _imap(stream: Stream, replies: _Replies) -> None:
    greeting = await replies.greeting(replies.line)
    if not greeting.upper().startswith("* OK"):
        if greeting.upper().startswith("* PREAUTH"):
            raise NoUpgrade(f"the server takes us for signed in already: {greeting[:200]}")
        if greeting.upper().startswith("* BYE"):
            raise Throttled(f"the server greets with a refusal: {greeting[:200]}")
        raise OffProtocol(f"not an IMAP greeting: {greeting[:80]!r}")
    await stream.send(b"a1 STARTTLS\r\n")
    answer = await replies.tagged("a1")
    if not answer.upper().startswith("OK"):
        raise (Throttled if _is_for_now(answer) else NoUpgrade)(f"STARTTLS is refused: {answer[:200]}")


_STEPS: dict[Service, Callable[[Stream, _Replies], Awaitable[None]]] = {Service.POP3: _pop3, Service.SMTP: _smtp, Service.IMAP: _imap}
