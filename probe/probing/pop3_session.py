"""A conversation with a POP3 server up to a sign-in, and what is asked after it."""

from __future__ import annotations

import base64
import itertools

from probe.model.estate import Endpoint, Security
from probe.net.replies import hear
from probe.net.starttls import refused_service
from probe.probing import STRUCK, Account, Ending, NoMechanism, Stream, choose_mechanism
from probe.probing.proofs import ending_of_refusal
from probe.wire.pop3 import Pop3Reader, Pop3Reply, login_delay, mechanisms, takes_utf8_names
from probe.wire.sasl import apop_digest, decoded, mechanism


class Pop3Session:
    """One connection, TLS up and trusted. `open`, then `sign_in`, once; then what else is to be asked."""

    def __init__(self, stream: Stream, account: Account, endpoint: Endpoint) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = endpoint
        self._reader = Pop3Reader()
        self._greeting = ""
        self.login_delay: int | None = None
        """Seconds between logins that the server asks for, once it was opened."""
        self.was_let_in = False
        """Whether the login was accepted, whatever became of the command after it."""

    async def open(self) -> str | NoMechanism:
        """Hear the greeting and ask CAPA; how to sign in. Raises Throttled or Denied for a server that serves nobody."""
        if self._endpoint.security is Security.IMPLICIT:
            first = await self._reply()
            if not first.ok:
                raise refused_service(first.text)
            self._greeting = first.text
        listed = await self.ask("CAPA", multiline=True)
        self.login_delay = login_delay(listed.lines)
        offered = mechanisms(listed.lines, self._greeting) if listed.ok else ("USER",)
        offered = (*offered, *(("USER",) if not offered else ()))
        is_plain_text = (self._account.username + self._account.password.reveal()).isascii()
        # PLAIN carries UTF-8 (RFC 4616 section 2). What USER and PASS carry beyond ASCII is said only where `UTF8 USER` is listed (RFC 6856
        # section 2.2), and of LOGIN and CRAM-MD5 nowhere; so USER stays the first where PLAIN is not offered.
        is_user_defined = is_plain_text or takes_utf8_names(listed.lines) or "PLAIN" not in offered
        return choose_mechanism(self._account, offered, "USER" if is_user_defined else "PLAIN", last="APOP")

    async def sign_in(self, name: str) -> Pop3Reply:
        """One login, proved by `STAT`, which only a mailbox that is open answers. Gives the reply that ends it. Raises NotClaimed."""
        answer = await self._log_in(name)
        self.was_let_in = answer.ok
        if answer.ok:
            answer = await self.ask("STAT")
        await self._account.proof.end(Ending.ACCEPTED if answer.ok else ending_of_refusal(answer.text))
        return answer

    async def _log_in(self, name: str) -> Pop3Reply:
        account, secret = self._account, self._account.password.reveal()
        if name == "USER":
            await self._stream.send(f"USER {account.username}\r\n".encode())
            answer = await self._reply()
            if answer.ok:
                await account.proof.claim()
                await self._stream.send(f"PASS {secret}\r\n".encode(), shown=f"PASS {STRUCK}")
                answer = await self._reply()
            return answer
        if name == "APOP":
            digest = apop_digest(self._greeting, secret)
            await account.proof.claim()
            await self._stream.send(f"APOP {account.username} {digest}\r\n".encode(), shown=f"APOP {account.username} {STRUCK}")
            return await self._reply()
        exchange = mechanism(name, account.username, secret, self._endpoint.host, self._endpoint.port)
        await self._stream.send(f"AUTH {name}\r\n".encode())
        pending = exchange.first
        for number in itertools.count():
            challenge = await self._reply_or_challenge(is_first_of_ntlm=name == "NTLM" and pending is not None)
            if isinstance(challenge, Pop3Reply):
                return challenge
            said = exchange.respond(challenge) if pending is None else pending
            pending = None
            if number == exchange.proves_at:
                await account.proof.claim()
            await self._stream.send(base64.b64encode(said) + b"\r\n", shown=STRUCK)
        raise AssertionError("unreachable")

    async def ask(self, command: str, *, multiline: bool = False) -> Pop3Reply:
        """The reply to a command."""
        await self._stream.send(f"{command}\r\n".encode())
        return await self._reply(multiline=multiline)

    async def _reply(self, *, multiline: bool = False) -> Pop3Reply:
        return await hear(self._stream, self._reader, lambda: self._reader.next_reply(multiline=multiline))

    async def _reply_or_challenge(self, *, is_first_of_ntlm: bool) -> Pop3Reply | bytes:
        challenge: Pop3Reply | bytes = await hear(self._stream, self._reader, self._reader.next_challenge)
        if isinstance(challenge, Pop3Reply):
            # Exchange 2003 asks for the first message of NTLM by `+OK`.
            return b"" if challenge.ok and is_first_of_ntlm else challenge
        return decoded(challenge)
