"""POP3, signed in: one login, proved by one more command.

What is sent, in this order, over TLS whose certificate was verified for the very name (`STLS` first, with `pop3://`):

1. `CAPA`, to see how one may sign in;
2. one login: `USER` and `PASS` where they are offered, or where nothing is said of it; else `AUTH` with PLAIN, LOGIN or CRAM-MD5; else
   `APOP`, if the greeting has a stamp and came under TLS; else `AUTH NTLM`. Where the profile signs in with OAuth, `AUTH` with XOAUTH2 or OAUTHBEARER, and
   the secret is the access token. The command and what follows it go in lines of their own, as Microsoft's servers want it;
3. `STAT`, which only a mailbox that is open answers;
4. `QUIT`.

Whatever is answered, there is no second login. It changes nothing in the mailbox: nothing is read, marked or deleted. A server locks
the mailbox for as long as the session lasts, which is a moment. A wrong password counts as one failed login.

What it cannot tell: why a login was refused, where the server's words fit several causes.
"""

from __future__ import annotations

import base64
import binascii

from probe.model import vocabulary as v
from probe.model.estate import Security, Service
from probe.model.facts import Why
from probe.net.failures import Denied, PeerClosed, Throttled
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
from probe.wire.lines import WireError
from probe.wire.pop3 import Pop3Reader, Reply, login_delay, mechanisms
from probe.wire.sasl import MAX_CHALLENGE_BYTES, apop_digest, mechanism

_LATER = ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]")


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
        self._reader = Pop3Reader()

    async def hold(self) -> None:
        greeting = ""
        if self._endpoint.security is Security.IMPLICIT:
            first = await self._reply()
            if not first.ok:
                raise (Throttled if _is_for_now(first.text) else Denied)(f"the server greets with a refusal: {first.text[:200]}")
            greeting = first.text
        await self._stream.send(b"CAPA\r\n")
        listed = await self._reply(multiline=True)
        delay = login_delay(listed.lines)
        if delay is None:
            self._notes.missing(v.POP3_LOGIN_DELAY_SECONDS, Why.NOT_DISCLOSED, "the server asks for no time between logins")
        else:
            self._notes.declared(v.POP3_LOGIN_DELAY_SECONDS, delay, *self._stream.evidence("LOGIN-DELAY"))
        offered = mechanisms(listed.lines, greeting) if listed.ok else ("USER",)
        name = login_mechanism(self._account, (*offered, *(("USER",) if not offered else ())), "USER", self._notes, last="APOP")
        if name is None:
            await self._stream.send(b"QUIT\r\n")
            return
        answer = await self._sign_in(name, greeting)
        if answer.ok:
            await self._stream.send(b"STAT\r\n")
            answer = await self._reply()
        note_login(self._notes, name, "" if answer.ok else answer.text, *self._stream.evidence(answer.text[:200]))
        await self._stream.send(b"QUIT\r\n")

    async def _sign_in(self, name: str, greeting: str) -> Reply:
        account, secret = self._account, self._account.password.reveal()
        if name == "USER":
            await self._stream.send(f"USER {account.username}\r\n".encode())
            answer = await self._reply()
            if answer.ok:
                await self._stream.send(f"PASS {secret}\r\n".encode(), shown=f"PASS {STRUCK}")
                answer = await self._reply()
            return answer
        if name == "APOP":
            digest = apop_digest(greeting, secret)
            await self._stream.send(f"APOP {account.username} {digest}\r\n".encode(), shown=f"APOP {account.username} {STRUCK}")
            return await self._reply()
        exchange = mechanism(name, account.username, secret, self._endpoint.host, self._endpoint.port)
        await self._stream.send(f"AUTH {name}\r\n".encode())
        pending = exchange.first
        while isinstance(challenge := await self._reply_or_challenge(is_first_of_ntlm=name == "NTLM" and pending is not None), bytes):
            said = exchange.respond(challenge) if pending is None else pending
            pending = None
            await self._stream.send(base64.b64encode(said) + b"\r\n", shown=STRUCK)
        return challenge

    async def _reply(self, *, multiline: bool = False) -> Reply:
        while (reply := self._reader.next_reply(multiline=multiline)) is None:
            await self._feed()
        return reply

    async def _reply_or_challenge(self, *, is_first_of_ntlm: bool) -> Reply | bytes:
        while (challenge := self._reader.next_challenge()) is None:
            await self._feed()
        if isinstance(challenge, Reply):
            # Exchange 2003 asks for the first message of NTLM by `+OK`.
            return b"" if challenge.ok and is_first_of_ntlm else challenge
        try:
            return base64.b64decode(challenge[:MAX_CHALLENGE_BYTES], validate=True)
        except binascii.Error:
            raise WireError("a challenge that is not base64") from None

    async def _feed(self) -> None:
        data = await self._stream.receive()
        if not data:
            raise PeerClosed("the server closed the connection in the middle of the sign-in")
        self._reader.feed(data)


def _is_for_now(text: str) -> bool:
    return any(code in text.upper() for code in _LATER)


PROBER = Prober(
    id="pop3-login",
    title="signs in to POP3 once, and asks STAT",
    services=frozenset({Service.POP3}),
    effect=Effect.LOGS_IN,
    signs_in=True,
    collects=(*LOGIN_KEYS, v.POP3_LOGIN_DELAY_SECONDS),
    probe=probe,
)
