"""Further servers of Debian's: each is read as what it is, lets in who may come in, and refuses who may not."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import look
from tests.probers.certificates import assert_certificate_is_right
from tests.probers.mail_logins import learnt, sign_in
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.mailbox_server import MailboxServer
from tests.servers.mailutils import Mailutils
from tests.servers.opensmtpd import OpenSmtpd


@pytest.fixture
def mailbox_servers(cyrus: Cyrus, mailutils: Mailutils, courier: Courier) -> dict[str, MailboxServer]:
    """Those that have a user, by name."""
    return {"cyrus": cyrus, "mailutils": mailutils, "courier": courier}


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
async def test_cyrus_is_read(cyrus: Cyrus, scheme: str) -> None:
    """Cyrus over POP3S, and over POP3 with STLS: before it there is no word that would carry a password in clear."""
    looked = await look(cyrus.url(scheme), ca_file=cyrus.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Cyrus IMAP"
    assert looked.value(v.SERVER_VERSION) == cyrus.version
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "pop3s" else "starttls")
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN", "CRAM-MD5", "USER", "APOP")
    capabilities = looked.value(v.PROTOCOL_CAPABILITIES)
    assert capabilities is not None
    assert {"SASL PLAIN LOGIN CRAM-MD5", "TOP", "UIDL", "RESP-CODES", "USER"} <= set(capabilities)
    if scheme == "pop3":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("CRAM-MD5", "APOP")
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
async def test_cyrus_is_read_over_imap(cyrus: Cyrus, scheme: str) -> None:
    """Cyrus over IMAPS, and over IMAP with STARTTLS; it tells its name and its whole version when asked."""
    looked = await look(cyrus.url(scheme), ca_file=cyrus.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Cyrus IMAP"
    assert looked.value(v.SERVER_VERSION) == cyrus.version
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "imaps" else "starttls")
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN", "CRAM-MD5")
    assert "name=Cyrus IMAPD" in (looked.value(v.IMAP_ID) or ())
    if scheme == "imap":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("CRAM-MD5",)
        assert "LOGINDISABLED" in (looked.value(v.PROTOCOL_CAPABILITIES_PLAIN) or ())
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


async def test_opensmtpd_is_read(opensmtpd: OpenSmtpd) -> None:
    """OpenSMTPD that has no TLS is read to the end in clear: its name, its limit, and that STARTTLS is not there."""
    looked = await look(f"smtp://localhost:{opensmtpd.clear_port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.SERVER_PRODUCT) == "OpenSMTPD"
    assert looked.value(v.SMTP_SIZE_LIMIT_BYTES) == opensmtpd.message_size
    assert looked.value(v.STARTTLS_OFFERED) is False
    assert looked.value(v.TLS_MODE) == "none"
    assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
    assert looked.why(v.CERTIFICATE_TRUSTED) == "not-applicable"


async def test_opensmtpd_is_known_whatever_becomes_of_its_tls(opensmtpd: OpenSmtpd) -> None:
    """What OpenSMTPD said before STARTTLS is kept, also where the handshake fails, which is then told."""
    looked = await look(f"smtp://localhost:{opensmtpd.smtp_port}", ca_file=opensmtpd.ca_file)
    assert looked.attempt.outcome in {Outcome.COMPLETED, Outcome.TLS_FAILED}
    assert looked.value(v.SERVER_PRODUCT) == "OpenSMTPD"
    assert looked.value(v.STARTTLS_OFFERED) is True
    assert looked.value(v.SMTP_SIZE_LIMIT_BYTES) == opensmtpd.message_size
    assert looked.value(v.TLS_COMPLETED) is (looked.attempt.outcome is Outcome.COMPLETED)
    failure = looked.value(v.TLS_FAILURE)
    assert bool(failure) is (looked.attempt.outcome is Outcome.TLS_FAILED)


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
async def test_mailutils_is_read(mailutils: Mailutils, scheme: str) -> None:
    """GNU Mailutils' nameless POP3 server is known by what it lists, over POP3S and over POP3 with STLS; APOP is there where it greets with a stamp."""
    looked = await look(mailutils.url(scheme), ca_file=mailutils.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "GNU Mailutils"
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "pop3s" else "starttls")
    # Debian 12's 3.15 greets with a stamp, Debian 13's 3.19 without.
    mechanisms = ("USER", "APOP") if "<" in (looked.value(v.PROTOCOL_GREETING) or "") else ("USER",)
    assert looked.value(v.AUTH_MECHANISMS) == mechanisms
    assert "EXPIRENEVER" in (looked.value(v.PROTOCOL_CAPABILITIES) or ())
    if scheme == "pop3":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == mechanisms
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
async def test_mailutils_is_read_over_imap(mailutils: Mailutils, scheme: str) -> None:
    """GNU Mailutils' nameless IMAP server is known by what it lists; the ID that it lists is refused, and nothing else suffers."""
    looked = await look(mailutils.url(scheme), ca_file=mailutils.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "GNU Mailutils"
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "imaps" else "starttls")
    mechanisms = looked.value(v.AUTH_MECHANISMS)
    assert mechanisms is not None
    assert {"PLAIN", "LOGIN", "CRAM-MD5", "ANONYMOUS"} <= set(mechanisms)
    assert looked.why(v.IMAP_ID) != "known"
    if scheme == "imap":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == mechanisms
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
async def test_courier_is_read(courier: Courier, scheme: str) -> None:
    """Courier with Debian's settings over POP3S, and over POP3 with STLS, before which it offers passwords too."""
    looked = await look(courier.url(scheme), ca_file=courier.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Courier"
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "pop3s" else "starttls")
    assert looked.value(v.AUTH_MECHANISMS) == ("USER",)
    assert "IMPLEMENTATION Courier Mail Server" in (looked.value(v.PROTOCOL_CAPABILITIES) or ())
    if scheme == "pop3":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("USER",)
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
async def test_courier_is_read_over_imap(courier: Courier, scheme: str) -> None:
    """Courier with Debian's settings over IMAPS, and over IMAP with STARTTLS; under TLS it offers a mechanism more."""
    looked = await look(courier.url(scheme), ca_file=courier.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Courier"
    assert looked.value(v.TLS_MODE) == ("implicit" if scheme == "imaps" else "starttls")
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN")
    if scheme == "imap":
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ("LOGIN",)
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("scheme", ["pop3", "pop3s", "imap", "imaps"])
@pytest.mark.parametrize("name", ["cyrus", "mailutils", "courier"])
async def test_the_right_password_is_let_in(
    name: str, scheme: str, mailbox_servers: dict[str, MailboxServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right password is taken over every way to it."""
    server = mailbox_servers[name]
    (good,) = await sign_in(server.url(scheme), monkeypatch, username=server.username, password=server.password, ca_file=server.ca_file)
    assert learnt(good)["auth.accepted"] is True, good.transcript


@pytest.mark.parametrize(
    ("name", "scheme"),
    [(name, scheme) for name in ("cyrus", "mailutils") for scheme in ("pop3", "pop3s", "imap", "imaps")]
    + [("courier", "pop3s"), ("courier", "imaps")],
)
async def test_a_wrong_password_is_told_as_wrong(
    name: str, scheme: str, mailbox_servers: dict[str, MailboxServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password is told as wrong, also by Courier, which lets 5 s pass before it says so: that is not taken for silence."""
    server = mailbox_servers[name]
    (bad,) = await sign_in(server.url(scheme), monkeypatch, username=server.username, password="wrong-one", ca_file=server.ca_file)
    assert (learnt(bad)["auth.accepted"], learnt(bad)["auth.refusal"]) == (False, ("bad-credentials",)), bad.transcript
