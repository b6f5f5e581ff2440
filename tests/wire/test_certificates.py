"""Tests of reading certificates."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from probe.simulation.authority import Authority
from probe.wire.certificates import Certificate, read_certificate, subject_of


def der_of(file: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        file.read_text().split("-----END CERTIFICATE-----")[0][file.read_text().index("-----BEGIN CERT") :] + "-----END CERTIFICATE-----"
    )


@pytest.mark.parametrize("key", ["ecdsa-p256", "rsa-2048"])
def test_a_certificate_is_read_whole(tmp_path: Path, key: str) -> None:
    """Names, key, signature and validity come out in the vocabulary's terms."""
    identity = Authority(tmp_path).issue("mail.contoso.test", "127.0.0.1", key=key)
    certificate = read_certificate(der_of(identity.file))
    assert certificate.names == ("mail.contoso.test", "127.0.0.1")
    assert certificate.key == key
    assert certificate.signature == "sha256-ecdsa"
    assert certificate.not_before < certificate.not_after
    assert "Simulated Issuing CA" in certificate.issuer


def leaf_of(
    *extensions: x509.UnrecognizedExtension, key: ec.EllipticCurvePrivateKey | None = None, common_name: str = "cn.example.test"
) -> bytes:
    """A certificate that signs itself, with these extensions as they are."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(moment).not_valid_after(moment)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_names_of_a_certificate_are_visible() -> None:
    """What whoever made the certificate put into its names is shown, never obeyed by a terminal."""
    sequence = bytes([0x30, 0x05, 0x82, 0x03]) + b"a\x1bc"
    read = read_certificate(leaf_of(odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, sequence.hex()), common_name="a\x9b2J\u202eb"))
    assert read.subject == read.issuer == r"CN=a\x9b2J\u202eb"
    assert read.common_names == (r"a\x9b2J\u202eb",)
    assert read.names == (r"a\x1bc",)


def odd_extension(oid: x509.ObjectIdentifier, value: str) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(oid, bytes.fromhex(value))


ODD = {
    "a DNS name beyond ASCII": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "30058203" + "6dfc61"),
    "an address of three bytes": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "30058703" + "7f0001"),
    "a kind of name that is not supported": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "3002a500"),
    "no DER at all": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "ffff"),
    "another extension that breaks the rules": odd_extension(ExtensionOID.BASIC_CONSTRAINTS, "ffff"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_names_that_cannot_be_read_are_not_no_names(odd: x509.UnrecognizedExtension) -> None:
    """Where the alternative names cannot be read the common name is no substitute, and all the rest is still read."""
    read = read_certificate(leaf_of(odd))
    assert read.names is None
    assert read.is_for("cn.example.test") is None
    assert read.is_for("127.0.0.1") is None
    assert read.subject == "CN=cn.example.test"
    assert read.key == "ecdsa-p256"
    assert read_certificate(leaf_of()).is_for("cn.example.test") is True


def certificate(*names: str, common: str = "cn.example.test") -> Certificate:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Certificate(
        subject="",
        issuer="",
        names=names,
        common_names=(common,),
        not_before=moment,
        not_after=moment,
        key="rsa-2048",
        signature="sha256-rsa",
        is_self_issued=False,
    )


@pytest.mark.parametrize(
    ("names", "host", "matches"),
    [
        (("mail.example.test",), "mail.example.test", True),
        (("mail.example.test",), "MAIL.example.test", True),
        (("mail.example.test",), "other.example.test", False),
        (("*.example.test",), "mail.example.test", True),
        (("*.example.test",), "a.mail.example.test", False),
        (("*.example.test",), "example.test", False),
        (("*.test",), "example.test", False),
        (("m*.example.test",), "mail.example.test", False),
        (("127.0.0.1",), "127.0.0.1", True),
        (("mail.example.test",), "127.0.0.1", False),
        (("::1",), "::1", True),
        ((), "cn.example.test", True),
        (("mail.example.test",), "cn.example.test", False),
        (("127.0.0.1",), "cn.example.test", True),
    ],
)
def test_a_certificate_is_for_its_names(names: tuple[str, ...], host: str, matches: bool) -> None:
    """Names match whole, a wildcard stands for one label, the common name counts only where there is no DNS name."""
    assert certificate(*names).is_for(host) is matches


def test_garbage_is_told_apart() -> None:
    """What cannot be read is a ValueError, and words in a list of subjects."""
    with pytest.raises(ValueError, match="cannot be read"):
        read_certificate(b"garbage")
    assert subject_of(b"garbage") == "(unreadable)"
