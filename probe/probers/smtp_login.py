"""SMTP, signed in: one AUTH, proved by one more command.

What is sent, in this order, over TLS whose certificate was verified for the very name (`EHLO` and `STARTTLS` first, with `smtp://`):

1. `EHLO`, to see how one may sign in;
2. one `AUTH` with PLAIN, LOGIN, CRAM-MD5 or NTLM; where the profile signs in with OAuth, with XOAUTH2 or OAUTHBEARER, and the secret is the
   access token. What the mechanism says at once goes on the same line (RFC 4954 section 4);
3. `NOOP`, and `QUIT`. No mail is sent.

Whatever is answered, there is no second AUTH. It changes nothing. A wrong password counts as one failed login.

What it cannot tell: whether the account may send, since that shows only with a message; nor why a login was refused, where the
server's words fit several causes.
"""

from __future__ import annotations

import base64
import binascii

from probe.model.estate import Security, Service
from probe.net.failures import Denied, OffProtocol, PeerClosed, Throttled
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
)
from probe.wire.lines import LineBuffer, WireError, as_text
from probe.wire.sasl import MAX_CHALLENGE_BYTES, mechanism

MAX_REPLY_LINES = 200


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
        self._lines = LineBuffer()

    async def hold(self) -> None:
        if self._endpoint.security is Security.IMPLICIT:
            greeting = await self._reply()
            if not greeting[-1].startswith("2"):
                kind = Throttled if greeting[-1].startswith("4") else Denied
                raise kind(f"the server greets with a refusal: {greeting[-1][:200]}")
        own = self._stream.local_address
        answer = await self._ask(f"EHLO [{'IPv6:' if ':' in own else ''}{own}]")
        if not answer[-1].startswith("2"):
            raise (Throttled if answer[-1].startswith("4") else Denied)(f"EHLO is refused: {answer[-1][:200]}")
        name = login_mechanism(self._account, _mechanisms(answer), "", self._notes)
        if name is not None:
            answer = await self._sign_in(name)
            if answer[-1].startswith("235"):
                answer = await self._ask("NOOP")
            is_in = answer[-1].startswith("2")
            note_login(self._notes, name, "" if is_in else "\n".join(answer), *self._stream.evidence(answer[-1][:200]))
        await self._stream.send(b"QUIT\r\n")

    async def _sign_in(self, name: str) -> list[str]:
        exchange = mechanism(name, self._account.username, self._account.password.reveal(), self._endpoint.host, self._endpoint.port)
        first = "" if exchange.first is None else " " + base64.b64encode(exchange.first).decode()
        answer = await self._ask(f"AUTH {name}{first}", shown=f"AUTH {name}{first and ' ' + STRUCK}")
        while answer[-1].startswith("334"):
            try:
                challenge = base64.b64decode(answer[-1][4:].strip()[:MAX_CHALLENGE_BYTES], validate=True)
            except (binascii.Error, ValueError):
                if exchange.first is not None or name != "LOGIN":
                    raise WireError("a challenge that is not base64") from None
                challenge = b""  # some ask for the user name in clear
            answer = await self._ask(base64.b64encode(exchange.respond(challenge)).decode(), shown=STRUCK)
        return answer

    async def _ask(self, command: str, *, shown: str | None = None) -> list[str]:
        await self._stream.send(f"{command}\r\n".encode(), shown=shown)
        return await self._reply()

    async def _reply(self) -> list[str]:
        """The lines of one reply, each with its code (RFC 5321 section 4.2)."""
        found: list[str] = []
        while True:
            while (line := self._lines.next_line()) is None:
                data = await self._stream.receive()
                if not data:
                    raise PeerClosed("the server closed the connection in the middle of the sign-in")
                self._lines.feed(data)
            text = as_text(line)
            if not text[:3].isdigit() or text[3:4] not in ("", " ", "-"):
                raise OffProtocol(f"not an SMTP reply: {text[:80]!r}")
            found.append(text)
            if text[3:4] != "-":
                return found
            if len(found) == MAX_REPLY_LINES:
                raise OffProtocol(f"a reply of more than {MAX_REPLY_LINES} lines")


def _mechanisms(answer: list[str]) -> tuple[str, ...]:
    """The mechanisms of `AUTH`, and of the old `AUTH=`; each once, in order."""
    found: list[str] = []
    for line in answer:
        words = line[4:].upper().replace("AUTH=", "AUTH ", 1).split()
        if words[:1] == ["AUTH"]:
            found += words[1:]
    return tuple(dict.fromkeys(found))


PROBER = Prober(
    id="smtp-login",
    title="signs in to SMTP once, and says NOOP",
    services=frozenset({Service.SMTP}),
    effect=Effect.LOGS_IN,
    signs_in=True,
    collects=LOGIN_KEYS,
    probe=probe,
)
