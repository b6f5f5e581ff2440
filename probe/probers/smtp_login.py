"""SMTP with a sign-in: one AUTH, proved by one more command.

What is sent, in this order, over TLS with a certificate that was verified for the host name (`EHLO` and `STARTTLS` first, with `smtp://`):

1. `EHLO`, which lists the mechanisms;
2. one `AUTH` with PLAIN, LOGIN, CRAM-MD5 or NTLM; where the profile signs in with OAuth, with XOAUTH2 or OAUTHBEARER, and the secret is the
   access token. The mechanism's initial response goes on the same line (RFC 4954 section 4);
3. `NOOP`, and `QUIT`. No mail is sent.

Whatever the answer, there is no second AUTH. It changes nothing. A wrong password counts as one failed login.

What it cannot show: whether the account may send, which only a message shows; nor why a login was refused, where the
server's reply fits several causes.
"""

from __future__ import annotations

from probe.model.estate import Service
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
from probe.probing.smtp_session import SmtpSession


async def probe(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream, account: Account) -> None:
        session = SmtpSession(stream, account, subject.endpoint)
        name = await session.open()
        if isinstance(name, NoMechanism):
            note_no_login(notes, name.why, name.detail)
        else:
            answer = await session.sign_in(name)
            refusal = "" if answer.kind == 2 else answer.words
            note_login(notes, name, refusal, *stream.evidence(answer.last), was_let_in=session.was_let_in)
        await stream.send(b"QUIT\r\n")

    await converse_signed_in(subject, dial, notes, talk)


PROBER = Prober(
    id="smtp-login",
    title="signs in to SMTP once, and sends NOOP",
    scope=Scope.LOGIN,
    services=frozenset({Service.SMTP}),
    effect=Effect.LOGS_IN,
    collects=LOGIN_KEYS,
    probe=probe,
)
