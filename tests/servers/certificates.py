"""A certificate authority made on the spot, and the certificate that every real server of the tests shows."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = datetime.timedelta(days=30)
# RSA, because every client and every TLS version speaks it; 2048 bits is the least that OpenSSL's level 2 accepts.
_KEY_BITS = 2048
_ADDRESSES = ("127.0.0.1", "127.0.0.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate on disk, and what a client should read from it."""

    chain_file: Path
    """The server's certificate, then its issuer's, in PEM."""
    key_file: Path
    ca_file: Path
    """The issuer, which a client must be told to trust."""
    subject: str
    """As RFC 4514 writes it."""
    issuer: str
    names: tuple[str, ...]
    not_before: datetime.datetime
    not_after: datetime.datetime
    key: str
    signature: str


def make_certificate(folder: Path) -> ServerCertificate:
    """A certificate for `localhost`, 127.0.0.1 and 127.0.0.2, with its own authority, written into a folder."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    authority_key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority of probe")])
    authority = (
        _builder(authority_name, authority_name, authority_key, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server_key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    server = (
        _builder(server_name, authority_name, server_key, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(a)) for a in _ADDRESSES)]),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    chain_file, key_file, ca_file = folder / "chain.pem", folder / "key.pem", folder / "ca.pem"
    chain_file.write_bytes(server.public_bytes(pem) + authority.public_bytes(pem))
    ca_file.write_bytes(authority.public_bytes(pem))
    key_file.touch(mode=0o600)  # Postfix and Dovecot warn of a key that others can read
    key_file.write_bytes(server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return ServerCertificate(
        chain_file=chain_file,
        key_file=key_file,
        ca_file=ca_file,
        subject=server_name.rfc4514_string(),
        issuer=authority_name.rfc4514_string(),
        names=("localhost", *_ADDRESSES),
        not_before=server.not_valid_before_utc,
        not_after=server.not_valid_after_utc,
        key=f"rsa-{_KEY_BITS}",
        signature="sha256-rsa",
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    """What both certificates have; the key identifiers are what Python 3.13's strict verification asks for."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
