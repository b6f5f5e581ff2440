"""IMAP, signed in: one login, proved by one more command.

What is sent, in this order, over TLS whose certificate was verified for the very name (`STARTTLS` first, with `imap://`):

1. `CAPABILITY`, to see how one may sign in;
2. one login: `LOGIN` unless it is disabled; else `AUTHENTICATE` with PLAIN, LOGIN, CRAM-MD5 or NTLM. Where the profile signs in with OAuth,
   `AUTHENTICATE` with XOAUTH2 or OAUTHBEARER, and the secret is the access token. Nothing is sent before the server asks for it;
3. `NAMESPACE` where it is listed, else `LIST` of no name: a login that Microsoft takes with the wrong scope is refused only here;
4. `LOGOUT`.

Whatever is answered, there is no second login. No mailbox is opened, so that nothing is read, marked or deleted. A wrong password
counts as one failed login.

What it cannot tell: why a login was refused, where the server's words fit several causes.
"""

from __future__ import annotations

import base64
import binascii

from probe.model.estate import Security, Service
from probe.model.facts import Why
from probe.net.failures import PeerClosed, Throttled
from probe.probing import (
    LOGIN_KEYS,
    STRUCK,
    Account,
    Dial,
    Effect,
    Notebook,
    Prober,
    Stream,
    Subject,
    converse_signed_in,
    login_mechanism,
    note_login,
    note_no_login,
)
from probe.wire.imap import Answer, ImapReader, capabilities, mechanisms, quoted
from probe.wire.lines import WireError
from probe.wire.sasl import MAX_CHALLENGE_BYTES, mechanism


async def probe(subject: Subject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream, account: Account) -> None:
        await _Conversation(stream, account, subject, notes).hold()

    await converse_signed_in(subject, dial, notes, talk)


class _Conversation:
    def __init__(self, stream: Stream, account: Account, subject: Subject, notes: Notebook) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = subject.endpoint
        self._notes = notes
        self._reader = ImapReader()
        self._count = 0
        self._has_command = False
        """Whether LOGIN may be said, which takes no more than ASCII (RFC 9051 section 6.2.3)."""

    async def hold(self) -> None:
        if self._endpoint.security is Security.IMPLICIT:
            while (greeting := self._reader.next_greeting()) is None:
                await self._feed()
            if greeting.kind == "BYE":
                raise Throttled(f"the server greets with a refusal: {greeting.text[:200]}")
            if greeting.kind == "PREAUTH":
                note_no_login(self._notes, Why.NOT_APPLICABLE, "the server takes us for signed in without being asked")
                return
        listed = capabilities(await self._ask("CAPABILITY")) or ()
        words_listed = frozenset(word.upper() for word in listed)
        is_plain_text = (self._account.username + self._account.password.reveal()).isascii()
        self._has_command = "LOGINDISABLED" not in words_listed and is_plain_text
        name = login_mechanism(self._account, mechanisms(listed), "LOGIN" if self._has_command else "", self._notes)
        if name is not None:
            answer = await self._sign_in(name)
            if answer.ok:
                answer = await self._ask("NAMESPACE" if "NAMESPACE" in words_listed else 'LIST "" ""')
            words = answer.last.text.partition(" ")[2]
            note_login(self._notes, name, "" if answer.ok else words, *self._stream.evidence(words[:200]))
        await self._stream.send(f"{self._tag()} LOGOUT\r\n".encode())

    async def _sign_in(self, name: str) -> Answer:
        account, secret = self._account, self._account.password.reveal()
        if name == "LOGIN" and self._has_command:
            return await self._ask(f"LOGIN {quoted(account.username)} {quoted(secret)}", shown=f"LOGIN {STRUCK}")
        exchange = mechanism(name, account.username, secret, self._endpoint.host, self._endpoint.port)
        tag = self._tag()
        await self._stream.send(f"{tag} AUTHENTICATE {name}\r\n".encode())
        pending = exchange.first
        while isinstance(challenge := await self._answer_or_challenge(tag), bytes):
            said = exchange.respond(challenge) if pending is None else pending
            pending = None
            await self._stream.send(base64.b64encode(said) + b"\r\n", shown=STRUCK)
        return challenge

    async def _ask(self, command: str, *, shown: str | None = None) -> Answer:
        tag = self._tag()
        await self._stream.send(f"{tag} {command}\r\n".encode(), shown=None if shown is None else f"{tag} {shown}")
        while (answer := self._reader.next_answer(tag)) is None:
            await self._feed()
        return answer

    async def _answer_or_challenge(self, tag: str) -> Answer | bytes:
        while (found := self._reader.next_answer_or_challenge(tag)) is None:
            await self._feed()
        if isinstance(found, Answer):
            return found
        try:
            return base64.b64decode(found[:MAX_CHALLENGE_BYTES], validate=True)
        except binascii.Error:
            raise WireError("a challenge that is not base64") from None

    def _tag(self) -> str:
        self._count += 1
        return f"a{self._count}"

    async def _feed(self) -> None:
        data = await self._stream.receive()
        if not data:
            raise PeerClosed("the server closed the connection in the middle of the sign-in")
        self._reader.feed(data)


PROBER = Prober(
    id="imap-login",
    title="signs in to IMAP once, and asks for the namespace",
    services=frozenset({Service.IMAP}),
    effect=Effect.LOGS_IN,
    signs_in=True,
    collects=LOGIN_KEYS,
    probe=probe,
)
