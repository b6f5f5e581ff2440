"""The round trip: one marked message from the mailbox to itself, sent by SMTP, fetched by POP3, IMAP or EWS, and deleted.

It runs only where both servers accepted the account a moment ago. What is sent, over TLS verified for the host names:

1. to the incoming server: a sign-in, then `STAT` and `UIDL n` of the last message (POP3), or `ID` where it is listed, and `SELECT INBOX` (IMAP),
   which show what was there before;
2. to the outgoing server: a sign-in, then, through aiosmtplib over a relay, `MAIL`, `RCPT` and `DATA` with a message of a few lines, from the mailbox to itself, whose subject
   ends in 128 random bits. A non-ASCII address is sent as it is, with `SMTPUTF8`, where the server lists that; else its domain as
   A-labels; where that is not enough, there is no sign-in and nothing is sent;
3. to the incoming server, at growing intervals until shortly before the end of the attempt: with POP3 a sign-in, `STAT`, and for at most
   20 new messages `UIDL`, `LIST`, and for those of about the right size `TOP n 0`; with IMAP `UID SEARCH` for the subject, and
   `UID FETCH` of that header line by `BODY.PEEK`, which marks nothing as read; with EWS a sign-in, and `FindItem` in the inbox for what has
   exactly that subject;
4. where the subject is exactly that of the message: `DELE` of its number, after `UIDL` has given the same id again; or `UID STORE` and
   `UID EXPUNGE` of that one UID. Where a server has no `UIDPLUS`, the message is marked as deleted and stays, since a bare `EXPUNGE`
   would delete other messages too. With EWS `DeleteItem` of that one id, without a copy in the folder of deleted messages.

It leaves nothing behind where it succeeds. A message that was not found in time may still arrive and then stays, as does one that was filed
in another folder than the inbox. No other message is opened, marked or deleted; of new ones, POP3 reads the header.

A pause between logins that the server requires is kept, or no message is sent.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER
from probe.model.estate import Service
from probe.model.facts import Why
from probe.net.failures import expected
from probe.net.starttls import NoUpgrade
from probe.probing import Account, Dial, Effect, Notebook, Prober, RoundTripSubject, Scope
from probe.probing.imap_session import ImapSession
from probe.probing.inboxes import RESERVE_SECONDS, EwsInbox, ImapInbox, Inbox, MarkedMessage, Pop3Inbox, require_let_in, wanted_mechanism
from probe.probing.smtp_session import SmtpSession
from probe.wire.mail_address import smtp_address

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
LOST_AFTER_SECONDS = 3.0
"""The least time of looking before a message counts as lost: one to the same mailbox takes under a second, and an attempt may have little time."""


async def probe(subject: RoundTripSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    account, incoming = subject.account, subject.incoming
    if any(character in account.mailbox for character in "<>\r\n\0 "):
        _nothing_sent(notes, Why.NOT_APPLICABLE, "the address contains characters that no message can carry")
        return
    way_in = dial.to(incoming)
    try:
        async with AsyncExitStack() as stack:
            inbox: Inbox
            if incoming.service is Service.EWS:
                inbox = EwsInbox(way_in, account)
            elif incoming.service is Service.IMAP:
                stream = await stack.enter_async_context(way_in.open_trusted())
                inbox = ImapInbox(await stack.enter_async_context(ImapSession(stream, account, incoming)), incoming)
            else:
                inbox = Pop3Inbox(way_in, account, incoming)
            await inbox.remember()
            message = MarkedMessage.fresh(account.mailbox)
            if await _send(message, account, dial, notes):
                await _await_return(message, inbox, dial, notes)
    except NoUpgrade as refused:
        _nothing_sent(notes, Why.DENIED, f"no credentials were sent, because there is no TLS: {refused}")
    finally:
        dial.connections += way_in.connections


def _nothing_sent(notes: Notebook, why: Why, detail: str) -> None:
    for key in PROBER.collects:
        notes.missing(key, why, detail)


async def _send(message: MarkedMessage, account: Account, dial: Dial, notes: Notebook) -> bool:
    """Send the message; returns whether the outgoing server accepted it."""
    async with dial.open_trusted() as stream:
        session = SmtpSession(stream, account, dial.endpoint)
        name = wanted_mechanism(await session.open(), dial.endpoint)
        address = smtp_address(message.address, takes_utf8="SMTPUTF8" in session.extensions)
        if address is None:
            _nothing_sent(notes, Why.NOT_ATTEMPTED, "the address has non-ASCII characters before the @, which need SMTPUTF8")
            await stream.send(b"QUIT\r\n")
            return False
        message = replace(message, address=address)
        parameter = "" if address.isascii() else " SMTPUTF8"
        answer = await session.sign_in(name)
        require_let_in(answer.kind == 2, answer.last, dial.endpoint)
        envelope = (f"MAIL FROM:<{message.address}>{parameter}", f"RCPT TO:<{message.address}>")
        taken, answer = await session.submit(envelope, message.octets())
        notes.observed(v.ROUNDTRIP_SENT, taken, *stream.evidence(answer.last))
        notes.heard(v.ROUNDTRIP_REPLY, answer.words, *stream.evidence(answer.last))
        await stream.send(b"QUIT\r\n")
    if not taken:
        for key in (v.ROUNDTRIP_RETURNED, v.ROUNDTRIP_MILLISECONDS, v.ROUNDTRIP_REMOVED):
            notes.missing(key, Why.NOT_APPLICABLE, "the server did not take the message")
    return taken


async def _await_return(message: MarkedMessage, inbox: Inbox, dial: Dial, notes: Notebook) -> None:
    """Look for the message at growing intervals, as long as there is time. Whatever happens, the reading names a message that may be left."""
    clock = asyncio.get_running_loop().time
    sent, pause = clock(), FIRST_PAUSE_SECONDS

    def leave(why: Why, words: str) -> None:
        for key in (v.ROUNDTRIP_RETURNED, v.ROUNDTRIP_MILLISECONDS, v.ROUNDTRIP_REMOVED):
            notes.missing(key, why, f"{words}; it may arrive late or be in another folder, and was not deleted: {message.subject}")

    # For the deadline, which may end this at any point.
    leave(Why.TIMED_OUT, "the message was not seen in time")
    try:
        while dial.remaining() > RESERVE_SECONDS + pause:
            await asyncio.sleep(pause)
            is_gone = await inbox.take(message)
            if is_gone is not None:
                notes.observed(v.ROUNDTRIP_RETURNED, True)
                notes.observed(v.ROUNDTRIP_MILLISECONDS, round((clock() - sent) * 1000))
                notes.observed(v.ROUNDTRIP_REMOVED, is_gone)
                return
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    except Exception as failed:
        if (named := expected(failed)) is not None:
            leave(WHY_AFTER[named[0]], f"the message was sent, and then {named[1]}")
        raise
    if clock() - sent >= LOST_AFTER_SECONDS:
        notes.observed(v.ROUNDTRIP_RETURNED, False)
    leave(Why.TIMED_OUT, f"the message was not in the inbox {clock() - sent:.0f} s after the server took it")


PROBER = Prober(
    id="mail-round-trip",
    title="sends one marked message to the mailbox itself, fetches it, and deletes it",
    scope=Scope.ROUND_TRIP,
    services=frozenset({Service.SMTP}),
    effect=Effect.SENDS_MAIL,
    collects=(v.ROUNDTRIP_SENT, v.ROUNDTRIP_REPLY, v.ROUNDTRIP_RETURNED, v.ROUNDTRIP_MILLISECONDS, v.ROUNDTRIP_REMOVED),
    probe=probe,
)
