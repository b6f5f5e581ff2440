"""POP3: the greeting, and the capabilities before TLS and under it.

What is sent, in this order:

1. nothing, until the greeting has arrived;
2. without implicit TLS: `CAPA`, then `STLS` if it is listed, or if `CAPA` is refused; then the handshake;
3. `CAPA` (again), and where that is refused, `AUTH` without arguments, which lists mechanisms on some servers;
4. `QUIT`.

It does not sign in and changes nothing. It cannot show whether a sign-in with an offered mechanism would succeed.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.net.failures import OffProtocol, PlaintextInsteadOfTls, Throttled
from probe.net.replies import hear
from probe.net.starttls import refused_service
from probe.net.stream import shown_bytes
from probe.probing import (
    CONNECTION_KEYS,
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
    take_leave,
)
from probe.wire.pop3 import Pop3Reader, Pop3Reply, mechanisms
from probe.wire.refusals import refused_for_now


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    await converse(dial, notes, lambda stream: _Pop3Conversation(stream, notes).hold())


class _Pop3Conversation:
    def __init__(self, stream: Stream, notes: Notebook) -> None:
        self._stream = stream
        self._notes = notes
        self._reader = Pop3Reader()
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
        await self._ask(v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS)
        await take_leave(self._stream, self._notes, b"QUIT\r\n")

    async def _hear_greeting(self) -> None:
        greeting = await self._reply()
        self._greeting = greeting.text
        evidence = self._stream.evidence(greeting.text[:200])
        self._notes.observed(v.PROTOCOL_SPOKEN, True, *evidence)
        if not refuse_overlong(self._notes, [greeting.text], v.PROTOCOL_GREETING):
            self._notes.declared(v.PROTOCOL_GREETING, greeting.text, *evidence)
        if not greeting.ok:
            raise refused_service(greeting.text)

    async def _upgrade(self) -> bool:
        """Start TLS; False where the server does not offer it."""
        listed = await self._ask(v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN)
        if listed is not None:
            names = [line.upper().split()[0] for line in listed if line.split()]
            self._notes.declared(v.STARTTLS_OFFERED, "STLS" in names, *self._stream.evidence("STLS"))
            if "STLS" not in names:
                await self._end_without_tls("STLS is not offered")
                return False
        await self._stream.send(b"STLS\r\n")
        answer = await self._reply()
        if listed is None and (answer.ok or not refused_for_now(answer.text)):
            self._notes.observed(v.STARTTLS_OFFERED, answer.ok, *self._stream.evidence(answer.text))
        if not answer.ok:
            if refused_for_now(answer.text):
                raise Throttled(f"STLS is refused for now: {answer.text[:200]}")
            await self._end_without_tls(f"STLS is refused: {answer.text[:200]}")
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
        note_no_tls(self._notes, (*CONNECTION_KEYS, v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS, v.STARTTLS_EXTRA_BYTES), reason)
        await take_leave(self._stream, self._notes, b"QUIT\r\n")

    async def _ask(self, capabilities: FactKey[tuple[str, ...]], login: FactKey[tuple[str, ...]]) -> tuple[str, ...] | None:
        """Request capabilities and mechanisms, and write both. None where CAPA is refused."""
        await self._stream.send(b"CAPA\r\n")
        answer = await self._reply(multiline=True)
        if answer.ok:
            if not refuse_overlong(self._notes, answer.lines, capabilities, login):
                evidence = self._stream.evidence(answer.lines[0]) if answer.lines else self._stream.evidence(answer.text)
                self._notes.declared(capabilities, answer.lines, *evidence)
                self._notes.declared(login, mechanisms(answer.lines, self._greeting), *(self._stream.evidence("SASL") or evidence))
            return answer.lines
        self._notes.missing(capabilities, Why.NOT_DISCLOSED, f"CAPA is refused: {answer.text[:200]}")
        await self._stream.send(b"AUTH\r\n")
        answer = await self._reply(multiline=True)
        if answer.ok and not refuse_overlong(self._notes, answer.lines, login):
            listed = [f"SASL {line}" for line in answer.lines]
            self._notes.declared(login, mechanisms(listed, self._greeting), *self._stream.evidence(answer.text))
        elif not answer.ok:
            self._notes.missing(login, Why.NOT_DISCLOSED, f"neither CAPA nor AUTH lists mechanisms: {answer.text[:200]}")
        return None

    async def _reply(self, *, multiline: bool = False) -> Pop3Reply:
        return await hear(self._stream, self._reader, lambda: self._reader.next_reply(multiline=multiline))


PROBER = Prober(
    id="pop3-capabilities",
    title="reads the POP3 greeting and the capabilities before and under TLS",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.POP3}),
    effect=Effect.READS,
    collects=(
        *CONNECTION_KEYS,
        v.PROTOCOL_SPOKEN,
        v.PROTOCOL_GREETING,
        v.PROTOCOL_FAREWELL,
        v.PROTOCOL_CAPABILITIES_PLAIN,
        v.PROTOCOL_CAPABILITIES,
        v.AUTH_MECHANISMS_PLAIN,
        v.AUTH_MECHANISMS,
        v.STARTTLS_OFFERED,
        v.STARTTLS_EXTRA_BYTES,
    ),
    probe=probe,
)
