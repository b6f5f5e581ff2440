"""The inbox in which the message of a round trip arrives: over POP3, IMAP or EWS."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Protocol

from probe.model.estate import Endpoint
from probe.model.values import dataclass
from probe.net.ews_requests import EwsRequest, MessageRemoval
from probe.net.ews_session import take_message
from probe.net.failures import Denied, OffProtocol, Throttled
from probe.net.http_exchange import HttpConnection, host_header
from probe.probing import Account, Dial, NoMechanism, Stream
from probe.probing.ews import EwsScheme, end_logon, scheme_for
from probe.probing.imap_session import ImapSession
from probe.probing.pop3_session import Pop3Session
from probe.wire.http_challenge import parse_challenges
from probe.wire.imap import quoted

CHILD_SHARE = 0.75
"""The share of the remaining time for the child's conversation with EWS; the rest is for starting it and receiving its result."""
RESERVE_SECONDS = 3.0
"""The time of the attempt that is reserved for fetching and deleting a late message."""
NEWEST = 20
"""Most new messages that are examined; a mailbox that gets more within seconds is not suited for a test."""
ADDED_BYTES = 64 * 1024
"""How much a message may grow on its way. Exchange Online adds 10 KiB of headers."""


@dataclass(frozen=True, slots=True)
class MarkedMessage:
    """A message that is recognized by its subject."""

    address: str
    subject: str

    @classmethod
    def fresh(cls, address: str) -> MarkedMessage:
        """A message to an address from itself, with 128 random bits in its subject."""
        return cls(address, f"probe round trip {secrets.token_hex(16)}")

    def octets(self) -> bytes:
        """The message as it is sent (RFC 5322)."""
        from email.utils import formatdate

        lines = (
            f"From: <{self.address}>",
            f"To: <{self.address}>",
            f"Subject: {self.subject}",
            f"Date: {formatdate()}",
            f"Message-ID: <{self.subject.rpartition(' ')[2]}@probe.invalid>",
            "Auto-Submitted: auto-generated",  # RFC 3834: prevents automatic replies
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "probe sends this message from a mailbox to itself to see whether mail arrives, and deletes it.",
            "If you can read it, it arrived late or elsewhere; it can be deleted.",
            "",
        )
        return "\r\n".join(lines).encode()


class Inbox(Protocol):
    """The inbox in which the message arrives."""

    async def remember(self) -> None:
        """Sign in, and record what is there before the message."""
        ...

    async def take(self, message: MarkedMessage) -> bool | None:
        """Look for the message and delete it. None where it is not there; else whether it was deleted."""
        ...


class Pop3Inbox:
    """A mailbox of POP3, which shows new messages only in a new session, so that each look needs a sign-in."""

    def __init__(self, dial: Dial, account: Account, endpoint: Endpoint) -> None:
        self._dial = dial
        self._account = account
        self._endpoint = endpoint
        self._delay = 0
        self._last = ""
        """The unique id of the newest earlier message; empty where there was none."""

    async def remember(self) -> None:
        async with self._dial.open_trusted() as stream:
            session = Pop3Session(stream, self._account, self._endpoint)
            wanted_mechanism(await session.open(), self._endpoint)
            self._delay = session.login_delay or 0
            await stream.send(b"QUIT\r\n")
        if self._delay and 2 * self._delay + RESERVE_SECONDS > self._dial.remaining():
            raise Throttled(
                f"the server wants {self._delay} s between logins, which takes more time than there is; no message was sent", self._delay
            )
        async with self._dial.open_trusted() as stream:
            session = await self._signed_in(stream)
            count = await _count(session)
            self._last = await _unique_id(session, count) if count else ""
            await session.ask("QUIT")

    async def take(self, message: MarkedMessage) -> bool | None:
        if self._delay > self._dial.remaining() - RESERVE_SECONDS:
            raise Throttled(f"the server wants {self._delay} s between logins, and there is no time left for that", self._delay)
        async with self._dial.open_trusted() as stream:
            session = await self._signed_in(stream)
            number = await self._find(session, message)
            is_marked = number is not None and (await session.ask(f"DELE {number}")).ok
            # The server deletes only at QUIT (RFC 1939 section 6).
            left = await session.ask("QUIT")
            return None if number is None else is_marked and left.ok

    async def _signed_in(self, stream: Stream) -> Pop3Session:
        await asyncio.sleep(self._delay)
        session = Pop3Session(stream, self._account, self._endpoint)
        name = wanted_mechanism(await session.open(), self._endpoint)
        answer = await session.sign_in(name)
        require_let_in(answer.ok, answer.text, self._endpoint)
        return session

    async def _find(self, session: Pop3Session, message: MarkedMessage) -> int | None:
        """The number of the message in this session."""
        count = await _count(session)
        for number in range(count, max(count - NEWEST, 0), -1):
            unique_id = await _unique_id(session, number)
            if unique_id == self._last:
                return None
            listed = (await session.ask(f"LIST {number}")).text.split()
            if len(listed) < 3 or not listed[2].isdigit() or int(listed[2]) > ADDED_BYTES:
                continue
            top = await session.ask(f"TOP {number} 0", multiline=True)
            if not top.ok:
                raise Denied(f"the server does not show headers (TOP), by which the message would be recognized: {top.text[:200]}")
            if _is_subject(top.lines, message) and await _unique_id(session, number) == unique_id:
                return number
        return None


async def _count(session: Pop3Session) -> int:
    words = (await session.ask("STAT")).text.split()
    if len(words) < 2 or not (words[1].isascii() and words[1].isdigit()) or len(words[1]) > 9:
        raise OffProtocol("an answer to STAT without a number")
    return int(words[1])


async def _unique_id(session: Pop3Session, number: int) -> str:
    """RFC 1939 section 7: `+OK number id`."""
    answer = await session.ask(f"UIDL {number}")
    words = answer.text.split()
    if not answer.ok or len(words) < 3 or words[1] != str(number):
        raise Denied(f"the server gives no unique id (UIDL), without which nothing is deleted: {answer.text[:200]}")
    return words[2]


def _is_subject(header: tuple[str, ...], message: MarkedMessage) -> bool:
    """Whether a header has exactly the subject of the message: bounces and replies put other words before it."""
    unfolded: list[str] = []
    for line in header:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    subjects = [line.partition(":")[2].strip() for line in unfolded if line.lower().startswith("subject:")]
    return subjects == [message.subject]


class ImapInbox:
    """A mailbox of IMAP, which stays open, so that one sign-in is enough."""

    def __init__(self, session: ImapSession, endpoint: Endpoint) -> None:
        self._session = session
        self._endpoint = endpoint
        self._can_expunge_one = False

    async def remember(self) -> None:
        name = wanted_mechanism(await self._session.open(), self._endpoint)
        told = await self._session.sign_in(name)
        require_let_in(told.ok, told.words, self._endpoint)
        listed = await self._session.client.ask("CAPABILITY")
        offered = {word for words in listed.data for word in words.upper().split()}
        self._can_expunge_one = "UIDPLUS" in offered
        if "ID" in offered:
            # Coremail (163.com) opens no mailbox for a client that does not identify itself.
            await self._session.client.ask("ID", '("name" "probe")')
        if not (selected := await self._session.client.select("INBOX")).ok:
            raise Denied(f"the inbox cannot be opened: {selected.words[:200]}")

    async def take(self, message: MarkedMessage) -> bool | None:
        client = self._session.client
        # Some servers report new messages only in answer to NOOP.
        await client.ask("NOOP")
        found = await client.ask("SEARCH", "HEADER", "SUBJECT", quoted(message.subject), by_uid=True)
        if not found.ok:
            raise Denied(f"the server does not search: {found.words[:200]}")
        uids = [uid for line in found.data for uid in line.split() if uid.isascii() and uid.isdigit()]
        for uid in uids[:NEWEST]:
            shown = await client.ask("FETCH", uid, "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", by_uid=True)
            if any(_is_fetch_of(line, uid) and _is_subject(_header_shown(line), message) for line in shown.data):
                return await self._delete(uid)
        return None

    async def _delete(self, uid: str) -> bool:
        client = self._session.client
        marked = await client.ask("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)", by_uid=True, answers="FETCH")
        if not marked.ok or not self._can_expunge_one:
            return False
        return (await client.ask("EXPUNGE", uid, by_uid=True)).ok


class EwsInbox:
    """A mailbox of Exchange. Each look needs a sign-in, as with POP3, because the library runs in a child process for one task."""

    def __init__(self, dial: Dial, account: Account) -> None:
        self._dial = dial
        self._account = account
        self._scheme: EwsScheme | None = None

    async def remember(self) -> None:
        endpoint = self._dial.endpoint
        async with self._dial.open_trusted() as stream:
            head = await HttpConnection(stream, host_header(endpoint)).ask("POST", endpoint.path, headers=[("Content-Type", "text/xml")])
        offered = {c.scheme.lower() for c in parse_challenges(head.all("WWW-Authenticate"))}
        scheme = scheme_for(self._account, endpoint, offered)
        if scheme is None or scheme == "bearer":
            raise Denied(f"{endpoint.url} offers no sign-in by password, which fetching the message needs; no message was sent")
        self._scheme = scheme

    async def take(self, message: MarkedMessage) -> bool | None:
        account, dial = self._account, self._dial
        assert self._scheme is not None
        async with dial.open_trusted() as stream:
            # The connection slot at this address is kept for the child's connection, which replaces this one.
            stream.close()
            request = EwsRequest(
                url=dial.endpoint.url,
                address=stream.address,
                username=account.username,
                password=account.password.reveal(),
                authentication=self._scheme,
                mailbox=account.mailbox,
                impersonate=account.impersonates,
                ca_file=None if dial.ca_file is None else str(dial.ca_file),
                has_older_hello=dial.sends_older_hello,
                seconds=dial.remaining() * CHILD_SHARE,
            )
            taken = await dial.in_child(take_message, MessageRemoval(request=request, subject=message.subject), first=account.proof.claim)
            await end_logon(account.proof, taken.logons, taken.status, is_let_in=taken.is_let_in)
        dial.connections += 1
        dial.note(f"FindItem for the subject: {taken.state} {taken.detail}".rstrip())
        match taken.state:
            case "absent":
                return None
            case "removed" | "kept":
                return taken.state == "removed"
            case "refused":
                raise Denied(f"{dial.endpoint.url} refuses: {taken.detail}")
        if taken.trouble == "timed-out":
            raise TimeoutError("EWS gave no complete answer in time")
        raise OffProtocol(f"{dial.endpoint.url} gives no EWS answer: {taken.detail}")


_FETCHED_UID = re.compile(r"[( ]UID (\d{1,10})[ )]", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _is_fetch_of(data: str, uid: str) -> bool:
    """Whether a FETCH is about the requested message, and not an unsolicited one about another."""
    # The header is left out, because a sender wrote it and not the server.
    told = _FETCHED_UID.search(_QUOTED.sub('""', data))
    return told is not None and told[1] == uid


def _header_shown(data: str) -> tuple[str, ...]:
    """The lines of the header in a FETCH, which the reader returns as a quoted string with escaped line ends."""
    header = _QUOTED.search(data)
    text = re.sub(r"\\(.)", r"\1", header[1]) if header else ""
    return tuple(line for line in text.replace("\\x0d", "").split("\\x0a") if line)


def wanted_mechanism(name: str | NoMechanism, endpoint: Endpoint) -> str:
    """The mechanism. Fails where there is none, although the server accepted the account with one a moment ago."""
    if isinstance(name, NoMechanism):
        raise Denied(f"{endpoint.url} no longer accepts the account: {name.detail}")
    return name


def require_let_in(accepted: bool, answer: str, endpoint: Endpoint) -> None:
    """Fails where the account, which was accepted a moment ago, is refused."""
    if not accepted:
        raise Denied(f"{endpoint.url} refused the sign-in, which it accepted a moment before: {answer[:200]}")
