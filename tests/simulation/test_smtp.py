"""The simulated SMTP servers, as Python's own smtplib and a plain socket meet them."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import ssl
from dataclasses import replace

import pytest

from probe.simulation import smtp
from probe.simulation.smtp import SmtpServer
from tests.simulation.clients import RawClient

ACCOUNTS = {"sales@contoso.test": "right"}
MAKES = {
    "gmail": (smtp.GMAIL, "LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"),
    "yahoo": (smtp.YAHOO, "PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
    "outlook.com": (smtp.OUTLOOK_COM, "LOGIN XOAUTH2"),
    "postfix": (smtp.POSTFIX, "PLAIN LOGIN"),
    "nameless": (smtp.NAMELESS, "PLAIN LOGIN"),
}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("make", MAKES)
async def test_smtplib_upgrades_by_starttls(make: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """smtplib understands each make's EHLO; mechanisms are offered under TLS only."""
    personality, mechanisms = MAKES[make]

    def call(port: int) -> tuple[dict[str, str], dict[str, str]]:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="probe.test", timeout=5) as client:
            client.ehlo()
            before = dict(client.esmtp_features)
            client.starttls(context=trust)
            client.ehlo()
            return before, dict(client.esmtp_features)

    async with SmtpServer(personality, tls) as server:
        before, after = await asyncio.to_thread(call, server.port)
        assert server.lines[0] == "ehlo probe.test"
    assert "starttls" in before
    assert "auth" not in before
    assert "starttls" not in after
    assert after["auth"].split() == mechanisms.split()


async def test_smtplib_speaks_implicit_tls_with_yahoo(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Under implicit TLS the mechanisms are there at once; Yahoo's hello keeps its stray bracket."""

    def call(port: int) -> bytes:
        with smtplib.SMTP_SSL("127.0.0.1", port, local_hostname="probe.test", timeout=5, context=trust) as client:
            client.ehlo()
            assert not client.has_extn("starttls")
            assert isinstance(client.ehlo_resp, bytes)
            return client.ehlo_resp

    async with SmtpServer(smtp.YAHOO, tls, implicit=True) as server:
        first = (await asyncio.to_thread(call, server.port)).split(b"\n")[0]
    assert first.endswith(b".yahoo.com Hello probe.test [127.0.0.1])")


@pytest.mark.parametrize("make", ["gmail", "yahoo", "outlook.com", "postfix"])
async def test_a_wrong_password_is_refused_in_the_makers_words(make: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Each make refuses a wrong password with 535 and its own words, and the server counts one logon."""
    personality, _ = MAKES[make]

    def call(port: int) -> list[str]:
        with RawClient(port, trust) as client:
            client.line()
            client.smtp_reply("EHLO probe.test")
            assert client.reply("AUTH LOGIN") == "334 VXNlcm5hbWU6"
            assert client.reply(_encoded("sales@contoso.test")) == "334 UGFzc3dvcmQ6"
            return client.smtp_reply(_encoded("wrong"))

    async with SmtpServer(personality, tls, implicit=True, accounts=ACCOUNTS) as server:
        refusal = await asyncio.to_thread(call, server.port)
        assert list(server.logons) == [("sales@contoso.test", False)]
    assert refusal == personality.refused.split("\n")
    assert all(line.startswith("535") for line in refusal)


async def test_outlook_com_says_that_basic_authentication_is_disabled(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Outlook.com refuses even the right password, and says why; PLAIN is not among its mechanisms."""

    def call(port: int) -> str:
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=5, context=trust) as client:
            client.ehlo("probe.test")
            assert client.docmd("AUTH PLAIN", _encoded("\0sales@contoso.test\0right"))[0] == 504
            with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                client.login("sales@contoso.test", "right")
            assert isinstance(refused.value.smtp_error, bytes)
            return refused.value.smtp_error.decode()

    async with SmtpServer(smtp.OUTLOOK_COM, tls, implicit=True, accounts=ACCOUNTS) as server:
        assert "5.7.139 Authentication unsuccessful, basic authentication is disabled." in await asyncio.to_thread(call, server.port)


async def test_a_right_password_is_taken_and_mail_is_not(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A right password is taken; then nothing can be sent, for no simulated server takes mail."""

    def call(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.starttls(context=trust)
            client.login("sales@contoso.test", "right")
            with pytest.raises(smtplib.SMTPSenderRefused, match="Insufficient"):
                client.sendmail("sales@contoso.test", "someone@contoso.test", "Subject: none\r\n\r\n")
            assert client.docmd("AUTH LOGIN")[0] == 503

    async with SmtpServer(smtp.GMAIL, tls, accounts=ACCOUNTS) as server:
        await asyncio.to_thread(call, server.port)
        assert list(server.logons) == [("sales@contoso.test", True)]


@pytest.mark.parametrize("make", MAKES)
async def test_each_make_keeps_the_order_of_commands(make: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """EHLO comes before STARTTLS, TLS before a login, a login before mail; EHLO is asked again after TLS."""
    says, _ = MAKES[make]

    def call(port: int) -> None:
        with RawClient(port) as client:
            client.line()
            assert client.smtp_reply("AUTH LOGIN") == [says.hello_first]
            assert client.smtp_reply("STARTTLS") == [says.hello_first]
            assert client.smtp_reply("EHLO") == ["501 Syntax: EHLO hostname"]
            client.smtp_reply("EHLO probe.test")
            assert client.smtp_reply("MAIL FROM:<>") == [says.tls_first]
            assert client.smtp_reply("STARTTLS") == [says.tls_ready]
            client.upgrade(trust)
            assert client.smtp_reply("AUTH LOGIN") == [says.hello_first]
            assert client.smtp_reply("HELO probe.test")[0].startswith("250 ")
            assert client.smtp_reply("STARTTLS") == [says.tls_is_up]
            assert client.smtp_reply("MAIL FROM:<>") == says.login_first.split("\n")
            assert client.smtp_reply("DATA") == ["503 5.5.1 Bad sequence of commands"]
            assert client.smtp_reply("AUTH CRAM-MD5") == [says.unknown_mechanism]
            assert client.smtp_reply("NOOP") == [says.okay]
            assert client.smtp_reply("XYZZY") == [says.unknown]
            assert client.smtp_reply("QUIT") == [says.bye]

    async with SmtpServer(says, tls) as server:
        await asyncio.to_thread(call, server.port)


async def test_starttls_is_unknown_to_a_server_that_does_not_offer_it(tls: ssl.SSLContext) -> None:
    """A server whose EHLO names no STARTTLS does not know the command."""
    bare = replace(smtp.POSTFIX, extensions=("AUTH PLAIN",))

    def call(port: int) -> str:
        with RawClient(port) as client:
            client.line()
            client.smtp_reply("EHLO probe.test")
            assert client.reply("AUTH PLAIN " + _encoded("\0sales@contoso.test\0right")).startswith("235 ")
            return client.reply("STARTTLS")

    async with SmtpServer(bare, tls, accounts=ACCOUNTS) as server:
        assert await asyncio.to_thread(call, server.port) == "500 5.5.2 Error: command not recognized"


async def test_a_bad_token_is_challenged_where_the_make_does_so(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Gmail answers a bad token with 334 and a status, Outlook.com with a refusal at once."""
    token = _encoded("n,a=sales@contoso.test,\1auth=Bearer none\1\1")

    def gmail(port: int) -> list[str]:
        with RawClient(port, trust) as client:
            client.line()
            client.smtp_reply("EHLO probe.test")
            assert client.reply("AUTH OAUTHBEARER") == "334 "
            assert b'"status":"400"' in base64.b64decode(client.reply(token).removeprefix("334 "))
            return client.smtp_reply("")

    def outlook(port: int) -> str:
        with RawClient(port, trust) as client:
            client.line()
            client.smtp_reply("EHLO probe.test")
            return client.reply("AUTH XOAUTH2 " + token)

    async with SmtpServer(smtp.GMAIL, tls, implicit=True) as server:
        assert (await asyncio.to_thread(gmail, server.port))[0].startswith("535-5.7.8")
        assert list(server.logons) == [("sales@contoso.test", False)]
    async with SmtpServer(smtp.OUTLOOK_COM, tls, implicit=True) as server:
        assert (await asyncio.to_thread(outlook, server.port)).startswith("535 5.7.3 Authentication unsuccessful")


async def test_injected_words_come_with_the_go_ahead(tls: ssl.SSLContext) -> None:
    """A server that is told to inject says its words in clear with the reply to STARTTLS."""

    def call(port: int) -> bytes:
        with RawClient(port) as client:
            client.line()
            client.smtp_reply("EHLO probe.test")
            client.say("STARTTLS")
            return client.socket.recv(4096)

    async with SmtpServer(smtp.POSTFIX, tls, injected=b"250 injected\r\n") as server:
        assert await asyncio.to_thread(call, server.port) == b"220 2.0.0 Ready to start TLS\r\n250 injected\r\n"


async def test_the_greeting_of_outlook_com_carries_the_time() -> None:
    """Microsoft's greeting ends with the date."""

    def call(port: int) -> str:
        with RawClient(port) as client:
            return client.line()

    async with SmtpServer(smtp.OUTLOOK_COM) as server:
        greeting = await asyncio.to_thread(call, server.port)
    assert greeting.startswith("220 FR3P281CA0105.outlook.office365.com Microsoft ESMTP MAIL Service ready at ")
    assert greeting.endswith(" +0000")
