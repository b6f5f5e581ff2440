"""The simulated POP3 servers, as Python's own poplib and a plain socket meet them."""

from __future__ import annotations

import asyncio
import base64
import poplib
import ssl

import pytest

from probe.simulation import pop3
from probe.simulation.pop3 import Pop3Personality, Pop3Server
from tests.simulation.clients import RawClient

ACCOUNTS = {"sales@contoso.test": "right"}
HOSTED = [pop3.GMAIL, pop3.YAHOO, pop3.EXCHANGE_ONLINE]


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("personality", [*HOSTED, pop3.DOVECOT], ids=["gmail", "yahoo", "exchange-online", "dovecot"])
async def test_poplib_reads_greeting_and_capabilities(personality: Pop3Personality, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """poplib understands greeting and CAPA of each make under implicit TLS."""

    def call(port: int) -> tuple[bytes, dict[str, list[str]]]:
        client = poplib.POP3_SSL("127.0.0.1", port, context=trust, timeout=5)
        try:
            return client.getwelcome(), client.capa()
        finally:
            client.quit()

    async with Pop3Server(personality, tls, implicit=True) as server:
        welcome, capabilities = await asyncio.to_thread(call, server.port)
    assert welcome.decode() == personality.greeting.replace("{peer}", "127.0.0.1")
    assert {"TOP", "UIDL", "USER"} <= set(capabilities)
    assert "PLAIN" in capabilities["SASL"]


async def test_exchange_online_names_its_host_in_the_greeting() -> None:
    """The bracket in Exchange Online's greeting is base64 of a host name in UTF-16LE."""
    bracket = pop3.EXCHANGE_ONLINE.greeting.partition("[")[2].rstrip("]")
    assert base64.b64decode(bracket).decode("utf-16-le").lower().endswith(".prod.outlook.com")


async def test_poplib_upgrades_by_stls(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """STLS leads to TLS in which the server offers what it did not offer in clear."""

    def call(port: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        client = poplib.POP3("127.0.0.1", port, timeout=5)
        before = client.capa()
        client.stls(trust)
        after = client.capa()
        client.quit()
        return before, after

    async with Pop3Server(pop3.DOVECOT, tls) as server:
        before, after = await asyncio.to_thread(call, server.port)
    assert before["SASL"] == []
    assert "STLS" in before
    assert "USER" not in before
    assert after["SASL"] == ["PLAIN", "LOGIN"]
    assert "STLS" not in after


@pytest.mark.parametrize(("personality", "refusal"), [(p, p.refused) for p in HOSTED], ids=["gmail", "yahoo", "exchange-online"])
async def test_a_wrong_password_is_refused_in_the_makers_words(
    personality: Pop3Personality, refusal: str, tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Each make refuses a wrong password in its own words, and the server counts one logon."""

    def call(port: int) -> str:
        client = poplib.POP3_SSL("127.0.0.1", port, context=trust, timeout=5)
        client.user("sales@contoso.test")
        try:
            client.pass_("wrong")
        except poplib.error_proto as refused:
            return bytes(refused.args[0]).decode()
        finally:
            client.quit()
        return "taken"

    async with Pop3Server(personality, tls, implicit=True, accounts=ACCOUNTS) as server:
        assert await asyncio.to_thread(call, server.port) == refusal
        assert list(server.logons) == [("sales@contoso.test", False)]


async def test_a_right_password_opens_an_empty_mailbox(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A right password is taken, and the mailbox behind it holds nothing."""

    def call(port: int) -> None:
        client = poplib.POP3_SSL("127.0.0.1", port, context=trust, timeout=5)
        client.user("Sales@contoso.test")
        client.pass_("right")
        assert client.stat() == (0, 0)
        assert client.list()[1] == []
        client.noop()
        with pytest.raises(poplib.error_proto, match="no message"):
            client.retr(1)
        with pytest.raises(poplib.error_proto, match="bad command"):
            client.user("again")
        client.quit()

    async with Pop3Server(pop3.GMAIL, tls, implicit=True, accounts=ACCOUNTS) as server:
        await asyncio.to_thread(call, server.port)
        assert list(server.logons) == [("Sales@contoso.test", True)]


async def test_exchange_online_refuses_the_right_password_too(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Exchange Online offers passwords and takes none."""

    def call(port: int) -> str:
        with RawClient(port, trust) as client:
            client.line()
            assert client.reply("STAT") == "-ERR Command is not valid in this state."
            assert client.reply("AUTH PLAIN " + _encoded("\0sales@contoso.test\0right")).startswith("-ERR Protocol error")
            assert client.reply("AUTH PLAIN") == "+ "
            return client.reply(_encoded("\0sales@contoso.test\0right"))

    async with Pop3Server(pop3.EXCHANGE_ONLINE, tls, implicit=True, accounts=ACCOUNTS) as server:
        assert await asyncio.to_thread(call, server.port) == "-ERR Logon failure: unknown user name or bad password."


async def test_no_password_is_taken_in_clear(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Before TLS a login is refused without being tried; after it, the same login succeeds."""

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.line()
            assert client.reply("USER sales@contoso.test").startswith("-ERR [AUTH] Plaintext authentication disallowed")
            assert client.reply("STLS") == "+OK Begin TLS negotiation now."
            client.upgrade(trust)
            assert client.reply("STLS") == "-ERR Command not permitted when TLS active"
            assert client.reply("PASS right") == "-ERR Unknown command."
            assert client.reply("AUTH LOGIN") == "+ VXNlcm5hbWU6"
            assert client.reply(_encoded("sales@contoso.test")) == "+ UGFzc3dvcmQ6"
            assert client.reply(_encoded("right")) == "+OK Logged in."

    async with Pop3Server(pop3.DOVECOT, tls, accounts=ACCOUNTS) as server:
        await asyncio.to_thread(call, server.port)
        assert list(server.logons) == [("sales@contoso.test", True)]


async def test_auth_alone_lists_mechanisms_where_the_make_does_so(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Dovecot lists its mechanisms for AUTH without one, and Gmail does not."""

    def call(port: int) -> bytes:
        with RawClient(port, trust) as client:
            client.line()
            client.say("AUTH")
            client.say("XYZZY")
            return client.read_until(b"nown command.\r\n") if port == dovecot.port else client.read_until(b"lja\r\n")

    async with Pop3Server(pop3.DOVECOT, tls, implicit=True) as dovecot, Pop3Server(pop3.GMAIL, tls, implicit=True) as gmail:
        assert await asyncio.to_thread(call, dovecot.port) == b"+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n-ERR Unknown command.\r\n"
        assert (await asyncio.to_thread(call, gmail.port)).startswith(b"-ERR bad command")


async def test_a_bad_token_is_challenged_before_it_is_refused(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Gmail says what scope a token needs, and refuses only once the client has answered."""

    def call(port: int) -> tuple[str, str]:
        with RawClient(port, trust) as client:
            client.line()
            challenge = client.reply("AUTH XOAUTH2 " + _encoded("user=sales@contoso.test\1auth=Bearer none\1\1"))
            return base64.b64decode(challenge.removeprefix("+ ")).decode(), client.reply("")

    async with Pop3Server(pop3.GMAIL, tls, implicit=True) as server:
        challenge, refusal = await asyncio.to_thread(call, server.port)
        assert list(server.logons) == [("sales@contoso.test", False)]
    assert '"scope":"https://mail.google.com/"' in challenge
    assert refusal == pop3.GMAIL.refused


async def test_a_bad_token_is_refused_at_once_by_others(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Exchange Online takes a token on a line of its own, and refuses it without a challenge."""

    def call(port: int) -> str:
        with RawClient(port, trust) as client:
            client.line()
            assert client.reply("AUTH XOAUTH2") == "+ "
            return client.reply("this is not base64")

    async with Pop3Server(pop3.EXCHANGE_ONLINE, tls, implicit=True) as server:
        assert await asyncio.to_thread(call, server.port) == pop3.EXCHANGE_ONLINE.refused


async def test_a_nameless_server_gives_nothing_away() -> None:
    """A server of no known make refuses CAPA, STLS and logins in words that any make might use."""

    def call(port: int) -> list[str]:
        with RawClient(port) as client:
            return [client.line(), *(client.reply(c) for c in ("CAPA", "STLS", "AUTH", "AUTH PLAIN", "STAT", "QUIT"))]

    async with Pop3Server(pop3.NAMELESS) as server:
        answers = await asyncio.to_thread(call, server.port)
    assert answers == ["+OK POP3 ready", *["-ERR unknown command"] * 3, "-ERR not now", "-ERR not now", "+OK bye"]


async def test_injected_words_come_in_the_same_segment_as_the_go_ahead(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A server that is told to inject says its words in clear with the reply to STLS, and still completes the handshake."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            client.line()
            client.say("STLS")
            segment = client.socket.recv(4096)
            client.upgrade(trust)
            assert client.reply("QUIT") == "+OK Logging out"
            return segment

    async with Pop3Server(pop3.DOVECOT, tls, injected=b"-ERR injected\r\n") as server:
        assert await asyncio.to_thread(call, server.port) == b"+OK Begin TLS negotiation now.\r\n-ERR injected\r\n"


async def test_commands_sent_in_clear_with_stls_are_forgotten(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """What a client says in clear behind STLS is never obeyed under TLS."""

    def call(port: int) -> str:
        with RawClient(port) as client:
            client.line()
            client.socket.sendall(b"STLS\r\nCAPA\r\n")
            assert client.line() == "+OK Begin TLS negotiation now."
            client.upgrade(trust)
            return client.reply("QUIT")

    async with Pop3Server(pop3.DOVECOT, tls) as server:
        assert await asyncio.to_thread(call, server.port) == "+OK Logging out"


async def test_a_line_without_end_is_not_endured() -> None:
    """A server closes on a client whose line is longer than any command."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            client.line()
            client.socket.sendall(b"X" * 20000)
            return client.read_until(b"never")

    async with Pop3Server(pop3.DOVECOT) as server:
        assert await asyncio.to_thread(call, server.port) == b""
