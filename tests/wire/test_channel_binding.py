"""What a sign-in is bound to."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from probe.wire.channel_binding import end_point_binding

_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, by: HashAlgorithm | None, **how: object
) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm.contoso.test")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + datetime.timedelta(days=99))
    return made.sign(key, by, **how).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("der", "name"),
    [
        (certificate(_RSA, SHA256()), "sha256"),
        (certificate(_RSA, SHA512()), "sha512"),
        (certificate(_EC, SHA384()), "sha384"),
        (certificate(_RSA, SHA384(), rsa_padding=padding.PSS(padding.MGF1(SHA384()), 48)), "sha384"),
    ],
    ids=["rsa", "rsa with sha512", "ecdsa", "pss"],
)
def test_the_hash_is_that_of_the_signature(der: bytes, name: str) -> None:
    """The certificate is hashed as its own signature hashes (RFC 5929 section 4.1)."""
    assert end_point_binding(der) == b"tls-server-end-point:" + hashlib.new(name, der).digest()


def test_a_weak_hash_gives_way_to_sha256() -> None:
    """A certificate signed over SHA-1 is hashed by SHA-256."""
    der = certificate(_RSA, SHA256()).replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    assert end_point_binding(der) == b"tls-server-end-point:" + hashlib.sha256(der).digest()


@pytest.mark.parametrize(
    "der", [certificate(ed25519.Ed25519PrivateKey.generate(), None), b"", b"no certificate"], ids=["ed25519", "empty", "text"]
)
def test_where_no_hash_is_defined_nothing_is_bound(der: bytes) -> None:
    """A signature without a hash, and what is no certificate, have no binding."""
    assert end_point_binding(der) is None
