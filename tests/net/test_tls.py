"""Tests of the TLS settings of a run."""

from __future__ import annotations

import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probe.net.tls import TlsPolicies, check_anchors
from tests.looking import authority

_BROKEN_CRL = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
_BROKEN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def good() -> bytes:
    return authority().ca_file.read_bytes()


@pytest.mark.parametrize("before", [b"", b"# our own authority\n"])
def test_a_file_that_a_run_can_load_is_good(tmp_path: Path, before: bytes) -> None:
    """Certificates in PEM are trust anchors, whatever words stand around them."""
    file = tmp_path / "ca.pem"
    file.write_bytes(before + good())
    check_anchors(file)


@pytest.mark.parametrize(
    "content",
    [_BROKEN_CRL + good(), good() + _BROKEN_CRL, good() + _BROKEN_CERTIFICATE, good()[:-30], b"no certificate", b""],
    ids=["broken CRL first", "broken CRL last", "broken certificate last", "cut off", "text", "empty"],
)
async def test_a_file_that_a_run_cannot_load_is_told_before_it(tmp_path: Path, content: bytes) -> None:
    """What the check refuses is what OpenSSL refuses in a run, where the peer would be blamed for it."""
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="holds no PEM certificates that can be read"):
        check_anchors(file)
    with pytest.raises(ssl.SSLError):
        await TlsPolicies(file).reading()


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A file that is not there is told with the system's words."""
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        check_anchors(tmp_path / "none.pem")


def test_revocations_alone_are_no_anchors(tmp_path: Path) -> None:
    """A file of nothing but revoked certificates anchors no trust."""
    file = tmp_path / "crl.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some CA")]))
    revocations = builder.last_update(moment).next_update(moment + timedelta(days=1)).sign(key, hashes.SHA256())
    file.write_bytes(revocations.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(ValueError, match="only lists of revoked ones"):
        check_anchors(file)


def test_a_broken_file_of_anchors_is_a_wrong_command_line(tmp_path: Path) -> None:
    """A broken CRL before a good certificate exits 2 with one clean message, and nothing is connected to."""
    file = tmp_path / "ca.pem"
    file.write_bytes(_BROKEN_CRL + good())
    done = subprocess.run(
        [sys.executable, "-m", "probe", "look", "--ca", str(file), "pop3s://127.0.0.1:1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "holds no PEM certificates that can be read" in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
