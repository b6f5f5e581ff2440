"""The simulated EWS as DavMail, a client that somebody else wrote, finds it."""

from __future__ import annotations

import asyncio
import imaplib
import poplib
import ssl
from collections.abc import Callable
from typing import TypeVar

import pytest

from probe.simulation import releases
from probe.simulation.authority import Authority
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer
from tests.servers.davmail import DavMail
from tests.servers.fixtures import DavMailBefore

T = TypeVar("T")
SALES = "sales@contoso.test"


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    """A certificate for localhost, with an RSA key."""
    return authority.issue("localhost", key="rsa-2048").context()


def exchange(tls: ssl.SSLContext, release: releases.Release) -> ExchangeServer:
    accounts = {SALES: Account(password="right", mailbox=SALES)}
    return ExchangeServer(release, "localhost", tls, accounts=accounts, mailboxes=[SALES], schemes=["Basic"])


async def through(davmail_before: DavMailBefore, server: ExchangeServer, authority: Authority, talk: Callable[[DavMail], T]) -> T:
    """What a conversation with DavMail gives, which stands before the server."""

    def act() -> T:
        return talk(davmail_before(f"https://localhost:{server.port}/EWS/Exchange.asmx", authority.ca_file))

    return await asyncio.to_thread(act)


def folders(davmail: DavMail) -> tuple[list[str], int]:
    """The folders that DavMail lists, and how many messages it counts in the inbox."""
    with imaplib.IMAP4(davmail.host, davmail.imap_port, timeout=20) as imap:
        imap.login(SALES, "right")
        listed = [line.decode().rpartition('"/" ')[2].strip('"') for line in imap.list()[1] if isinstance(line, bytes)]
        return listed, int(imap.select("INBOX", readonly=True)[1][0] or b"-1")


def drop(davmail: DavMail) -> tuple[int, int]:
    """How many messages, and of what size, POP3 counts."""
    pop3 = poplib.POP3(davmail.host, davmail.pop3_port, timeout=20)
    pop3.user(SALES)
    pop3.pass_("right")
    counted = pop3.stat()
    pop3.quit()
    return counted


def refused(davmail: DavMail) -> str:
    """What DavMail says to a wrong password."""
    with imaplib.IMAP4(davmail.host, davmail.imap_port, timeout=20) as imap:
        with pytest.raises(imaplib.IMAP4.error) as said:
            imap.login(SALES, "wrong")
        return str(said.value)


@pytest.mark.parametrize("release", [releases.EXCHANGE_2010, releases.EXCHANGE_2019], ids=["2010", "2019"])
async def test_davmail_opens_the_mailbox(
    davmail_before: DavMailBefore, authority: Authority, tls: ssl.SSLContext, release: releases.Release
) -> None:
    """It signs in, finds whose mailbox it is, lists the mail folders alone, and counts an empty inbox by IMAP and by POP3."""
    async with exchange(tls, release) as server:
        listed, messages = await through(davmail_before, server, authority, folders)
        assert {"INBOX", "Drafts", "Sent", "Trash", "Junk"} <= set(listed)
        assert not {"calendar", "contacts", "Tasks"} & set(listed)
        assert messages == 0
        assert await through(davmail_before, server, authority, drop) == (0, 0)
        assert all(accepted for _, accepted in server.logons)


async def test_davmail_is_refused_with_a_wrong_password(davmail_before: DavMailBefore, authority: Authority, tls: ssl.SSLContext) -> None:
    """A wrong password is told as one, and counted at the server."""
    async with exchange(tls, releases.EXCHANGE_2016) as server:
        assert "LOGIN failed" in await through(davmail_before, server, authority, refused)
        assert not any(accepted for _, accepted in server.logons)
        assert len(server.logons) >= 1
