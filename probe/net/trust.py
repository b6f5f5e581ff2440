"""The trust of this machine: the one place that makes TLS contexts which verify. No environment variable changes them.

`ssl.create_default_context` takes its anchors from where SSL_CERT_FILE and SSL_CERT_DIR point, and writes the keys of its sessions to
SSLKEYLOGFILE. A password goes over what is made here, so neither is listened to: the anchors are the system's, and those that a caller adds.
"""

from __future__ import annotations

import re
import ssl
import sys
from pathlib import Path

# Where systems keep their anchors, should this Python's OpenSSL have been built to look elsewhere: Debian and Alpine, Fedora and Red Hat,
# SUSE, BSD and macOS (go/src/crypto/x509/root_linux.go and root_bsd.go, read 2026-11).
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+\Z")


def verifying_context(*added: Path | str | None, system_anchors: Path | str | None = None, has_older_hello: bool = False) -> ssl.SSLContext:
    """A context that verifies the chain, and the name. `added` are files with more anchors; `system_anchors` stands in for the system's in tests.

    `has_older_hello`: for a server that fails on a present-day hello; up to TLS 1.2, and verified as strictly.

    It verifies as Windows and OpenSSL do by default. Python 3.13 and later would refuse certificates that both accept.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if has_older_hello:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    if system_anchors is not None:
        context.load_verify_locations(system_anchors)
    elif sys.platform == "win32":
        _load_windows_stores(context)
    else:
        _load_system_files(context)
    for file in added:
        if file is not None:
            context.load_verify_locations(file)
    return context


def number_of_anchors(system_anchors: Path | str | None = None) -> int:
    """How many authorities this machine trusts, 0 where it has none. One that expired is counted too."""
    loaded = verifying_context(system_anchors=system_anchors).cert_store_stats()["x509"]
    if loaded or system_anchors is not None or sys.platform == "win32":
        return loaded
    return len(_hashed_names())


def _hashed_names() -> list[str]:
    folder = Path(ssl.get_default_verify_paths().openssl_capath)
    return [entry.name for entry in folder.iterdir() if _HASHED_NAME.match(entry.name)] if folder.is_dir() else []


def _load_system_files(context: ssl.SSLContext) -> None:
    """A folder with hashed names is looked into when a chain is verified, and costs nothing until then; a bundle is read whole, in 20 ms or more."""
    built_in = ssl.get_default_verify_paths()
    if _hashed_names():
        context.load_verify_locations(capath=built_in.openssl_capath)
        return
    bundle = next((file for file in (built_in.openssl_cafile, *_BUNDLES) if Path(file).is_file()), None)
    if bundle is not None:
        context.load_verify_locations(bundle)


def _load_windows_stores(context: ssl.SSLContext) -> None:
    """What Windows trusts for servers, as the ssl module does it. Of "CA" only what is a root itself is an anchor, as partial chains are off."""
    if sys.platform == "win32":
        for store in ("CA", "ROOT"):
            found = bytearray()
            for certificate, encoding, trust in ssl.enum_certificates(store):
                if encoding == "x509_asn" and (trust is True or (trust and ssl.Purpose.SERVER_AUTH.oid in trust)):
                    found += certificate
            if found:
                context.load_verify_locations(cadata=found)
