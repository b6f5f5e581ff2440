"""IMAP with a sign-in: one login, proved by opening the inbox.

What is sent, in this order, from 2 on through aioimaplib over a relay, over TLS with a certificate that was verified for the host name (`STARTTLS` first, with `imap://`):

1. `CAPABILITY`, which lists the mechanisms;
2. one login: `LOGIN` unless it is disabled; else `AUTHENTICATE` with PLAIN, LOGIN, CRAM-MD5 or NTLM. Where the profile signs in with OAuth,
   `AUTHENTICATE` with XOAUTH2 or OAUTHBEARER, and the secret is the access token. Nothing is sent before the server asks for it;
3. `EXAMINE INBOX`, which opens the inbox read-only: Microsoft refuses a token with the wrong scope only here, and
   Coremail (163.com) an unknown program;
4. `LOGOUT`.

Whatever the answer, there is no second login. No message is read, marked or deleted, and none loses its flag as a recent one (RFC 9051
section 6.3.3). A wrong password counts as one failed login.

What it cannot show: why a login was refused, where the server's reply fits several causes.
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
from probe.probing.imap_session import ImapSession


async def probe(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream, account: Account) -> None:
        async with ImapSession(stream, account, subject.endpoint) as session:
            name = await session.open()
            if isinstance(name, NoMechanism):
                note_no_login(notes, name.why, name.detail)
            else:
                told = await session.sign_in(name)
                note_login(notes, name, "" if told.ok else told.words, *stream.evidence(told.words[:200]), was_let_in=session.was_let_in)
            await session.leave()

    await converse_signed_in(subject, dial, notes, talk)


PROBER = Prober(
    id="imap-login",
    title="signs in to IMAP once, and opens the inbox read-only",
    scope=Scope.LOGIN,
    services=frozenset({Service.IMAP}),
    effect=Effect.LOGS_IN,
    collects=LOGIN_KEYS,
    probe=probe,
)
