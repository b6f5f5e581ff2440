"""A conversation with an SMTP server up to a sign-in, command by command."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from probe.model.estate import Endpoint, Security
from probe.net.replies import hear, say_ehlo
from probe.net.smtp_client import submit
from probe.net.starttls import refused_service
from probe.probing import STRUCK, Account, Ending, NoMechanism, Stream, choose_mechanism
from probe.probing.proofs import ending_of_refusal
from probe.wire.lines import WireError
from probe.wire.sasl import decoded, mechanism
from probe.wire.smtp import SmtpReader, SmtpReply, extensions, mechanisms


class SmtpSession:
    """One connection, TLS up and trusted. `open`, then `sign_in`, once; then what else is to be asked."""

    def __init__(self, stream: Stream, account: Account, endpoint: Endpoint) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = endpoint
        self._reader = SmtpReader()
        self.was_let_in = False
        """Whether AUTH was accepted, whatever became of the command after it."""
        self.extensions: frozenset[str] = frozenset()
        """Keywords that EHLO listed, upper-case, once it was opened."""

    async def open(self) -> str | NoMechanism:
        """Hear the greeting and say EHLO; how to sign in. Raises Throttled or Denied for a server that serves nobody."""
        if self._endpoint.security is Security.IMPLICIT:
            greeting = await self._reply()
            if greeting.kind != 2:
                raise refused_service(greeting.words)
        answer = await say_ehlo(self._stream, self._reader, self.ask)
        if answer.kind != 2:
            raise refused_service(answer.words, "EHLO is refused")
        listed = extensions(answer)
        self.extensions = frozenset(word.upper() for line in listed for word in line.split()[:1])
        return choose_mechanism(self._account, mechanisms(listed), "")

    async def sign_in(self, name: str) -> SmtpReply:
        """One AUTH, proved by `NOOP`. Gives the reply that ends it: 250 where the account is let in. Raises NotClaimed."""
        answer = await self._log_in(name)
        self.was_let_in = answer.code == 235
        if self.was_let_in:
            answer = await self.ask("NOOP")
        await self._account.proof.end(Ending.ACCEPTED if answer.kind == 2 else ending_of_refusal(answer.words))
        return answer

    async def _log_in(self, name: str) -> SmtpReply:
        account = self._account
        exchange = mechanism(name, account.username, account.password.reveal(), self._endpoint.host, self._endpoint.port)
        first = "" if exchange.first is None else " " + base64.b64encode(exchange.first).decode()
        said = 0 if exchange.first is None else 1
        if said > exchange.proves_at:
            await account.proof.claim()
        answer = await self.ask(f"AUTH {name}{first}", shown=f"AUTH {name}{first and ' ' + STRUCK}")
        while answer.code == 334:
            try:
                challenge = decoded(answer.texts[-1])
            except WireError:
                if exchange.first is not None or name != "LOGIN":
                    raise
                challenge = b""  # some ask for the user name in clear
            response = exchange.respond(challenge)
            if said == exchange.proves_at:
                await account.proof.claim()
            said += 1
            answer = await self.ask(base64.b64encode(response).decode(), shown=STRUCK)
        return answer

    async def ask(self, command: str, *, shown: str | None = None) -> SmtpReply:
        """The reply to a command. `shown` stands in the transcript for a secret."""
        self._reader.drop_unasked()
        await self._stream.send(f"{command}\r\n".encode(), shown=shown)
        return await self._reply()

    async def submit(self, envelope: Sequence[str], message: bytes) -> tuple[bool, SmtpReply]:
        """As `probe.net.smtp_client.submit`, once the account is let in."""
        return await submit(self._stream, self._reader, envelope, message)

    async def _reply(self) -> SmtpReply:
        return await hear(self._stream, self._reader, self._reader.next_reply)
