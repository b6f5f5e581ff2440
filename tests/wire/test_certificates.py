"""Tests of reading certificates."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.model.kinds import ChainEnd
from probe.simulation.authority import Authority
from probe.wire.certificates import SIGNATURES, Certificate, chain_end, read_certificate, subject_of
from tests.wire.certificates import _RSA_2048, _SAN, _SHA256_RSA, ODD, broken, common_name, leaf_of, odd_extension
from tests.wire.der_writing import oid, tlv


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


def test_names_of_a_certificate_are_visible() -> None:
    """What whoever made the certificate put into its names is shown, never obeyed by a terminal."""
    sequence = bytes([0x30, 0x05, 0x82, 0x03]) + b"a\x1bc"
    read = read_certificate(leaf_of(odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, sequence.hex()), common_name="a\x9b2J\u202eb"))
    assert read.subject == read.issuer == r"CN=a\x9b2J\u202eb"
    assert read.common_names == (r"a\x9b2J\u202eb",)
    assert read.names == (r"a\x1bc",)


NAMES_OF_ODD: dict[str, tuple[str, ...] | None] = {
    "a DNS name beyond ASCII": (r"m\xfca",),
    "an address of three bytes": (),
    "a kind of name that is not supported": (),
    "no DER at all": None,
    "another extension that breaks the rules": (),
}


@pytest.mark.parametrize("odd", ODD)
def test_alternative_names_are_read_as_far_as_they_name_hosts(odd: str) -> None:
    """What names no host is left out, a rule broken elsewhere hides nothing, and all the rest is still read."""
    read = read_certificate(leaf_of(ODD[odd]))
    assert read.names == NAMES_OF_ODD[odd]
    assert read.subject == "CN=cn.example.test"
    assert read.key == "ecdsa-p256"


def test_names_that_cannot_be_read_are_not_no_names() -> None:
    """Where the alternative names cannot be read at all, the common name is no substitute."""
    read = read_certificate(leaf_of(ODD["no DER at all"]))
    assert read.is_for("cn.example.test") is None
    assert read.is_for("127.0.0.1") is None
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


# --- As other programs read it ------------------------------------------------------------------------------

_PRIVATE_KEYS: dict[str, Callable[[], Any]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ecdsa-brainpoolp256r1": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "dsa-2048": lambda: dsa.generate_private_key(2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
}
_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Müller, "Söhne" + Co; <x> \\ #'),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "#1 "),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@contoso.test"),
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "contoso"),
        x509.NameAttribute(NameOID.COMMON_NAME, " "),
    ]
)


@pytest.mark.parametrize("kind", _PRIVATE_KEYS)
def test_what_keeps_to_the_rules_reads_as_cryptography_reads_it(kind: str) -> None:
    """Names, validity, key and signature of a proper certificate are what another reader says of it."""
    key = _PRIVATE_KEYS[kind]()
    start, end = datetime(1999, 12, 31, 23, 59, 58, tzinfo=UTC), datetime(2051, 1, 2, 3, 4, 5, tzinfo=UTC)
    names = x509.SubjectAlternativeName(
        [x509.RFC822Name("a@contoso.test"), x509.DNSName("mail.contoso.test"), x509.IPAddress(ip_address("2001:db8::1"))]
    )
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), 1, start, end).add_extension(names, critical=False)
    made = builder.sign(key, None if kind.startswith("ed") else hashes.SHA384())
    read = read_certificate(made.public_bytes(serialization.Encoding.DER))
    assert read.subject == made.subject.rfc4514_string()
    assert read.common_names == (" ",)
    assert (read.not_before, read.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
    assert read.names == ("mail.contoso.test", "2001:db8::1")
    assert read.key == kind
    assert read.signature == (kind if kind.startswith("ed4") or kind == "ed25519" else f"sha384-{kind.split('-')[0]}")
    assert read.is_self_issued


def test_the_signatures_are_those_that_cryptography_knows() -> None:
    """Each algorithm of a key with a hash that it has an identifier for has a name here, made of the same words."""
    theirs = {oid.dotted_string: name for name, oid in vars(SignatureAlgorithmOID).items() if "_WITH_" in name}
    assert SIGNATURES.keys() == theirs.keys()
    for identifier, name in SIGNATURES.items():
        assert sorted(name.split("-")) == sorted(filter(None, theirs[identifier].lower().removeprefix("_").split("_with_")))


def test_a_signature_by_pss_is_named_with_its_hash() -> None:
    """RSASSA-PSS is told with the hash that its parameters name."""
    key = rsa.generate_private_key(65537, 2048)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), 1, moment, moment)
    made = builder.sign(key, hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    assert read_certificate(made.public_bytes(serialization.Encoding.DER)).signature == "sha256-rsa-pss"


# --- Rules that makers break --------------------------------------------------------------------------------


_NOT_CRITICAL = tlv(0x30, oid("2.5.29.19"), tlv(0x01, b"\0"), tlv(0x04, tlv(0x30)))


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(broken(extensions=(_SAN, _NOT_CRITICAL)), id="a default is spelled out"),
        pytest.param(
            broken(extensions=(tlv(0x30, oid("2.5.29.17"), tlv(0x01, b"\1"), tlv(0x04, tlv(0x30, tlv(0x82, b"localhost")))),)),
            id="true is 1",
        ),
        pytest.param(broken(extensions=(_SAN, tlv(0x30, oid("2.5.29.37"), tlv(0x04, b"junk")))), id="an extension is no DER"),
        pytest.param(broken(serial=b"\xff\x01"), id="the serial is negative"),
        pytest.param(broken(serial=b""), id="there is no serial"),
        pytest.param(broken(serial=b"\x01" * 40), id="the serial is too long"),
        pytest.param(broken(version=tlv(0xA0, tlv(0x02, b"\5"))), id="the version is unheard of"),
        pytest.param(broken(version=b""), id="the version is left out beside extensions"),
        pytest.param(broken(start=tlv(0x17, b"2001010000Z")), id="a time has no seconds"),
        pytest.param(broken(start=tlv(0x17, b"200101020000+0200")), id="a time has an offset"),
        pytest.param(broken(end=tlv(0x18, b"20391231235959.0Z")), id="a time has a fraction"),
        pytest.param(broken(end=tlv(0x18, b"20391231235959Z")), id="a time before 2050 has four digits of a year"),
        pytest.param(broken(name=common_name(0x1E, "localhost".encode("utf-16-be"))), id="a name of two bytes a character"),
        pytest.param(broken(name=common_name(0x1C, "localhost".encode("utf-32-be"))), id="a name of four bytes a character"),
        pytest.param(broken(name=common_name(0x14, b"localhost")), id="a name in T61"),
        pytest.param(broken() + b"more", id="something follows"),
        pytest.param(b"\x30\x80" + broken()[4:] + b"\0\0", id="a length is left open"),
        pytest.param(b"\x30\x84\0\0" + broken()[2:], id="a length is longer than it must be"),
    ],
)
def test_a_rule_that_its_maker_broke_hides_nothing_of_a_certificate(der: bytes) -> None:
    """Names, validity and key come out although an encoding breaks a rule, as they do for OpenSSL and Windows."""
    read = read_certificate(der)
    assert read.subject == "CN=localhost"
    assert read.names == ("localhost",)
    assert read.not_before == datetime(2020, 1, 1, tzinfo=UTC)
    assert read.not_after == datetime(2039, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (read.key, read.signature) == ("rsa-2048", "sha256-rsa")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_a_certificate_or_a_value_error(data: bytes) -> None:
    """Whatever a peer sends in a certificate's place ends in a reading or in one kind of error."""
    with contextlib.suppress(ValueError):
        read_certificate(data)


@settings(deadline=None)
@given(st.integers(0, 600), st.integers(0, 255))
def test_a_byte_changed_anywhere_does_the_same(at: int, byte: int) -> None:
    """A certificate with one byte changed is read, or is a value error."""
    der = bytearray(broken())
    der[at % len(der)] = byte
    with contextlib.suppress(ValueError):
        read_certificate(bytes(der))


# --- Chains -------------------------------------------------------------------------------------------------


def issued(subject: str, issuer: str, end: int) -> bytes:
    """A certificate that ends on the first day of a year."""
    names = [common_name(0x0C, name.encode()) for name in (issuer, subject)]
    dates = tlv(0x30, tlv(0x17, b"200101000000Z"), tlv(0x18, f"{end}0101000000Z".encode()))
    body = tlv(0x30, tlv(0x02, b"\1"), _SHA256_RSA, names[0], dates, names[1], _RSA_2048)
    return tlv(0x30, body, _SHA256_RSA, tlv(0x03, b"\0" * 257))


LEAF, MIDDLE, ROOT = issued("leaf", "middle", 2030), issued("middle", "root", 2027), issued("root", "root", 2050)
CROSS, STRANGER = issued("middle", "old root", 2021), issued("stranger", "root", 2019)


@pytest.mark.parametrize(
    ("sent", "verified", "whose", "year"),
    [
        ((LEAF,), (), "leaf", 2030),
        ((LEAF, MIDDLE, ROOT), (), "middle", 2027),
        ((LEAF, ROOT, MIDDLE), (), "middle", 2027),
        ((LEAF, MIDDLE, STRANGER), (), "middle", 2027),
        ((LEAF, CROSS, MIDDLE), (), "middle", 2027),
        ((LEAF, CROSS), (), "middle", 2021),
        ((LEAF, CROSS, MIDDLE), (LEAF, MIDDLE, ROOT), "middle", 2027),
        ((LEAF, CROSS), (LEAF, MIDDLE, ROOT), "leaf", 2030),
        ((LEAF, b"junk", MIDDLE), (), "middle", 2027),
    ],
)
def test_the_end_of_a_chain_is_that_of_what_is_needed(sent: tuple[bytes, ...], verified: tuple[bytes, ...], whose: str, year: int) -> None:
    """What was sent beside the chain does not count, and of two for one issuer the one that lasts longer does."""
    assert chain_end(sent, verified) == ChainEnd(f"CN={whose}", datetime(year, 1, 1, tzinfo=UTC))


def test_two_issuers_of_each_other_have_an_end() -> None:
    """Certificates that name each other as issuers are no chain without an end."""
    assert chain_end((issued("a", "b", 2030), issued("b", "a", 2029), issued("a", "b", 2031))) == ChainEnd(
        "CN=b", datetime(2029, 1, 1, tzinfo=UTC)
    )


def test_a_chain_whose_first_certificate_cannot_be_read_has_no_known_end() -> None:
    """Without the server's own certificate nothing is said of the chain."""
    assert chain_end((b"junk", MIDDLE)) is None
