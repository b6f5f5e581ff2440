"""What a certificate says, read with `cryptography`, in the terms of the vocabulary."""

from __future__ import annotations

import ipaddress
import warnings
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from probe.model.characters import visible

_SIGNATURES = {
    oid: "-".join(reversed(name.lower().replace("_with_", " ").split()))
    for name, oid in vars(SignatureAlgorithmOID).items()
    if "_WITH_" in name
}
"""As `sha256-rsa`, from names such as RSA_WITH_SHA256."""

_CURVES = {"secp192r1": "p192", "secp224r1": "p224", "secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate, read."""

    subject: str
    issuer: str
    names: tuple[str, ...] | None
    """DNS names and addresses of the subject alternative name; empty where there is none, None where the extensions cannot be read."""
    common_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    signature: str
    is_self_issued: bool
    """Whether subject and issuer are one, so that its own signature proves nothing."""

    def is_for(self, host: str) -> bool | None:
        """Whether it is for a host: by its alternative names (RFC 9525), or by its common name where it has no DNS name.

        The common name no longer counts for browsers, but it does for Windows, whose verdict is the one that matters here.
        None where the alternative names cannot be read: whether the common name counts hangs on them.
        """
        if self.names is None:
            return None
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names = tuple(n for n in self.names if not _is_address(n)) or self.common_names
            return any(_name_matches(name.lower().rstrip("."), host.lower().rstrip(".")) for name in names)
        return str(address) in self.names


def read_certificate(der: bytes) -> Certificate:
    """The certificate in these bytes. Raises ValueError where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what old certificates get wrong; it is read all the same
            certificate = x509.load_der_x509_certificate(der)
            return Certificate(
                subject=visible(certificate.subject.rfc4514_string()),
                issuer=visible(certificate.issuer.rfc4514_string()),
                names=_alternative_names(certificate),
                common_names=tuple(visible(str(a.value)) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                key=_key(certificate),
                signature=_signature(certificate),
                is_self_issued=certificate.subject == certificate.issuer,
            )
    except Exception as unreadable:
        raise ValueError(f"the certificate cannot be read: {type(unreadable).__name__}") from unreadable


def subject_of(der: bytes) -> str:
    """Subject of a certificate, or words in its place where it cannot be read."""
    try:
        return read_certificate(der).subject
    except ValueError:
        return "(unreadable)"


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...] | None:
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return ()
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        # `cryptography` reads all extensions or none. One that breaks the rules must not hide the rest of the certificate.
        return None
    found = extension.value
    assert isinstance(found, x509.SubjectAlternativeName)
    return (*map(visible, found.get_values_for_type(x509.DNSName)), *map(str, found.get_values_for_type(x509.IPAddress)))


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return f"unknown-{certificate.public_key_algorithm_oid.dotted_string}"
    match key:
        case rsa.RSAPublicKey():
            return f"rsa-{key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"ecdsa-{_CURVES.get(key.curve.name, key.curve.name.lower())}"
        case dsa.DSAPublicKey():
            return f"dsa-{key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "ed25519"
        case ed448.Ed448PublicKey():
            return "ed448"
    return f"unknown-{certificate.public_key_algorithm_oid.dotted_string}"


def _signature(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        algorithm = certificate.signature_hash_algorithm
        return f"{algorithm.name if algorithm else 'unknown'}-rsa-pss"
    if oid in (SignatureAlgorithmOID.ED25519, SignatureAlgorithmOID.ED448):
        return "ed25519" if oid == SignatureAlgorithmOID.ED25519 else "ed448"
    return _SIGNATURES.get(oid, f"unknown-{oid.dotted_string}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name_matches(pattern: str, host: str) -> bool:
    """A wildcard stands for exactly the leftmost label, whole (RFC 9525 section 6.3)."""
    if not pattern.startswith("*."):
        return pattern == host
    _, dot, parent = host.partition(".")
    return bool(dot) and "." in parent and parent == pattern[2:]
