"""The authority's certificates are what OpenSSL takes, or refuses for the stated reason."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from probe.simulation.authority import Authority, Identity
from probe.simulation.pop3 import DOVECOT, Pop3Server
from tests.simulation.clients import RawClient


async def _refusal(identity: Identity, trust: ssl.SSLContext) -> str:
    """Why OpenSSL refuses an identity, empty where it takes it."""

    def connect(port: int) -> str:
        try:
            with RawClient(port, trust):
                return ""
        except ssl.SSLCertVerificationError as refused:
            return str(refused.verify_message)

    async with Pop3Server(DOVECOT, identity.context(), implicit=True) as server:
        return await asyncio.to_thread(connect, server.port)


async def test_an_issued_certificate_is_trusted_for_its_name(authority: Authority, trust: ssl.SSLContext) -> None:
    """A client that trusts the authority takes a certificate that is for the address it called."""
    assert await _refusal(authority.issue("127.0.0.1"), trust) == ""


async def test_a_certificate_passes_strict_verification(authority: Authority, trust: ssl.SSLContext) -> None:
    """Certificates carry all that OpenSSL's strict checks ask for, which Python makes by default from 3.13 on."""
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    assert await _refusal(authority.issue("127.0.0.1"), trust) == ""


async def test_an_rsa_certificate_is_trusted_too(authority: Authority, trust: ssl.SSLContext) -> None:
    """Keys are P-256 unless RSA is asked for, and one RSA key serves every certificate that asks."""
    first, second = authority.issue("127.0.0.1", key="rsa-2048"), authority.issue("mail.contoso.test", key="rsa-2048")
    assert await _refusal(first, trust) == ""
    keys = [x509.load_pem_x509_certificates(identity.file.read_bytes())[0].public_key() for identity in (first, second)]
    assert isinstance(keys[0], rsa.RSAPublicKey)
    assert keys[0] == keys[1]


async def test_an_expired_certificate_is_refused_as_expired(authority: Authority, trust: ssl.SSLContext) -> None:
    """The expired certificate is wrong in nothing but its date."""
    assert await _refusal(authority.expired("127.0.0.1"), trust) == "certificate has expired"


async def test_a_self_signed_certificate_is_refused_as_such(authority: Authority, trust: ssl.SSLContext) -> None:
    """The self-signed certificate is vouched for by nobody."""
    assert "self-signed certificate" in (await _refusal(authority.self_signed("127.0.0.1"), trust)).replace("self signed", "self-signed")


async def test_a_certificate_for_another_name_is_refused(authority: Authority, trust: ssl.SSLContext) -> None:
    """A certificate for another name is refused for its name."""
    assert "mismatch" in await _refusal(authority.issue("elsewhere.contoso.test"), trust)


async def test_a_certificate_sent_without_its_issuer_is_refused(authority: Authority, trust: ssl.SSLContext) -> None:
    """Sent alone, a certificate leads to no root that the client knows."""
    assert "unable to get local issuer" in await _refusal(authority.issue("127.0.0.1", with_issuer=False), trust)


def test_a_certificate_ends_when_it_is_said_to(authority: Authority) -> None:
    """The end of validity can be chosen."""
    soon = x509.load_pem_x509_certificates(authority.issue("a.test", ends_in=timedelta(days=12)).file.read_bytes())[0]
    later = x509.load_pem_x509_certificates(authority.issue("a.test").file.read_bytes())[0]
    assert later.not_valid_after_utc - soon.not_valid_after_utc == timedelta(days=288)


def test_a_key_of_unknown_kind_is_refused(authority: Authority) -> None:
    """Only the two kinds of key that are in use are made."""
    with pytest.raises(ValueError, match="ecdsa-p256"):
        authority.issue("a.test", key="dsa")
