"""IMAP: the greeting, the capabilities before TLS and under it, and the server's ID.

What is sent, in this order, each with a tag of its own:

1. nothing, until the greeting has arrived;
2. without implicit TLS: `CAPABILITY`, then `STARTTLS` if it is listed, or if there is no list; then the handshake,
   after which nothing received before it is trusted. A server that greets with PREAUTH is past that point
   (RFC 9051 section 6.2.1), and gets no STARTTLS;
3. `CAPABILITY` (again), and `ID NIL` (RFC 2971), which tells the server nothing about this program; even where ID is not listed, because
   servers answer it anyway. Without TLS, `ID NIL` is sent unencrypted;
4. `LOGOUT`.

It does not sign in and changes nothing. It cannot show whether a sign-in with an offered mechanism would succeed, nor
whether the server's ID is true.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.net.failures import OffProtocol, PlaintextInsteadOfTls, Throttled
from probe.net.replies import hear
from probe.net.starttls import refused_service, said_goodbye
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
from probe.wire.imap import ImapAnswer, ImapReader, announced_capabilities, capabilities, identity, mechanisms
from probe.wire.lines import WireError
from probe.wire.refusals import refused_for_now


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    await converse(dial, notes, lambda stream: _ImapConversation(stream, notes).hold())


class _ImapConversation:
    def __init__(self, stream: Stream, notes: Notebook) -> None:
        self._stream = stream
        self._notes = notes
        self._reader = ImapReader()
        self._commands = 0
        self._announced: tuple[str, ...] | None = None
        """The capabilities in the greeting; None where it has none, or is no longer trusted."""

    async def hold(self) -> None:
        is_implicit = self._stream.session is not None
        if is_implicit:
            note_connection(self._notes, self._stream, "implicit")
            for key in (v.STARTTLS_OFFERED, v.STARTTLS_EXTRA_BYTES, v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN):
                self._notes.missing(key, Why.NOT_APPLICABLE, "the endpoint has implicit TLS")
        is_signed_in = await self._hear_greeting()
        if is_implicit or await self._upgrade(is_signed_in):
            await self._ask_capabilities(v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS)
        await self._ask_identity()
        self._commands += 1
        tag = f"a{self._commands}".encode()
        await take_leave(self._stream, self._notes, tag + b" LOGOUT\r\n", last=tag)

    async def _hear_greeting(self) -> bool:
        """Whether the greeting was PREAUTH."""
        greeting = await hear(self._stream, self._reader, self._reader.next_greeting)
        evidence = self._stream.evidence(greeting.text[:200])
        self._notes.observed(v.PROTOCOL_SPOKEN, True, *evidence)
        if not refuse_overlong(self._notes, [greeting.text], v.PROTOCOL_GREETING):
            self._notes.declared(v.PROTOCOL_GREETING, greeting.text, *evidence)
        if greeting.kind not in ("OK", "PREAUTH"):
            raise refused_service(greeting.text)
        self._notes.observed(v.IMAP_PREAUTH, greeting.kind == "PREAUTH", *evidence)
        self._announced = announced_capabilities(greeting)
        return greeting.kind == "PREAUTH"

    async def _upgrade(self, is_signed_in: bool) -> bool:
        """Start TLS; False where the server does not offer it."""
        listed = await self._ask_capabilities(v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN)
        if listed is not None:
            is_offered = "STARTTLS" in (name.upper() for name in listed)
            self._notes.declared(v.STARTTLS_OFFERED, is_offered, *self._stream.evidence("STARTTLS"))
            if not is_offered:
                self._note_no_tls("STARTTLS is not offered")
                return False
        if is_signed_in:
            self._notes.missing(
                v.STARTTLS_OFFERED,
                Why.NOT_DISCLOSED,
                "the server considers the connection signed in (PREAUTH), so STARTTLS is not possible",
            )
            self._note_no_tls("the server considers the connection signed in before TLS (PREAUTH), so STARTTLS is not possible")
            return False
        answer = await self._ask("STARTTLS")
        told = answer.last.text
        if listed is None and (answer.ok or not refused_for_now(told)):
            self._notes.observed(v.STARTTLS_OFFERED, answer.ok, *self._stream.evidence(told[:200]))
        if not answer.ok:
            if refused_for_now(told):
                raise Throttled(f"STARTTLS is refused for now: {told[:200]}")
            self._note_no_tls(f"STARTTLS is refused: {told[:200]}")
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
        self._announced = None
        return True

    def _note_no_tls(self, reason: str) -> None:
        note_no_tls(self._notes, (*CONNECTION_KEYS, v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS, v.STARTTLS_EXTRA_BYTES), reason)

    async def _ask_capabilities(self, key: FactKey[tuple[str, ...]], login: FactKey[tuple[str, ...]]) -> tuple[str, ...] | None:
        """Request the capabilities, and write them and the mechanisms among them. None where the server lists nothing."""
        answer = await self._ask("CAPABILITY")
        listed = capabilities(answer) if answer.ok else None
        if listed is None:
            listed = self._announced
        if listed is None:
            is_refused = "the answer to CAPABILITY has no list" if answer.ok else "CAPABILITY is refused"
            for missing in (key, login):
                self._notes.missing(missing, Why.NOT_DISCLOSED, f"{is_refused}: {answer.last.text[:200]}")
        elif not refuse_overlong(self._notes, listed, key, login):
            evidence = self._stream.evidence(" ".join(listed)[:200]) or self._stream.evidence(answer.last.text[:200])
            self._notes.declared(key, listed, *evidence)
            self._notes.declared(login, mechanisms(listed), *evidence)
        return listed

    async def _ask_identity(self) -> None:
        answer = await self._ask("ID NIL")
        if not answer.ok:
            self._notes.missing(v.IMAP_ID, Why.NOT_DISCLOSED, f"ID is refused: {answer.last.text[:200]}")
            return
        try:
            fields = identity(answer)
        except WireError as malformed:
            # It does not affect the rest of the conversation, which ends here.
            self._notes.missing(v.IMAP_ID, Why.OFF_PROTOCOL, f"the server sent {malformed}")
            return
        if fields is None:
            self._notes.missing(v.IMAP_ID, Why.NOT_DISCLOSED, f"the answer to ID has no fields: {answer.last.text[:200]}")
            return
        told = tuple(name if value is None else f"{name}={value}" for name, value in fields)
        if not refuse_overlong(self._notes, told, v.IMAP_ID):
            said = [response.text[: len("* ID (")] for response in answer.untagged if response.kind == "ID"]
            self._notes.declared(v.IMAP_ID, told, *self._stream.evidence(*said[-1:]))

    async def _ask(self, command: str) -> ImapAnswer:
        tag = await self._send(command)
        answer = await hear(self._stream, self._reader, lambda: self._reader.next_answer(tag))
        if answer.last.kind == "BYE":
            raise said_goodbye(answer.last.text)
        return answer

    async def _send(self, command: str) -> str:
        self._commands += 1
        tag = f"a{self._commands}"
        await self._stream.send(f"{tag} {command}\r\n".encode())
        return tag


PROBER = Prober(
    id="imap-capabilities",
    title="reads the IMAP greeting, the capabilities before and under TLS, and the server's ID",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.IMAP}),
    effect=Effect.READS,
    collects=(
        *CONNECTION_KEYS,
        v.PROTOCOL_SPOKEN,
        v.PROTOCOL_GREETING,
        v.PROTOCOL_FAREWELL,
        v.IMAP_PREAUTH,
        v.PROTOCOL_CAPABILITIES_PLAIN,
        v.PROTOCOL_CAPABILITIES,
        v.AUTH_MECHANISMS_PLAIN,
        v.AUTH_MECHANISMS,
        v.IMAP_ID,
        v.STARTTLS_OFFERED,
        v.STARTTLS_EXTRA_BYTES,
    ),
    probe=probe,
)
