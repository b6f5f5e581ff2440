"""POP3 with a sign-in: one login, proved by one more command.

What is sent, in this order, over TLS with a certificate that was verified for the host name (`STLS` first, with `pop3://`):

1. `CAPA`, which lists the mechanisms;
2. one login: `USER` and `PASS` where they are offered, or where no mechanism is listed; else `AUTH` with PLAIN, LOGIN or CRAM-MD5; else
   `APOP`, if the greeting has a timestamp and came under TLS; else `AUTH NTLM`. Where the profile signs in with OAuth, `AUTH` with XOAUTH2 or OAUTHBEARER, and
   the secret is the access token. The command and the data after it go in separate lines, as Microsoft's servers require;
3. `STAT`, which needs an open mailbox;
4. `QUIT`.

Whatever the answer, there is no second login. It changes nothing in the mailbox: nothing is read, marked or deleted. A server locks
the mailbox for the short time of the session. A wrong password counts as one failed login.

What it cannot show: why a login was refused, where the server's reply fits several causes.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Why
from probe.probing import (
    LOGIN_KEYS,
    Account,
    Dial,
    Effect,
    LoginSubject,
    NoMechanism,
    Notebook,
    Prober,
    Scope,
    Stream,
    converse_signed_in,
    note_login,
    note_no_login,
)
from probe.probing.pop3_session import Pop3Session


async def probe(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream, account: Account) -> None:
        session = Pop3Session(stream, account, subject.endpoint)
        name = await session.open()
        if session.login_delay is None:
            notes.missing(v.POP3_LOGIN_DELAY_SECONDS, Why.NOT_DISCLOSED, "the server requires no pause between logins")
        else:
            notes.declared(v.POP3_LOGIN_DELAY_SECONDS, session.login_delay, *stream.evidence("LOGIN-DELAY"))
        if isinstance(name, NoMechanism):
            note_no_login(notes, name.why, name.detail)
        else:
            answer = await session.sign_in(name)
            note_login(notes, name, "" if answer.ok else answer.text, *stream.evidence(answer.text[:200]), was_let_in=session.was_let_in)
        await stream.send(b"QUIT\r\n")

    await converse_signed_in(subject, dial, notes, talk)


PROBER = Prober(
    id="pop3-login",
    title="signs in to POP3 once, and sends STAT",
    scope=Scope.LOGIN,
    services=frozenset({Service.POP3}),
    effect=Effect.LOGS_IN,
    collects=(*LOGIN_KEYS, v.POP3_LOGIN_DELAY_SECONDS),
    probe=probe,
)
