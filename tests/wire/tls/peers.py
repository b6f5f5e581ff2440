"""Real TLS servers of known configuration, and flights of them that were recorded."""

from __future__ import annotations

import datetime
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from probe.wire.tls.flight import Flight
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from tests.servers.programs import ADDRESS, find_program, running

RANDOM = bytes(range(32))
"""The random of every hello here, so that a recorded flight fits."""

StartServer = Callable[..., int]
"""Starts a server with these arguments; gives its port."""


@contextmanager
def openssl_server(certificates: Path, *arguments: str) -> Iterator[int]:
    """`openssl s_server` with an RSA and an ECDSA certificate; yields its port."""
    program = find_program("openssl", "OpenSSL")

    def configure(_: Path, ports: list[int]) -> list[str]:
        chains = [f"-{kind}={certificates / file}" for kind, file in _FILES.items()]
        options = [part for chain in chains for part in chain.split("=", 1)]
        return [str(program), "s_server", "-quiet", "-accept", f"{ADDRESS}:{ports[0]}", *options, *arguments]

    with running("OpenSSL", 1, configure) as ports:
        yield ports[0]


@contextmanager
def gnutls_server(certificates: Path, priority: str) -> Iterator[int]:
    """`gnutls-serv` with an RSA and an ECDSA certificate; yields its port."""
    program = find_program("gnutls-serv", "GnuTLS")

    def configure(_: Path, ports: list[int]) -> list[str]:
        command = [str(program), "--port", str(ports[0]), "--priority", priority, "--echo"]
        for kind in ("rsa", "ecdsa"):
            command += ["--x509certfile", str(certificates / f"{kind}.pem"), "--x509keyfile", str(certificates / f"{kind}.key")]
        return command

    with running("GnuTLS", 1, configure) as ports:
        yield ports[0]


_FILES = {"cert": "rsa.pem", "key": "rsa.key", "dcert": "ecdsa.pem", "dkey": "ecdsa.key"}


def make_certificates(folder: Path) -> Mapping[str, bytes]:
    """A self-signed RSA and a self-signed ECDSA certificate, written into a folder; given in DER by kind."""
    made = {}
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    }
    now = datetime.datetime.now(datetime.UTC)
    for kind, key in keys.items():
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=2))
            .sign(key, hashes.SHA256())
        )
        (folder / f"{kind}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{kind}.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        made[kind] = certificate.public_bytes(serialization.Encoding.DER)
    return made


def ask(port: int, offer: Offer, *, whole: bool = True) -> TlsReply | TlsRefusal:
    """What a server on loopback makes of an offer."""
    flight = Flight(offer, random=RANDOM, whole=whole)
    with socket.create_connection((ADDRESS, port), timeout=10) as connection:
        while flight.result is None:
            if out := flight.outgoing():
                connection.sendall(out)
            data = connection.recv(65536)
            assert data, "the server closed the connection"
            flight.feed(data)
    return flight.result


@dataclass(frozen=True, slots=True)
class Recorded:
    """A real server's flight, and the offer that it answers."""

    offer: Offer
    flight: bytes


@cache
def recorded() -> Mapping[str, Recorded]:
    """The recorded flights by name."""
    stored = json.loads((Path(__file__).parent / "flights.json").read_text(encoding="utf-8"))["flights"]
    return {
        name: Recorded(
            Offer(
                versions=tuple(Version(number) for number in entry["offer"]["versions"]),
                suites=tuple(entry["offer"]["suites"]),
                groups=tuple(entry["offer"]["groups"]),
                schemes=tuple(entry["offer"]["schemes"]),
                shares=tuple(entry["offer"]["shares"]),
                server_name=entry["offer"]["server_name"],
            ),
            bytes.fromhex(entry["flight"]),
        )
        for name, entry in stored.items()
    }
