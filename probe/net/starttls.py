"""From a fresh connection to the point where a TLS hello may be sent, as the service wants it.

Only the commands that lead there are sent. Whatever else a server tells is left to the service's own prober.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from probe.model.attempts import Outcome
from probe.model.estate import Security, Service
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled
from probe.net.replies import ReplyReader, T, hear, say_ehlo
from probe.net.stream import Stream
from probe.wire.imap import ImapReader
from probe.wire.pop3 import Pop3Reader
from probe.wire.refusals import refused_for_now
from probe.wire.smtp import SmtpReader, SmtpReply, knows_no_ehlo

GREETING_SECONDS = 35.0
"""For the greeting alone: Postfix' postscreen waits 6 s by default and up to 15, sendmail's greet_pause up to 20, Exchange's tarpit 5."""


class NoUpgrade(PeerFailure):
    """The server does not go over to TLS; the message is its answer."""

    outcome = Outcome.COMPLETED


async def come_to_tls(stream: Stream, service: Service, security: Security, *, behind: bytes = b"") -> None:
    """Send the commands before the hello. `behind` goes in one segment with the command that asks for the upgrade; nothing else is pipelined.

    Raises NoUpgrade where the server will not, Throttled where it will not now, Denied where it greets with a
    refusal, OffProtocol for what is not the service or for bytes that follow its consent.
    """
    if security is Security.IMPLICIT:
        return
    reader = await _STEPS[service](stream, behind)
    if reader.take_rest() or stream.take_unread():
        raise OffProtocol("the server went on in clear after it agreed to TLS")


async def _greeting(stream: Stream, reader: ReplyReader, take: Callable[[], T | None]) -> T:
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            return await hear(stream, reader, take)
    except TimeoutError:
        raise TimeoutError(f"no greeting within {GREETING_SECONDS:g} s") from None


async def _pop3(stream: Stream, behind: bytes) -> ReplyReader:
    reader = Pop3Reader()
    greeting = await _greeting(stream, reader, reader.next_reply)
    if not greeting.ok:
        raise refused_service(greeting.text)
    await stream.send(b"STLS\r\n" + behind)
    answer = await hear(stream, reader, reader.next_reply)
    if not answer.ok:
        raise _not_upgraded("STLS", answer.text)
    return reader


async def _smtp(stream: Stream, behind: bytes) -> ReplyReader:
    reader = SmtpReader()

    async def ask(command: str, behind: bytes = b"") -> SmtpReply:
        reader.drop_unasked()
        await stream.send(f"{command}\r\n".encode() + behind)
        return await hear(stream, reader, reader.next_reply)

    greeting = await _greeting(stream, reader, reader.next_reply)
    if greeting.kind != 2:
        raise refused_service(greeting.words)
    answer = await say_ehlo(stream, reader, ask)
    if answer.kind != 2:
        raise _not_upgraded("EHLO", answer.last) if knows_no_ehlo(answer) else refused_service(answer.words, "EHLO is refused")
    answer = await ask("STARTTLS", behind)
    if answer.code != 220:
        raise _not_upgraded("STARTTLS", answer.last)
    return reader


async def _imap(stream: Stream, behind: bytes) -> ReplyReader:
    reader = ImapReader()
    greeting = await _greeting(stream, reader, reader.next_greeting)
    if greeting.kind == "PREAUTH":
        raise NoUpgrade(f"the server takes us for signed in already: {greeting.text[:200]}")
    if greeting.kind != "OK":
        raise refused_service(greeting.text)
    await stream.send(b"a1 STARTTLS\r\n" + behind)
    answer = await hear(stream, reader, lambda: reader.next_answer("a1"))
    if answer.last.kind == "BYE":
        raise said_goodbye(answer.last.text)
    if not answer.ok:
        raise _not_upgraded("STARTTLS", answer.last.text)
    return reader


def refused_service(words: str, what: str = "the server greets with a refusal") -> PeerFailure:
    """What to raise where a server will not serve us: for now, or not at all."""
    return (Throttled if refused_for_now(words) else Denied)(f"{what}: {' '.join(words.split())[:200]}")


def said_goodbye(words: str) -> PeerFailure:
    """What to raise where an IMAP server says BYE in the middle (RFC 9051 section 7.1.5)."""
    return (Throttled if refused_for_now(words) else PeerClosed)(f"the server says goodbye: {words[:200]}")


def _not_upgraded(command: str, words: str) -> PeerFailure:
    return (Throttled if refused_for_now(words) else NoUpgrade)(f"{command} is refused: {words[:200]}")


_STEPS: dict[Service, Callable[[Stream, bytes], Awaitable[ReplyReader]]] = {Service.POP3: _pop3, Service.SMTP: _smtp, Service.IMAP: _imap}
