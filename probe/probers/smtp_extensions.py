"""SMTP: the greeting, and what EHLO lists before TLS and under it.

What is sent, in this order, through aiosmtplib over a relay:

1. nothing, until the greeting has come;
2. `EHLO` with our own address as an address literal (RFC 5321 section 4.1.4);
3. where TLS is yet to come and STARTTLS is listed: `STARTTLS`, the handshake, and `EHLO` again;
4. where the greeting is no mark of a known product: `HELP`, for its words or those of its refusal;
5. `QUIT`.

It names no sender and no recipient, logs nobody in, and changes nothing. It cannot tell whether a mechanism that
is offered would let anybody in, nor whether mail would be taken.
"""

from __future__ import annotations

import aiosmtplib

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import FactKey, Why
from probe.net.failures import OffProtocol, PlaintextInsteadOfTls
from probe.net.relay import SmtpRelay, lend, smtp_failures
from probe.net.stream import shown_bytes
from probe.probing import (
    CONNECTION_KEYS,
    PATIENCE_AT_LEAVE_SECONDS,
    Dial,
    Effect,
    Notebook,
    Prober,
    Stream,
    Subject,
    converse,
    note_connection,
    note_no_tls,
    refuse_overlong,
)
from probe.tables.marks import matches
from probe.wire.lines import as_text
from probe.wire.smtp import address_literal, mechanisms


async def probe(subject: Subject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream) -> None:
        async with lend(stream, SmtpRelay) as relay:
            with smtp_failures(relay):
                await _Conversation(stream, relay, notes).hold()

    await converse(dial, notes, talk)


class _Conversation:
    def __init__(self, stream: Stream, relay: SmtpRelay, notes: Notebook) -> None:
        self._stream = stream
        self._relay = relay
        self._notes = notes
        self._greeting = ""
        self._client = aiosmtplib.SMTP(
            sock=relay.library_end, use_tls=False, start_tls=False, local_hostname=address_literal(stream.local_address), timeout=None
        )

    async def hold(self) -> None:
        is_implicit = self._stream.session is not None
        if is_implicit:
            note_connection(self._notes, self._stream, "implicit")
            for key in (v.STARTTLS_OFFERED, v.STARTTLS_EXTRA_BYTES, v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN):
                self._notes.missing(key, Why.NOT_APPLICABLE, "TLS is there from the first byte")
        try:
            await self._hear_greeting()
            if not is_implicit and not await self._upgrade():
                return
            await self._ask(v.PROTOCOL_CAPABILITIES, v.AUTH_MECHANISMS)
            await self._take_leave()
        finally:
            self._client.close()

    async def _hear_greeting(self) -> None:
        try:
            greeting = await self._client.connect()
        except aiosmtplib.SMTPConnectResponseError as refused:
            if refused.code >= 0:
                self._note_greeting(refused.code, refused.message)
            raise
        self._note_greeting(greeting.code, greeting.message)

    def _note_greeting(self, code: int, message: str) -> None:
        said = _said(code, _lines(message))
        self._greeting = "\n".join(said)
        evidence = self._stream.evidence(*(line[:200] for line in said[:3]))
        self._notes.observed(v.PROTOCOL_SPOKEN, True, *evidence[:1])
        if not refuse_overlong(self._notes, said, v.PROTOCOL_GREETING):
            self._notes.declared(v.PROTOCOL_GREETING, "\n".join(said), *evidence)

    async def _upgrade(self) -> bool:
        """Come to TLS; False where the server does not offer it."""
        listed = await self._ask(v.PROTOCOL_CAPABILITIES_PLAIN, v.AUTH_MECHANISMS_PLAIN)
        is_offered = "STARTTLS" in (line.strip().upper() for line in listed)
        self._notes.declared(v.STARTTLS_OFFERED, is_offered, *self._stream.evidence("STARTTLS"))
        if not is_offered:
            await self._end_without_tls("STARTTLS is not offered")
            return False
        self._relay.hold_after_reply()
        answer = await self._client.execute_command(b"STARTTLS")
        if answer.code != 220:
            self._relay.resume()
            if not 500 <= answer.code <= 599:
                raise aiosmtplib.SMTPResponseException(answer.code, answer.message)
            await self._end_without_tls(
                f"STARTTLS is refused: {answer.code} {as_text(answer.message.encode('utf-8', 'surrogateescape'))[:200]}"
            )
            return False
        try:
            extra = await self._relay.upgrade()
        except PlaintextInsteadOfTls as plain:
            extra = plain.data
        self._notes.observed(v.STARTTLS_EXTRA_BYTES, shown_bytes(extra))
        if extra:
            raise OffProtocol("the server went on in clear after it agreed to TLS; nothing of that is believed")
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
        """HELP, where more is to be learnt by it, and QUIT. What becomes of them spoils nothing: all else is known by now."""
        key = v.SMTP_HELP
        try:
            if matches(Service.SMTP, "greeting", self._greeting):
                self._notes.missing(key, Why.NOT_APPLICABLE, "the greeting names the product")
            else:
                await self._last_words(b"HELP", key)
            key = v.PROTOCOL_FAREWELL
            await self._last_words(b"QUIT", key)
        except (aiosmtplib.SMTPException, ConnectionError):
            self._notes.missing(
                key, Why.NOT_DISCLOSED, f"the server gave no answer within {PATIENCE_AT_LEAVE_SECONDS:g} s, or none that could be read"
            )

    async def _last_words(self, command: bytes, key: FactKey[str]) -> None:
        answer = await self._client.execute_command(command, timeout=PATIENCE_AT_LEAVE_SECONDS)
        said = _said(answer.code, _lines(answer.message))
        if not refuse_overlong(self._notes, said, key):
            self._notes.declared(key, "\n".join(said), *self._stream.evidence(*(line[:200] for line in said[:3])))

    async def _ask(self, capabilities: FactKey[tuple[str, ...]], login: FactKey[tuple[str, ...]]) -> list[str]:
        """Say EHLO, and write down what it lists."""
        try:
            answer = await self._client.ehlo()
        except aiosmtplib.SMTPHeloError as refused:
            if not 500 <= refused.code <= 599:
                # Later, or an answer to something else: neither says what the server has to offer.
                raise
            self._notes.missing(capabilities, Why.NOT_DISCLOSED, f"EHLO is refused: {refused.code} {_lines(refused.message)[0][:200]}")
            self._notes.missing(login, Why.NOT_DISCLOSED, "EHLO is refused")
            return []
        first, *listed = lines = [self._whole(line) for line in _lines(answer.message)]
        if refuse_overlong(self._notes, lines, v.SMTP_EHLO_NAME, capabilities, login, v.SMTP_SIZE_LIMIT_BYTES):
            return listed
        self._notes.declared(v.SMTP_EHLO_NAME, first, *self._stream.evidence(first))
        self._notes.declared(capabilities, tuple(listed), *self._stream.evidence(*listed[:1]))
        self._notes.declared(login, mechanisms(listed), *self._stream.evidence("AUTH"))
        size = next((line.split() for line in listed if line.upper().split()[:1] == ["SIZE"]), None)
        if size is not None and all(number.isascii() and number.isdigit() and len(number) < 20 for number in size[1:2]):
            self._notes.declared(v.SMTP_SIZE_LIMIT_BYTES, int(size[1]) if size[1:] else 0, *self._stream.evidence("SIZE"))
        return listed

    def _whole(self, line: str) -> str:
        """A line with its first letter, where the server left out what stands between it and the code (GMX was seen to say `250AUTH LOGIN`)."""
        heard = self._stream.heard(line)
        if heard is None or heard.text[3:4] in ("", " ", "-") or heard.text[4:] != line:
            return line
        return heard.text[3:]


def _lines(message: str) -> list[str]:
    """The lines of a reply as aiosmtplib gives them, printable."""
    return [as_text(line.encode("utf-8", "surrogateescape")) for line in message.split("\n")]


def _said(code: int, lines: list[str]) -> list[str]:
    """The lines of a reply as they stood on the wire."""
    return [f"{code}{' ' if number == len(lines) else '-'}{line}" for number, line in enumerate(lines, 1)]


PROBER = Prober(
    id="smtp-extensions",
    title="hears the SMTP greeting and says EHLO, before and under TLS",
    services=frozenset({Service.SMTP}),
    effect=Effect.READS,
    signs_in=False,
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
