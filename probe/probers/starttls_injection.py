"""POP3, SMTP and IMAP: whether a command that is sent unencrypted after STLS or STARTTLS is executed under TLS.

With such a server, an attacker who can write into the connection before TLS can have commands executed as if the client had sent them
(https://nostarttls.secvuln.info). What is sent, over a connection that begins without TLS:

1. for SMTP, `EHLO`;
2. in one segment, `STLS` or `STARTTLS`, followed by a harmless command: `CAPA`, `NOOP` or `CAPABILITY`;
3. the handshake, and under TLS `QUIT` or `LOGOUT`.

A server that answers the second command under TLS has executed it. One that only answers `QUIT` or `LOGOUT` has discarded it.
Where the connection breaks off, the conversation is repeated with nothing after the upgrade command: if that succeeds, the server broke off for
that reason, which is correct behaviour.

It tests for a weakness and may be logged as an attack, so it runs only when it is allowed. It does not sign
in and changes nothing. It shows nothing about faults of clients, such as the effect of injected replies on them.
"""

from __future__ import annotations

import asyncio

from probe.model import vocabulary as v
from probe.model.estate import Security, Service
from probe.model.facts import Why
from probe.net.failures import OffProtocol, PeerClosed, TlsFailed
from probe.net.starttls import NoUpgrade, come_to_tls
from probe.net.stream import Stream
from probe.probing import Dial, Effect, EndpointSubject, Notebook, Prober, Scope
from probe.wire.lines import LineBuffer, as_text

_BEHIND = {Service.POP3: b"CAPA\r\n", Service.SMTP: b"NOOP\r\n", Service.IMAP: b"a2 CAPABILITY\r\n"}
_LEAVE = {Service.POP3: b"QUIT\r\n", Service.SMTP: b"QUIT\r\n", Service.IMAP: b"a3 LOGOUT\r\n"}
_TAKEN = {Service.POP3: "+OK", Service.SMTP: "250", Service.IMAP: "a2 OK"}
"""The beginning of the reply to the command after the upgrade command."""
_LEFT = {Service.POP3: "+OK", Service.SMTP: "221", Service.IMAP: "a3 OK"}
_MAX_LINES = 200
_ANSWERS_SECONDS = 5.0
"""Seconds for replies under TLS, after QUIT or LOGOUT was sent."""


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    service, key = subject.endpoint.service, v.STARTTLS_TAKES_INJECTED
    if subject.endpoint.security is Security.IMPLICIT:
        notes.missing(key, Why.NOT_APPLICABLE, "the endpoint has implicit TLS")
        return

    async def with_command(stream: Stream) -> None:
        if not await _upgraded(stream, service, notes, behind=_BEHIND[service]):
            return
        told = await _told_after_leave(stream, service)
        if not told:
            raise PeerClosed("the server said nothing under TLS")
        # Replies of POP3 are alike, so they are counted; the others differ by code or tag.
        answers = [line for line in told if line.upper().startswith(_TAKEN[service].upper())]
        is_taken = len(answers) > 1 if service is Service.POP3 else bool(answers)
        notes.observed(key, is_taken, *stream.evidence(*told[:2]))

    async def without(stream: Stream) -> None:
        await _upgraded(stream, service, notes, behind=b"")

    try:
        await dial.converse(with_command)
    except (PeerClosed, TlsFailed, ConnectionError, OffProtocol) as broken:
        if notes.knows(key):
            raise
        note = dial.note(f"the connection ended after a command sent behind the upgrade: {broken}")
        await dial.converse(without)
        if not notes.knows(key):
            notes.observed(key, False, *((note,) if note else ()))


async def _upgraded(stream: Stream, service: Service, notes: Notebook, *, behind: bytes) -> bool:
    """Start TLS with bytes after the command. False, with the reason noted, where the server does not start TLS."""
    try:
        await come_to_tls(stream, service, Security.UPGRADE, behind=behind)
    except NoUpgrade as refused:
        notes.missing(v.STARTTLS_TAKES_INJECTED, Why.NOT_APPLICABLE, f"there is no upgrade to TLS: {refused}")
        return False
    await stream.start_tls()
    return True


async def _told_after_leave(stream: Stream, service: Service) -> list[str]:
    """The lines under TLS until the connection ends, or the reply to QUIT or LOGOUT has come."""
    told: list[str] = []
    buffer = LineBuffer()
    try:
        async with asyncio.timeout(_ANSWERS_SECONDS):
            await stream.send(_LEAVE[service])
            while len(told) < _MAX_LINES and (data := await stream.receive()):
                buffer.feed(data)
                while (line := buffer.next_line()) is not None:
                    told.append(as_text(line))
                if service is not Service.POP3 and any(line.startswith(_LEFT[service]) for line in told):
                    break
    except (TimeoutError, OSError):
        pass
    return told


PROBER = Prober(
    id="starttls-injection",
    title="sends an unencrypted command after STLS or STARTTLS, and tests whether it is executed under TLS",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.POP3, Service.SMTP, Service.IMAP}),
    effect=Effect.PROVOKES,
    collects=(v.STARTTLS_TAKES_INJECTED,),
    probe=probe,
)
