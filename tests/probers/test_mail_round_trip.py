"""The round trip: a message to oneself through Postfix into Dovecot and back, and what must not happen on the way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from probe import app
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Authentication, Credentials, Delivery, Effect, Endpoint, Estate, Secret, SecretReference, ServerType
from probe.model.facts import Fact, Missing, Why
from probe.probing import Account
from probe.probing.imap_session import ImapSession
from probe.probing.inboxes import ImapInbox, MarkedMessage, Pop3Inbox, _is_subject
from probe.probing.pop3_session import Pop3Session
from probe.simulation import pop3, releases, smtp
from probe.simulation.ews import Account as EwsAccount
from probe.simulation.exchange import ExchangeServer
from probe.simulation.smtp import Deliver, SmtpServer
from tests.estates import CORP, DEPLOYMENT, SERVED
from tests.looking import authority, server_context
from tests.servers.postfix import Postfix

BOTH = frozenset({Effect.LOGS_IN, Effect.SENDS_MAIL})
FOREIGN = """From: boss@example.test
Subject: {subject}

Do not touch.
"""


LOOKALIKE = "probe round trip 00000000000000000000000000000000"


async def round_trip(
    incoming: str,
    outgoing: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    address: str,
    password: str,
    ca_file: Path | None = None,
    allow: frozenset[Effect] = BOTH,
    timeout: float = 20,
) -> Attempt:
    """The round trip that a check of one mailbox makes."""
    monkeypatch.setenv("TEST_PASSWORD", password)
    profile = replace(
        CORP,
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(incoming),
        outgoing=Endpoint.parse(outgoing),
        authentication=Authentication.BASIC,
        credentials=Credentials.MAILBOX,
        impersonation=False,
    )
    mailbox = replace(
        SERVED,
        address=address,
        username=address,
        password=SecretReference.parse("env:TEST_PASSWORD"),
        appointments=Delivery.NONE,
    )
    estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(mailbox,))
    bugs: list[str] = []
    options = app.Options(timeout=timeout, ca_file=ca_file or authority().ca_file, allow=allow, report_bug=bugs.append, tls="none")
    run = await app.check(estate, estate.mailboxes, options)
    assert not bugs, bugs[0]
    assert password not in repr(run.attempts)
    (attempt,) = [attempt for attempt in run.attempts if attempt.prober == "mail-round-trip"]
    return attempt


def learnt(attempt: Attempt) -> dict[str, object]:
    return {r.key.name: r.value if isinstance(r, Fact) else r.why for r in attempt.readings if isinstance(r, Fact | Missing)}


@pytest.fixture
def maildir(postfix: Postfix) -> Iterator[Path]:
    """The folder of one mailbox with two messages that are none of ours: one read, one not."""
    folder = postfix.dovecot.home / "Maildir"
    for name in (".", "new", "cur", "tmp"):
        (folder / name).mkdir(exist_ok=True)
        os.chown(folder / name, *postfix.dovecot.owner)
    for file, subject in (("cur/1.a.host:2,S", "old"), ("new/2.b.host", LOOKALIKE)):
        (folder / file).write_text(FOREIGN.format(subject=subject))
        os.chown(folder / file, *postfix.dovecot.owner)
    yield folder
    for name in ("new", "cur"):
        for message in (folder / name).iterdir():
            message.unlink()


@pytest.mark.parametrize("way", ["pop3s", "pop3", "imaps", "imap"])
async def test_a_message_goes_out_comes_back_and_is_gone(
    way: str, postfix: Postfix, maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, seen, deleted; every other message is as it was, unread where it was unread."""
    dovecot = postfix.dovecot
    port = {"pop3s": dovecot.pop3s_port, "pop3": dovecot.pop3_port, "imaps": dovecot.imaps_port, "imap": dovecot.imap_port}[way]
    host = "localhost" if way.endswith("s") else dovecot.distant_host
    attempt = await round_trip(
        f"{way}://{host}:{port}",
        f"smtps://localhost:{postfix.smtps_port}",
        monkeypatch,
        address=postfix.username,
        password=postfix.password,
        ca_file=postfix.ca_file,
    )
    assert (attempt.outcome, attempt.detail) == (Outcome.COMPLETED, "")
    known = learnt(attempt)
    assert known["roundtrip.sent"] is True
    assert known["roundtrip.returned"] is True
    assert known["roundtrip.removed"] is True
    milliseconds = known["roundtrip.milliseconds"]
    assert isinstance(milliseconds, int)
    assert 0 < milliseconds < 20000
    left = [message for name in ("new", "cur") for message in (maildir / name).iterdir()]
    assert sorted(message.read_text().splitlines()[1] for message in left) == ["Subject: old", f"Subject: {LOOKALIKE}"]
    foreign = next(message for message in left if LOOKALIKE in message.read_text())
    assert foreign.parent.name == "new" or foreign.name.partition(":2,")[2] == ""


async def test_a_message_that_is_not_taken_is_told_with_the_servers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lets the account in and refuses the message is no success, and nothing is looked for."""
    async with AsyncExitStack() as stack:
        tls = server_context()
        accounts = {"sales@contoso.test": "correct horse"}
        incoming = await stack.enter_async_context(pop3.Pop3Server(pop3.DOVECOT, tls, implicit=True, accounts=accounts))
        outgoing = await stack.enter_async_context(smtp.SmtpServer(smtp.GMAIL, tls, implicit=True, accounts=accounts))
        attempt = await round_trip(
            f"pop3s://localhost:{incoming.port}",
            f"smtps://localhost:{outgoing.port}",
            monkeypatch,
            address="sales@contoso.test",
            password="correct horse",
        )
    known = learnt(attempt)
    assert known["roundtrip.sent"] is False
    assert known["roundtrip.reply"] == "452 4.3.1 Insufficient system storage"
    assert known["roundtrip.returned"] is Why.NOT_APPLICABLE
    assert known["roundtrip.milliseconds"] is Why.NOT_APPLICABLE


@pytest.mark.parametrize(("allow", "logins"), [(BOTH, 1), (frozenset({Effect.SENDS_MAIL}), 0)])
async def test_no_message_is_sent_for_an_account_that_was_not_let_in(
    allow: frozenset[Effect], logins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password makes one login in all, and none where signing in is not allowed."""
    async with AsyncExitStack() as stack:
        tls = server_context()
        incoming = await stack.enter_async_context(pop3.Pop3Server(pop3.DOVECOT, tls, implicit=True, accounts={}))
        outgoing = await stack.enter_async_context(smtp.SmtpServer(smtp.GMAIL, tls, implicit=True, accounts={}))
        attempt = await round_trip(
            f"pop3s://localhost:{incoming.port}",
            f"smtps://localhost:{outgoing.port}",
            monkeypatch,
            address="sales@contoso.test",
            password="wrong",
            allow=allow,
        )
        assert len(incoming.logons) + len(outgoing.logons) == logins
    assert attempt.outcome is Outcome.NOT_SCHEDULED
    assert set(learnt(attempt).values()) == {Why.NOT_ATTEMPTED}


class Vanishing(pop3.Pop3Server):
    """Ends the session of whoever signs in for the third time."""

    def signs_in(self, user: str, password: str) -> bool:
        if len(self.logons) == 2:
            raise ConnectionResetError
        return super().signs_in(user, password)


@pytest.mark.parametrize(
    ("server", "why", "returned", "timeout"),
    [
        (pop3.Pop3Server, Why.TIMED_OUT, False, 8),
        (pop3.Pop3Server, Why.TIMED_OUT, Why.TIMED_OUT, 5),
        (Vanishing, Why.CLOSED, Why.CLOSED, 8),
    ],
    ids=["lost", "no time to tell", "inbox gone"],
)
async def test_what_was_sent_and_not_found_is_named(
    server: type[pop3.Pop3Server],
    why: Why,
    returned: object,
    timeout: float,
    postfix: Postfix,
    maildir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message that was looked for in vain is lost; one for which there was no time, or whose inbox goes away, is a gap.

    Its subject is told to whoever must delete it.
    """
    async with server(pop3.DOVECOT, server_context(), implicit=True, accounts={postfix.username: postfix.password}) as elsewhere:
        attempt = await round_trip(
            f"pop3s://localhost:{elsewhere.port}",
            f"smtps://localhost:{postfix.smtps_port}",
            monkeypatch,
            address=postfix.username,
            password=postfix.password,
            ca_file=both_authorities(maildir.parent, postfix.ca_file),
            timeout=timeout,
        )
    known = learnt(attempt)
    assert known["roundtrip.sent"] is True
    assert known["roundtrip.returned"] is returned
    assert known["roundtrip.removed"] is why
    gaps = [reading for reading in attempt.readings if isinstance(reading, Missing)]
    assert all("not deleted: probe round trip " in gap.detail for gap in gaps)


def both_authorities(folder: Path, ca_file: Path) -> Path:
    """Trust in the real servers' certificate and in the simulation's."""
    both = folder / "both.pem"
    both.write_text(ca_file.read_text() + authority().ca_file.read_text())
    return both


class Fickle(smtp.SmtpServer):
    """Lets an account in for its first logins, and then no more: its password was changed in between."""

    def signs_in(self, user: str, password: str) -> bool:
        is_early = len(self.logons) < MAILBOXES
        accepted = super().signs_in(user, password) and is_early
        self.logons[-1] = (user, accepted)
        return accepted


MAILBOXES = 5


async def test_a_password_that_is_changed_during_the_run_makes_one_more_failed_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five mailboxes sign in with one account; the first refusal in a round trip ends those of the others."""
    monkeypatch.setenv("TEST_PASSWORD", "correct horse")
    accounts = {"crm@contoso.test": "correct horse"}
    async with AsyncExitStack() as stack:
        incoming = await stack.enter_async_context(pop3.Pop3Server(pop3.DOVECOT, server_context(), implicit=True, accounts=accounts))
        outgoing = await stack.enter_async_context(Fickle(smtp.GMAIL, server_context(), implicit=True, accounts=accounts))
        profile = replace(
            CORP,
            server_type=ServerType.POP3_SMTP,
            incoming=Endpoint.parse(f"pop3s://localhost:{incoming.port}"),
            outgoing=Endpoint.parse(f"smtps://localhost:{outgoing.port}"),
            authentication=Authentication.BASIC,
            credentials=Credentials.MAILBOX,
            impersonation=False,
        )
        password = SecretReference.parse("env:TEST_PASSWORD")
        served = replace(SERVED, username="crm@contoso.test", password=password, appointments=Delivery.NONE)
        mailboxes = tuple(replace(served, address=f"m{n}@contoso.test") for n in range(MAILBOXES))
        estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=mailboxes)
        run = await app.check(estate, mailboxes, app.Options(timeout=20, ca_file=authority().ca_file, allow=BOTH, tls="none"))
        assert [accepted for _, accepted in outgoing.logons] == [*[True] * MAILBOXES, False]
    outcomes = sorted(attempt.outcome for attempt in run.attempts if attempt.prober == "mail-round-trip")
    assert outcomes == [Outcome.DENIED, *[Outcome.NOT_SCHEDULED] * (MAILBOXES - 1)]


@pytest.mark.parametrize(
    ("header", "is_ours"),
    [
        (("Subject: {ours}",), True),
        (("SUBJECT:  {ours}  ",), True),
        (("Subject: probe round", " trip {token}"), True),
        (("Subject: Undelivered Mail: {ours}",), False),
        (("Subject: Re: {ours}",), False),
        (("Subject: {ours}", "Subject: another"), False),
        (("X-Subject: {ours}",), False),
        ((), False),
    ],
)
def test_a_message_is_known_by_its_whole_subject(header: tuple[str, ...], is_ours: bool) -> None:
    """A bounce, a reply, or a header with two subjects is not ours to delete."""
    message = MarkedMessage.fresh("a@contoso.test")
    token = message.subject.rpartition(" ")[2]
    assert _is_subject(tuple(line.format(ours=message.subject, token=token) for line in header), message) is is_ours


class Peer:
    """The stream of a server that answers each command at once."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer = answer
        self._unread = b""
        self._has_said = asyncio.Event()
        self.asked: list[str] = []

    async def send(self, data: bytes, *, shown: str | None = None) -> None:
        self.asked.append(data.decode().rstrip())
        self._unread += self.answer(self.asked[-1]).replace("\n", "\r\n").encode()
        self._has_said.set()

    async def receive(self) -> bytes:
        await self._has_said.wait()
        self._has_said.clear()
        data, self._unread = self._unread, b""
        return data


ACCOUNT = Account("a@contoso.test", "a@contoso.test", Secret("x"), Authentication.BASIC, impersonates=False)
MESSAGE = MarkedMessage.fresh("a@contoso.test")


def imap_peer(subject: str, capabilities: str, *, fetched: str = "7") -> Peer:
    """An IMAP server that finds message 7 whatever is sought, with this subject."""
    header = f"Subject: {subject}\r\n\r\n"
    told = {
        "CAPABILITY": f"* CAPABILITY IMAP4rev1 {capabilities}\n",
        "UID SEARCH": "* SEARCH 7\n",
        "UID FETCH": f"* 1 FETCH (UID {fetched} BODY[HEADER.FIELDS (SUBJECT)] {{{len(header)}}}\n{header})\n".replace("\r\n", "\n"),
    }

    def answer(command: str) -> str:
        tag, _, rest = command.partition(" ")
        return next((words for name, words in told.items() if rest.startswith(name)), "") + f"{tag} OK done\n"

    return Peer(answer)


async def take_by_imap(peer: Peer) -> tuple[bool | None, str]:
    """What came of looking for our message, and everything that was asked."""
    endpoint = Endpoint.parse("imap://mail.contoso.test")
    async with ImapSession(cast("Any", peer), ACCOUNT, endpoint) as session:
        inbox = ImapInbox(session, endpoint)
        await inbox.remember()
        gone = await inbox.take(MESSAGE)
    return gone, "\n".join(peer.asked)


async def test_imap_deletes_one_uid_and_no_more() -> None:
    """With UIDPLUS, our message alone is expunged."""
    gone, asked = await take_by_imap(imap_peer(MESSAGE.subject, "UIDPLUS"))
    assert gone is True
    assert "UID EXPUNGE 7" in asked


async def test_a_client_that_says_what_it_is_may_open_the_inbox_of_163() -> None:
    """163.com answers SELECT with `NO SELECT Unsafe Login` until it was sent an ID."""
    listed = imap_peer(MESSAGE.subject, "ID UIDPLUS")
    heard: list[str] = []

    def answer(command: str) -> str:
        heard.append(command)
        tag, _, rest = command.partition(" ")
        if rest.startswith("SELECT") and not any(" ID (" in said for said in heard):
            return f"{tag} NO SELECT Unsafe Login. Please contact kefu@188.com for help\n"
        return listed.answer(command)

    gone, asked = await take_by_imap(Peer(answer))
    assert gone is True
    assert 'ID ("name" "probe")' in asked


async def test_without_uidplus_nothing_is_expunged() -> None:
    """A bare EXPUNGE, or CLOSE, would take what others have marked: the message stays, marked as deleted, and that is told."""
    gone, asked = await take_by_imap(imap_peer(MESSAGE.subject, ""))
    assert gone is False
    assert "EXPUNGE" not in asked
    assert "CLOSE" not in asked


@pytest.mark.parametrize(
    "peer",
    [
        imap_peer("Quarterly figures", "UIDPLUS"),
        imap_peer(f"Undelivered: {MESSAGE.subject}", "UIDPLUS"),
        imap_peer(f"{MESSAGE.subject} and more", "UIDPLUS"),
        imap_peer(MESSAGE.subject, "UIDPLUS", fetched="8"),
    ],
    ids=["another", "a bounce", "longer", "another uid"],
)
async def test_imap_deletes_nothing_that_is_not_ours(peer: Peer) -> None:
    """A server whose search finds anything costs nobody a message."""
    gone, asked = await take_by_imap(peer)
    assert gone is None
    assert "STORE" not in asked


def pop3_peer(subject: str, *, unique_ids: Callable[[int, int], str], count: int = 3, size: int = 900) -> Peer:
    """A POP3 server with so many messages, each with this subject; the id of a message may depend on how often any was asked for."""
    asked = 0

    def answer(command: str) -> str:
        nonlocal asked
        word, _, argument = command.partition(" ")
        match word:
            case "STAT":
                return f"+OK {count} 1\n"
            case "UIDL":
                asked += 1
                return f"+OK {argument} {unique_ids(int(argument), asked)}\n"
            case "LIST":
                return f"+OK {argument} {size}\n"
            case "TOP":
                return f"+OK\nSubject: {subject}\n\n.\n"
            case _:
                return "+OK\n"

    return Peer(answer)


async def find_by_pop3(peer: Peer) -> int | None:
    """The number of our message."""
    endpoint = Endpoint.parse("pop3s://mail.contoso.test")
    inbox = Pop3Inbox(cast("Any", None), ACCOUNT, endpoint)
    return await inbox._find(Pop3Session(cast("Any", peer), ACCOUNT, endpoint), MESSAGE)


async def test_pop3_finds_the_newest_of_ours() -> None:
    """Numbers rise with arrival; the last is looked at first."""
    assert await find_by_pop3(pop3_peer(MESSAGE.subject, unique_ids=lambda number, asked: f"id{number}")) == 3


@pytest.mark.parametrize(
    "peer",
    [
        pop3_peer("Quarterly figures", unique_ids=lambda number, asked: f"id{number}"),
        pop3_peer(MESSAGE.subject, unique_ids=lambda number, asked: f"id{asked}"),
        pop3_peer(MESSAGE.subject, unique_ids=lambda number, asked: f"id{number}", size=10_000_000),
    ],
    ids=["another subject", "an id that changes", "too large"],
)
async def test_pop3_deletes_nothing_without_its_very_id(peer: Peer) -> None:
    """Another subject, an id that is not the same when asked again, and a message of the wrong size are left alone."""
    assert await find_by_pop3(peer) is None


async def test_pop3_asks_for_few_of_many_messages() -> None:
    """A full mailbox is not read through."""
    peer = pop3_peer("another", unique_ids=lambda number, asked: f"id{number}", count=100_000)
    assert await find_by_pop3(peer) is None
    assert len(peer.asked) < 70


async def by_ews(
    monkeypatch: pytest.MonkeyPatch, deliver: Callable[[ExchangeServer], Deliver], **more: Any
) -> tuple[Attempt, ExchangeServer]:
    """A round trip by SMTP into a simulated Exchange, whose inbox holds a look-alike already."""
    address, password = "sales@contoso.test", "Paper-Clip-3"
    out = SmtpServer(smtp.POSTFIX, server_context(), accounts={address: password})
    accounts = {address: EwsAccount(password=password, mailbox=address)}
    exchange = ExchangeServer(releases.EXCHANGE_2016, "localhost", server_context(), accounts=accounts, mailboxes=[address])
    exchange.deliver(address, f"Subject: {LOOKALIKE}")
    out.deliver = deliver(exchange)
    async with out, exchange:
        attempt = await round_trip(
            f"https://localhost:{exchange.port}", f"smtp://localhost:{out.port}", monkeypatch, address=address, password=password, **more
        )
    return attempt, exchange


async def test_a_message_comes_back_by_ews(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by its whole subject, deleted by its id, and what lies beside it stays."""
    attempt, exchange = await by_ews(monkeypatch, lambda exchange: exchange.deliver)
    found = learnt(attempt)
    assert attempt.outcome is Outcome.COMPLETED
    assert (found["roundtrip.sent"], found["roundtrip.removed"]) == (True, True)
    assert exchange.inboxes == {"sales@contoso.test": [LOOKALIKE]}
    assert all(accepted for _, accepted in exchange.logons)


async def test_of_two_messages_with_the_subject_none_is_deleted_by_ews(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be told from another is left where it is, and that is told."""

    def twice(exchange: ExchangeServer) -> Deliver:
        def deliver(recipient: str, message: str) -> None:
            exchange.deliver(recipient, message)
            exchange.deliver(recipient, message)

        return deliver

    attempt, exchange = await by_ews(monkeypatch, twice)
    assert learnt(attempt)["roundtrip.removed"] is False
    assert len(exchange.inboxes["sales@contoso.test"]) == 3


async def test_a_message_that_does_not_reach_exchange_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken by SMTP and not seen in the inbox in time, it is missing, with its subject."""
    attempt, exchange = await by_ews(monkeypatch, lambda exchange: lambda recipient, message: None, timeout=7)
    found = learnt(attempt)
    assert found["roundtrip.sent"] is True
    assert found["roundtrip.removed"] is Why.TIMED_OUT
    assert any("probe round trip" in r.detail for r in attempt.readings if isinstance(r, Missing) and r.key.name == "roundtrip.removed")
    assert exchange.inboxes == {"sales@contoso.test": [LOOKALIKE]}
