"""Real servers: Dovecot, Postfix and Exim answer, and the facts are what they were set up to be."""

from __future__ import annotations

import asyncio

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.simulation.exchange import ExchangeServer
from probe.simulation.releases import EXCHANGE_2016, EXCHANGE_2019, EXCHANGE_SE, Release
from tests.looking import look
from tests.probers.certificates import assert_certificate_is_right
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.servers.nginx import NginxBefore
from tests.servers.postfix import Postfix


@pytest.mark.parametrize("security", ["implicit", "starttls"])
async def test_dovecot_is_read(dovecot: Dovecot, security: str) -> None:
    """Dovecot over POP3S, and over POP3 with STLS, where it offers no password before TLS."""
    implicit = security == "implicit"
    url = f"pop3s://localhost:{dovecot.pop3s_port}" if implicit else f"pop3://{dovecot.distant_host}:{dovecot.pop3_port}"
    looked = await look(url, ca_file=dovecot.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Dovecot"
    assert looked.value(v.TLS_MODE) == security
    mechanisms = looked.value(v.AUTH_MECHANISMS)
    assert mechanisms is not None
    assert {"PLAIN", "USER"} <= set(mechanisms)
    if not implicit:
        assert looked.value(v.STARTTLS_OFFERED) is True
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("security", ["implicit", "starttls"])
async def test_dovecot_is_read_over_imap(dovecot: Dovecot, security: str) -> None:
    """Dovecot over IMAPS, and over IMAP with STARTTLS, where it offers no login before TLS; it tells its name when asked."""
    implicit = security == "implicit"
    url = f"imaps://localhost:{dovecot.imaps_port}" if implicit else f"imap://{dovecot.distant_host}:{dovecot.imap_port}"
    looked = await look(url, ca_file=dovecot.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Dovecot"
    assert looked.value(v.TLS_MODE) == security
    assert looked.value(v.AUTH_MECHANISMS) == ("PLAIN", "LOGIN")
    assert looked.value(v.IMAP_ID) == ("name=Dovecot",)
    assert looked.value(v.IMAP_PREAUTH) is False
    if not implicit:
        assert looked.value(v.STARTTLS_OFFERED) is True
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()
        assert looked.value(v.STARTTLS_EXTRA_BYTES) == ""


@pytest.mark.parametrize("security", ["implicit", "starttls"])
async def test_postfix_is_read(postfix: Postfix, security: str) -> None:
    """Postfix over SMTPS, and over SMTP with STARTTLS, where it offers no AUTH before TLS."""
    implicit = security == "implicit"
    looked = await look(
        f"smtps://localhost:{postfix.smtps_port}" if implicit else f"smtp://localhost:{postfix.smtp_port}", ca_file=postfix.ca_file
    )
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Postfix"
    assert looked.value(v.SMTP_SIZE_LIMIT_BYTES) == postfix.message_size
    assert "PLAIN" in (looked.value(v.AUTH_MECHANISMS) or ())
    if not implicit:
        assert looked.value(v.AUTH_MECHANISMS_PLAIN) == ()


@pytest.mark.parametrize("security", ["implicit", "starttls"])
async def test_exim_is_read(exim: Exim, security: str) -> None:
    """Exim over SMTPS, and over SMTP with STARTTLS; its greeting names its version."""
    implicit = security == "implicit"
    looked = await look(f"smtps://localhost:{exim.smtps_port}" if implicit else f"smtp://localhost:{exim.smtp_port}", ca_file=exim.ca_file)
    assert_certificate_is_right(looked)
    assert looked.value(v.SERVER_PRODUCT) == "Exim"
    greeting = looked.value(v.PROTOCOL_GREETING)
    version = looked.value(v.SERVER_VERSION)
    assert greeting is not None
    assert version is not None
    assert f"Exim {version} " in greeting


async def test_a_real_server_is_not_trusted_without_its_anchor(dovecot: Dovecot) -> None:
    """Without the authority among the trust anchors the chain is refused, and everything is read all the same."""
    looked = await look(f"pop3s://localhost:{dovecot.pop3s_port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.CERTIFICATE_DISTRUSTED_BECAUSE)
    assert looked.value(v.SERVER_PRODUCT) == "Dovecot"


@pytest.mark.parametrize("release", [EXCHANGE_2016, EXCHANGE_2019, EXCHANGE_SE], ids=lambda release: release.version)
async def test_exchange_is_read_through_a_real_web_server(nginx_before: NginxBefore, release: Release) -> None:
    """nginx in front of Exchange, as many are published: TLS is nginx's, product and build are Exchange's."""
    async with ExchangeServer(release, "mail.contoso.test") as exchange:
        nginx = await asyncio.to_thread(nginx_before, f"http://127.0.0.1:{exchange.port}")
        looked = await look(f"https://localhost:{nginx.port}/EWS/Exchange.asmx", ca_file=nginx.ca_file)
    assert_certificate_is_right(looked)
    assert str(looked.value(v.SERVER_BUILD)) == release.version
    assert looked.value(v.HTTP_STATUS) == 401
    product = looked.value(v.SERVER_PRODUCT)
    assert (
        product
        == {EXCHANGE_2016: "Exchange Server 2016", EXCHANGE_2019: "Exchange Server 2019", EXCHANGE_SE: "Exchange Server SE"}[release]
    )
    assert {s.lower() for s in looked.value(v.AUTH_SCHEMES) or ()} == {"negotiate", "ntlm", "basic"}
