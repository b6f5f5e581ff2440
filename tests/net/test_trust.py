"""Whom a connection trusts that carries a secret, and what does not move it."""

from __future__ import annotations

import ast
import ssl
import subprocess
from pathlib import Path

import pytest

import probe
from probe.net.trust import verifying_context
from tests.looking import authority, server_context


def handshaken(context: ssl.SSLContext, server: ssl.SSLContext, name: str = "localhost") -> None:
    """A handshake in memory, to its end or to the error that ends it."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, other = context.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    client.write(b"a secret")


def test_an_added_anchor_is_trusted_for_its_name_alone() -> None:
    """A chain of an authority that nobody named is refused, and so is a trusted one for another name."""
    handshaken(verifying_context(authority().ca_file), server_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshaken(verifying_context(), server_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshaken(verifying_context(authority().ca_file), server_context("wrong-name"))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_adds_no_anchor(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where OpenSSL by itself would look for anchors, and Python's default context does, nothing is looked for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    anchors = authority().ca_file
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", anchors], capture_output=True, text=True, check=True
    ).stdout.strip()
    (tmp_path / f"{hashed}.0").write_bytes(anchors.read_bytes())
    if variable == "SSL_CERT_FILE":
        monkeypatch.setenv(variable, str(anchors))
    handshaken(ssl.create_default_context(), server_context())  # so that the variable is known to matter
    with pytest.raises(ssl.SSLCertVerificationError):
        handshaken(verifying_context(), server_context())


def test_the_environment_takes_no_anchor_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The system's anchors are those of the system, wherever the variables point: as many as without them, and of the same names."""
    before = verifying_context()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    after = verifying_context()
    assert (after.cert_store_stats(), after.get_ca_certs()) == (before.cert_store_stats(), before.get_ca_certs())
    assert after.verify_mode is ssl.CERT_REQUIRED
    assert after.check_hostname


def test_no_session_s_keys_are_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSLKEYLOGFILE, to which Python's default context listens, would let whoever recorded the connection read the password."""
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    assert ssl.create_default_context().keylog_filename == str(log)
    log.unlink(missing_ok=True)
    context = verifying_context(authority().ca_file)
    handshaken(context, server_context())
    assert str(context.keylog_filename) == "None"
    assert not log.exists()


def test_every_context_that_verifies_is_made_in_one_place() -> None:
    """No module but that one asks the ssl module for its default context or its default anchors."""
    folder = Path(probe.__file__).parent
    found = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("create_default_context", "load_default_certs", "set_default_verify_paths")
    }
    assert found == set()
