"""Certificates, whole and spoilt."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from tests.wire.der_writing import oid, tlv


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


def odd_extension(oid: x509.ObjectIdentifier, value: str) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(oid, bytes.fromhex(value))


ODD = {
    "a DNS name beyond ASCII": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "30058203" + "6dfc61"),
    "an address of three bytes": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "30058703" + "7f0001"),
    "a kind of name that is not supported": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "3002a500"),
    "no DER at all": odd_extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "ffff"),
    "another extension that breaks the rules": odd_extension(ExtensionOID.BASIC_CONSTRAINTS, "ffff"),
}


_SHA256_RSA = tlv(0x30, oid("1.2.840.113549.1.1.11"), tlv(0x05))


def rsa_key(bits: int) -> bytes:
    """A public key of RSA with a modulus of so many bits."""
    modulus, exponent = tlv(0x02, b"\xff" * (bits // 8)), tlv(0x02, b"\3")
    return tlv(0x30, tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(0x05)), tlv(0x03, b"\0", tlv(0x30, modulus, exponent)))


_RSA_2048 = rsa_key(2048)


_SAN = tlv(0x30, oid("2.5.29.17"), tlv(0x04, tlv(0x30, tlv(0x82, b"localhost"))))


def common_name(tag: int, value: bytes) -> bytes:
    return tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(tag, value))))


def broken(
    *,
    serial: bytes = b"\x11",
    name: bytes = common_name(0x0C, b"localhost"),
    start: bytes = tlv(0x17, b"200101000000Z"),
    end: bytes = tlv(0x17, b"391231235959Z"),
    extensions: tuple[bytes, ...] = (_SAN,),
    version: bytes = tlv(0xA0, tlv(0x02, b"\2")),
    key: bytes = _RSA_2048,
) -> bytes:
    """A certificate put together by hand, unsigned."""
    block = tlv(0xA3, tlv(0x30, *extensions)) if extensions else b""
    body = tlv(0x30, version, tlv(0x02, serial), _SHA256_RSA, name, tlv(0x30, start, end), name, key, block)
    return tlv(0x30, body, _SHA256_RSA, tlv(0x03, b"\0" * 257))
