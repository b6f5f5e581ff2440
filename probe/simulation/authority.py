"""A certificate authority that is created at the start, and the certificates that it issues.

The servers' certificates are checked by OpenSSL against the clock of this machine, so validity counts from that clock.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from probe.model.values import dataclass

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

# Long enough for every "ends soon" advice to stay silent, short enough for the 398 days that browsers allow.
ORDINARY_LIFE = timedelta(days=300)
AUTHORITY_LIFE = timedelta(days=3650)
BACKDATED = timedelta(days=60)
# Nor does any begin later than this: what is seen today is judged for days past, too, such as the last one of EWS in Exchange Online, 2026-09-30.
BEGUN = datetime(2026, 9, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its chain and its key, in one PEM file, which is what OpenSSL loads."""

    file: Path

    def context(self, *, highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
        """A server's TLS settings with this identity; Windows before Server 2022 goes no higher than TLS 1.2."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = highest
        context.load_cert_chain(self.file)
        return context


class Authority:
    """A root and an issuing authority under it. Everything it writes lies in one folder, which its owner removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = datetime.fromtimestamp(time.time(), UTC)
        self._issued = 0
        # P-256 keys are generated in under a millisecond; one RSA key is generated at first use and shared.
        self._rsa: rsa.RSAPrivateKey | None = None
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._authority("Simulated Root CA", self._root_key, None)
        self._issuing_key = ec.generate_private_key(ec.SECP256R1())
        self._issuing = self._authority("Simulated Issuing CA", self._issuing_key, self._root)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(_pem(self._root))

    def issue(self, *names: str, ends_in: timedelta = ORDINARY_LIFE, key: str = "ecdsa-p256", with_issuer: bool = True) -> Identity:
        """A certificate for DNS names or addresses. Without its issuer it is sent alone, as many servers are set up by mistake."""
        private = self._key(key)
        builder = self._leaf(names, ends_in, private, self._issuing.subject, self._issuing_key)
        certificate = builder.sign(self._issuing_key, hashes.SHA256())
        return self._write(private, certificate, *((self._issuing,) if with_issuer else ()))

    def expired(self, *names: str) -> Identity:
        """A certificate that ended nine days ago."""
        return self.issue(*names, ends_in=timedelta(days=-9))

    def self_signed(self, *names: str) -> Identity:
        """A self-signed certificate, as Exchange creates at its installation."""
        private = self._key("ecdsa-p256")
        builder = self._leaf(names, ORDINARY_LIFE, private, _name(names[0]), private)
        return self._write(private, builder.sign(private, hashes.SHA256()))

    def _key(self, kind: str) -> PrivateKey:
        if kind == "ecdsa-p256":
            return ec.generate_private_key(ec.SECP256R1())
        if kind != "rsa-2048":
            raise ValueError(f"no key of kind {kind!r}; there are ecdsa-p256 and rsa-2048")
        if self._rsa is None:
            self._rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._rsa

    def _leaf(
        self, names: tuple[str, ...], ends_in: timedelta, private: PrivateKey, issuer: x509.Name, issuer_key: PrivateKey
    ) -> x509.CertificateBuilder:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = self._builder(names[0], private, ends_in).issuer_name(issuer)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(certifies=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        return builder.add_extension(identifier, critical=False)

    def _authority(self, name: str, private: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None) -> x509.Certificate:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key())
        builder = self._builder(name, private, AUTHORITY_LIFE).issuer_name(issuer.subject if issuer else _name(name))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(certifies=True), critical=True)
        return builder.add_extension(identifier, critical=False).sign(self._root_key, hashes.SHA256())

    def _builder(self, common_name: str, private: PrivateKey, ends_in: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(self._now - BACKDATED, BEGUN))
            .not_valid_after(self._now + ends_in)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        )

    def _write(self, private: PrivateKey, *chain: x509.Certificate) -> Identity:
        self._issued += 1
        file = self._folder / f"identity-{self._issued}.pem"
        key = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.touch(mode=0o600)
        file.write_bytes(key + b"".join(_pem(certificate) for certificate in chain))
        return Identity(file)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies,
        key_cert_sign=certifies,
        crl_sign=certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
