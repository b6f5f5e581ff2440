"""A conversation with an IMAP server up to a sign-in, and what is asked after it.

Our own code reads the greeting and the capabilities. From the sign-in on, aioimaplib speaks, over a relay.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from probe.model.estate import Endpoint, Security
from probe.model.facts import Why
from probe.net.replies import hear
from probe.net.starttls import refused_service, said_goodbye
from probe.probing import Account, Ending, NoMechanism, Stream, choose_mechanism
from probe.probing.proofs import ending_of_refusal
from probe.wire.imap import ImapReader, capabilities, mechanisms
from probe.wire.sasl import mechanism

if TYPE_CHECKING:
    from probe.net.imap_client import CommandResult, ImapClient


class ImapSession:
    """One connection, TLS up and trusted. `async with` it: `open`, then `sign_in`, once; then `client` asks what else is to be asked."""

    def __init__(self, stream: Stream, account: Account, endpoint: Endpoint) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = endpoint
        self._reader = ImapReader()
        self._lent = AsyncExitStack()
        self._has_command = False
        """Whether LOGIN may be said, which takes no more than ASCII (RFC 9051 section 6.2.3)."""
        self.capabilities: frozenset[str] = frozenset()
        """What was listed before the sign-in, upper-case."""
        self.was_let_in = False
        """Whether the login was accepted, whatever became of the command after it."""
        self.client: ImapClient
        """There from the sign-in on."""

    async def __aenter__(self) -> ImapSession:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._lent.__aexit__(kind, error, trace)

    async def open(self) -> str | NoMechanism:
        """Hear the greeting and ask for the capabilities; how to sign in. Raises Throttled or Denied for a server that serves nobody."""
        if self._endpoint.security is Security.IMPLICIT:
            greeting = await hear(self._stream, self._reader, self._reader.next_greeting)
            if greeting.kind == "PREAUTH":
                return NoMechanism(Why.NOT_APPLICABLE, "the server considers the connection signed in without a sign-in")
            if greeting.kind != "OK":
                raise refused_service(greeting.text)
        await self._stream.send(b"A1 CAPABILITY\r\n")
        answer = await hear(self._stream, self._reader, lambda: self._reader.next_answer("A1"))
        if answer.last.kind == "BYE":
            raise said_goodbye(answer.last.text)
        listed = capabilities(answer) or ()
        self.capabilities = frozenset(word.upper() for word in listed)
        is_plain_text = (self._account.username + self._account.password.reveal()).isascii()
        self._has_command = "LOGINDISABLED" not in self.capabilities and is_plain_text
        if self._has_command:
            return choose_mechanism(self._account, mechanisms(listed), "LOGIN")
        chosen = choose_mechanism(self._account, [name for name in mechanisms(listed) if f"AUTH={name}" in self.capabilities], "")
        if isinstance(chosen, NoMechanism) and chosen.why is Why.NOT_APPLICABLE and not is_plain_text:
            return NoMechanism(Why.NOT_ATTEMPTED, f"LOGIN cannot carry a non-ASCII user name or password, and {chosen.detail}")
        return chosen

    async def sign_in(self, name: str) -> CommandResult:
        """One LOGIN or AUTHENTICATE, proved by an inbox that can be opened: EXAMINE marks nothing as seen (RFC 9051 section 6.3.3).

        A login that Microsoft takes with the wrong scope is refused only there, and so is a client that Coremail does not like.
        Gives what ends it. Raises NotClaimed.
        """
        from probe.net.imap_client import lend_to_imap  # which brings aioimaplib

        account = self._account
        self.client = await self._lent.enter_async_context(lend_to_imap(self._stream, self._reader, count=1))
        # The library asks for no leave between the challenge and its answer, so the claim comes first.
        await account.proof.claim()
        try:
            told = await self._log_in(name)
        finally:
            if not self.client.has_proved:
                await account.proof.release()
        self.was_let_in = told.ok
        if told.ok:
            told = await self.client.examine("INBOX")
        await account.proof.end(Ending.ACCEPTED if told.ok else ending_of_refusal(told.words))
        return told

    async def _log_in(self, name: str) -> CommandResult:
        account, secret = self._account, self._account.password.reveal()
        if name == "LOGIN" and self._has_command:
            return await self.client.login(account.username, secret)
        return await self.client.authenticate(mechanism(name, account.username, secret, self._endpoint.host, self._endpoint.port))

    async def leave(self) -> None:
        """Send LOGOUT, and wait for no reply."""
        await self._stream.send(b"A0 LOGOUT\r\n")
