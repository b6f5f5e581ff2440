"""Tests of reading certificates."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from probe.net.certificates import Certificate, read_certificate, subject_of
from probe.simulation.authority import Authority


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


def certificate(*names: str, common: str = "cn.example.test") -> Certificate:
    from datetime import UTC, datetime

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
