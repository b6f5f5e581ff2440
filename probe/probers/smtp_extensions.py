"""SMTP: the greeting, and the extensions that EHLO lists before TLS and under it.

What is sent, in this order:

1. nothing, until the greeting has arrived;
2. `EHLO` with our own address as an address literal (RFC 5321 section 4.1.4), repeated with this machine's name where that is refused;
3. without implicit TLS, where STARTTLS is listed or EHLO is not supported: `STARTTLS`, the handshake, and `EHLO` again;
4. where the greeting does not identify a product: `HELP`, for its reply, positive or negative;
5. `QUIT`.

It names no sender and no recipient, does not sign in, and changes nothing. It cannot show whether a sign-in with a mechanism that
is offered would succeed, nor whether mail would be accepted.
"""

from __future__ import annotations

import asyncio

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.net.failures import OffProtocol, PeerFailure, PlaintextInsteadOfTls, Throttled
from probe.net.replies import hear, say_ehlo
from probe.net.starttls import refused_service
from probe.net.stream import shown_bytes
from probe.probing import (
    CONNECTION_KEYS,
    PATIENCE_AT_LEAVE_SECONDS,
    Dial,
    Effect,
    EndpointSubject,
    Notebook,
    Prober,
    Scope,
    Stream,
    converse,
    note_connection,
    note_no_tls,
    refuse_overlong,
)
from probe.tables.marks import matches
from probe.wire.refusals import refused_for_now
from probe.wire.smtp import SmtpReader, SmtpReply, extensions, knows_no_ehlo, mechanisms, offers, own_line


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    await converse(dial, notes, lambda stream: _SmtpConversation(stream, notes).hold())


class _SmtpConversation:
    def __init__(self, stream: Stream, notes: Notebook) -> None:
        self._stream = stream
        self._reader = SmtpReader()
        self._notes = notes
        self._greeting = ""

    async def hold(self) -> None:
        is_implicit = self._stream.session is not None
        if is_implicit:
            note_connection(self._notes, self._stream, "implicit")
            for key in (v.STARTTLS_OFFERED, v.STARTTLS_EXTRA_BYTES, v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN):
                self._notes.missing(key, Why.NOT_APPLICABLE, "the endpoint has implicit TLS")
        await self._hear_greeting()
        if not is_implicit and not await self._upgrade():
            return
        await self._list(v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS)
        await self._take_leave()

    async def _hear_greeting(self) -> None:
        greeting = await self._reply()
        self._greeting = greeting.words
        evidence = self._evidence(greeting)
        self._notes.observed(v.PROTOCOL_SPOKEN, True, *evidence[:1])
        if not refuse_overlong(self._notes, greeting.lines, v.PROTOCOL_GREETING):
            self._notes.declared(v.PROTOCOL_GREETING, greeting.words, *evidence)
        if greeting.kind != 2:
            raise refused_service(greeting.words)

    def _evidence(self, reply: SmtpReply) -> tuple[TranscriptLine, ...]:
        return self._stream.evidence(*(line[:200] for line in reply.lines[:3]))

    async def _upgrade(self) -> bool:
        """Start TLS; False where the server does not offer it."""
        listed = await self._list(v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN)
        if listed is not None:
            is_offered = offers(listed, "STARTTLS")
            self._notes.declared(v.STARTTLS_OFFERED, is_offered, *self._stream.evidence("STARTTLS"))
            if not is_offered:
                await self._end_without_tls("STARTTLS is not offered")
                return False
        answer = await self._ask("STARTTLS")
        if listed is None and (answer.code == 220 or answer.kind == 5):
            self._notes.observed(v.STARTTLS_OFFERED, answer.code == 220, *self._evidence(answer))
        if answer.code != 220:
            if answer.kind not in (4, 5):
                raise OffProtocol(f"a reply that SMTP does not allow here: {answer.last}")
            if refused_for_now(answer.words):
                raise Throttled(f"STARTTLS is refused for now: {answer.last}")
            await self._end_without_tls(f"STARTTLS is refused: {answer.last}")
            return False
        extra = self._reader.take_rest() + self._stream.take_unread()
        if not extra:
            try:
                await self._stream.start_tls()
            except PlaintextInsteadOfTls as plain:
                extra = plain.data
        self._notes.observed(v.STARTTLS_EXTRA_BYTES, shown_bytes(extra))
        if extra:
            raise OffProtocol("the server sent unencrypted data after it agreed to TLS; that data is ignored")
        note_connection(self._notes, self._stream, "starttls")
        return True

    async def _end_without_tls(self, reason: str) -> None:
        note_no_tls(
            self._notes,
            (*CONNECTION_KEYS, v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS, v.STARTTLS_EXTRA_BYTES, v.SMTP_SIZE_LIMIT_BYTES),
            reason,
        )
        await self._take_leave()

    async def _take_leave(self) -> None:
        """Send HELP, where it may show more, and QUIT. A failure here affects nothing else, because everything else is known."""

        key = v.SMTP_HELP
        try:
            if matches(Service.SMTP, "greeting", self._greeting):
                self._notes.missing(key, Why.NOT_APPLICABLE, "the greeting names the product")
            else:
                async with asyncio.timeout(PATIENCE_AT_LEAVE_SECONDS):
                    await self._last_words("HELP", key)
            key = v.PROTOCOL_FAREWELL
            async with asyncio.timeout(PATIENCE_AT_LEAVE_SECONDS):
                await self._last_words("QUIT", key)
        except (PeerFailure, OSError):
            self._notes.missing(
                key, Why.NOT_DISCLOSED, f"the server gave no answer within {PATIENCE_AT_LEAVE_SECONDS:g} s, or none that could be read"
            )

    async def _last_words(self, command: str, key: FactKey[str]) -> None:
        answer = await self._ask(command)
        if not refuse_overlong(self._notes, answer.lines, key):
            self._notes.declared(key, answer.words, *self._evidence(answer))

    async def _list(self, capabilities: FactKey[tuple[str, ...]], login: FactKey[tuple[str, ...]]) -> tuple[str, ...] | None:
        """Send EHLO, and write what it lists. None where the server does not support it; raises Denied where both names are refused."""
        answer = await say_ehlo(self._stream, self._reader, self._ask)
        if answer.kind != 2:
            self._note_refused_ehlo(answer, capabilities, login)
            return None
        if answer.code != 250:
            raise OffProtocol(f"a reply that SMTP does not allow here: {answer.last}")
        name, listed = own_line(answer), extensions(answer)
        if refuse_overlong(self._notes, answer.texts, v.SMTP_EHLO_NAME, capabilities, login, v.SMTP_SIZE_LIMIT_BYTES):
            return listed
        if name is None:
            self._notes.missing(
                v.SMTP_EHLO_NAME, Why.NOT_DISCLOSED, "the reply to EHLO begins with an extension, without a line of the server's own"
            )
        else:
            self._notes.declared(v.SMTP_EHLO_NAME, name, *self._stream.evidence(name))
        self._notes.declared(capabilities, listed, *self._stream.evidence(*listed[:1]))
        self._notes.declared(login, mechanisms(listed), *self._stream.evidence("AUTH"))
        size = next((line.split() for line in listed if line.upper().split()[:1] == ["SIZE"]), None)
        if size is not None and all(number.isascii() and number.isdigit() and len(number) < 20 for number in size[1:2]):
            self._notes.declared(v.SMTP_SIZE_LIMIT_BYTES, int(size[1]) if size[1:] else 0, *self._stream.evidence("SIZE"))
        return listed

    def _note_refused_ehlo(self, answer: SmtpReply, capabilities: FactKey[tuple[str, ...]], login: FactKey[tuple[str, ...]]) -> None:
        if answer.kind == 5 and knows_no_ehlo(answer):
            for key in (capabilities, login):
                self._notes.missing(key, Why.NOT_DISCLOSED, f"EHLO is not supported: {answer.last}")
        elif answer.kind in (4, 5):
            raise refused_service(answer.words, "EHLO is refused")
        else:
            raise OffProtocol(f"a reply that SMTP does not allow here: {answer.last}")

    async def _ask(self, command: str) -> SmtpReply:
        """The text of the reply to a command."""
        self._reader.drop_unasked()
        await self._stream.send(f"{command}\r\n".encode())
        return await self._reply()

    async def _reply(self) -> SmtpReply:
        return await hear(self._stream, self._reader, self._reader.next_reply)


PROBER = Prober(
    id="smtp-extensions",
    title="reads the SMTP greeting and the extensions that EHLO lists before and under TLS",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.SMTP}),
    effect=Effect.READS,
    collects=(
        *CONNECTION_KEYS,
        v.PROTOCOL_SPOKEN,
        v.PROTOCOL_GREETING,
        v.PROTOCOL_FAREWELL,
        v.SMTP_HELP,
        v.SMTP_EHLO_NAME,
        v.PROTOCOL_CAPABILITIES_PLAIN,
        v.PROTOCOL_CAPABILITIES,
        v.AUTH_MECHANISMS_PLAIN,
        v.AUTH_MECHANISMS,
        v.SMTP_SIZE_LIMIT_BYTES,
        v.STARTTLS_OFFERED,
        v.STARTTLS_EXTRA_BYTES,
    ),
    probe=probe,
)
