"""A conversation with an SMTP server up to a sign-in, command by command."""

from __future__ import annotations

import base64

from probe.model.estate import Endpoint, Security
from probe.net.failures import Denied, OffProtocol, PeerClosed, Throttled
from probe.probing import STRUCK, Account, Ending, NoMechanism, Stream, choose_mechanism
from probe.probing.proofs import ending_of_refusal
from probe.wire.lines import LineBuffer, WireError, as_text
from probe.wire.sasl import decoded, mechanism
from probe.wire.smtp import address_literal, mechanisms

MAX_REPLY_LINES = 200


class SmtpSession:
    """One connection, TLS up and trusted. `open`, then `sign_in`, once; then what else is to be asked."""

    def __init__(self, stream: Stream, account: Account, endpoint: Endpoint) -> None:
        self._stream = stream
        self._account = account
        self._endpoint = endpoint
        self._lines = LineBuffer()
        self.extensions: frozenset[str] = frozenset()
        """Keywords that EHLO listed, upper-case, once it was opened."""

    async def open(self) -> str | NoMechanism:
        """Hear the greeting and say EHLO; how to sign in. Raises Throttled or Denied for a server that serves nobody."""
        if self._endpoint.security is Security.IMPLICIT:
            greeting = await self.reply()
            if not greeting[-1].startswith("2"):
                kind = Throttled if greeting[-1].startswith("4") else Denied
                raise kind(f"the server greets with a refusal: {greeting[-1][:200]}")
        answer = await self.ask(f"EHLO {address_literal(self._stream.local_address)}")
        if not answer[-1].startswith("2"):
            raise (Throttled if answer[-1].startswith("4") else Denied)(f"EHLO is refused: {answer[-1][:200]}")
        extensions = [line[3:].lstrip(" -") for line in answer]  # GMX was seen to say `250AUTH LOGIN`
        self.extensions = frozenset(word.upper() for line in extensions[1:] for word in line.split()[:1])
        return choose_mechanism(self._account, mechanisms(extensions), "")

    async def sign_in(self, name: str) -> list[str]:
        """One AUTH, proved by `NOOP`. Gives the reply that ends it: 250 where the account is let in. Raises NotClaimed."""
        answer = await self._log_in(name)
        if answer[-1].startswith("235"):
            answer = await self.ask("NOOP")
        await self._account.proof.end(Ending.ACCEPTED if answer[-1].startswith("2") else ending_of_refusal("\n".join(answer)))
        return answer

    async def _log_in(self, name: str) -> list[str]:
        account = self._account
        exchange = mechanism(name, account.username, account.password.reveal(), self._endpoint.host, self._endpoint.port)
        first = "" if exchange.first is None else " " + base64.b64encode(exchange.first).decode()
        said = 0 if exchange.first is None else 1
        if said > exchange.proves_at:
            await account.proof.claim()
        answer = await self.ask(f"AUTH {name}{first}", shown=f"AUTH {name}{first and ' ' + STRUCK}")
        while answer[-1].startswith("334"):
            try:
                challenge = decoded(answer[-1][4:].strip())
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

    async def ask(self, command: str, *, shown: str | None = None) -> list[str]:
        """The lines of the reply to a command. `shown` stands in the transcript for a secret."""
        await self._stream.send(f"{command}\r\n".encode(), shown=shown)
        return await self.reply()

    async def reply(self) -> list[str]:
        """The lines of one reply, each with its code (RFC 5321 section 4.2)."""
        found: list[str] = []
        while True:
            while (line := self._lines.next_line()) is None:
                data = await self._stream.receive()
                if not data:
                    raise PeerClosed("the server closed the connection in the middle of the sign-in")
                self._lines.feed(data)
            text = as_text(line)
            if not text[:3].isdigit() or not (text[3:4] in ("", " ", "-") or text[3:].upper().startswith("AUTH")):
                raise OffProtocol(f"not an SMTP reply: {text[:80]!r}")
            found.append(text)
            if text[3:4] != "-":
                return found
            if len(found) == MAX_REPLY_LINES:
                raise OffProtocol(f"a reply of more than {MAX_REPLY_LINES} lines")
