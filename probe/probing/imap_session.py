"""A conversation with an IMAP server up to a sign-in, and what is asked after it."""

from __future__ import annotations

import base64

from probe.model.estate import Endpoint, Security
from probe.model.facts import Why
from probe.net.failures import PeerClosed, Throttled
from probe.probing import STRUCK, Account, NoMechanism, Stream, choose_mechanism
from probe.wire.imap import Answer, ImapReader, capabilities, mechanisms, quoted
from probe.wire.sasl import decoded, mechanism


class ImapSession:
    """One connection, TLS up and trusted. `open`, then `sign_in`, once; then what else is to be asked."""

    def __init__(self, stream: Stream, account: Account, endpoint: Endpoint) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = endpoint
        self._reader = ImapReader()
        self._count = 0
        self._has_command = False
        """Whether LOGIN may be said, which takes no more than ASCII (RFC 9051 section 6.2.3)."""
        self.capabilities: frozenset[str] = frozenset()
        """What was listed before the sign-in, upper-case."""

    async def open(self) -> str | NoMechanism:
        """Hear the greeting and ask for the capabilities; how to sign in. Raises Throttled for a server that says BYE."""
        if self._endpoint.security is Security.IMPLICIT:
            while (greeting := self._reader.next_greeting()) is None:
                await self._feed()
            if greeting.kind == "BYE":
                raise Throttled(f"the server greets with a refusal: {greeting.text[:200]}")
            if greeting.kind == "PREAUTH":
                return NoMechanism(Why.NOT_APPLICABLE, "the server takes us for signed in without being asked")
        listed = await self.ask_capabilities()
        is_plain_text = (self._account.username + self._account.password.reveal()).isascii()
        self._has_command = "LOGINDISABLED" not in self.capabilities and is_plain_text
        return choose_mechanism(self._account, mechanisms(listed), "LOGIN" if self._has_command else "")

    async def ask_capabilities(self) -> tuple[str, ...]:
        """The capabilities of this moment, as written."""
        listed = capabilities(await self.ask("CAPABILITY")) or ()
        self.capabilities = frozenset(word.upper() for word in listed)
        return listed

    async def sign_in(self, name: str) -> Answer:
        """One LOGIN or AUTHENTICATE. Gives the answer that ends it."""
        account, secret = self._account, self._account.password.reveal()
        if name == "LOGIN" and self._has_command:
            return await self.ask(f"LOGIN {quoted(account.username)} {quoted(secret)}", shown=f"LOGIN {STRUCK}")
        exchange = mechanism(name, account.username, secret, self._endpoint.host, self._endpoint.port)
        tag = self._tag()
        await self._stream.send(f"{tag} AUTHENTICATE {name}\r\n".encode())
        pending = exchange.first
        while isinstance(challenge := await self._answer_or_challenge(tag), bytes):
            said = exchange.respond(challenge) if pending is None else pending
            pending = None
            await self._stream.send(base64.b64encode(said) + b"\r\n", shown=STRUCK)
        return challenge

    async def ask(self, command: str, *, shown: str | None = None) -> Answer:
        """The answer to a command. `shown` stands in the transcript for one with a secret."""
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
        return decoded(found)

    async def leave(self) -> None:
        """Say LOGOUT, and wait for nothing."""
        await self._stream.send(f"{self._tag()} LOGOUT\r\n".encode())

    def _tag(self) -> str:
        self._count += 1
        return f"a{self._count}"

    async def _feed(self) -> None:
        data = await self._stream.receive()
        if not data:
            raise PeerClosed("the server closed the connection in the middle of the sign-in")
        self._reader.feed(data)
