"""Tests of the bare handshake, and of what a handshake that fails has shown before."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.simulation.authority import Identity
from tests.looking import Looked, authority, look
from tests.scripted import ScriptedServer
from tests.wire.certificates import ODD, leaf_of

DEMANDED = "the peer sent an alert: handshake failure, after it had asked for a client certificate"
STLS = ["S: +OK ready", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: STLS", "S: +OK go"]
STARTTLS = ["S: 220 hi", "C: EHLO", "S: 250-x", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go"]


@asynccontextmanager
async def demanding(identity: Identity, highest: ssl.TLSVersion, steps: Sequence[str] = ()) -> AsyncIterator[int]:
    """A server on sockets of its own that wants a certificate of its client, after these steps in clear. Gives its port."""
    context = identity.context(highest=highest)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority().ca_file)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context, steps), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            await asyncio.to_thread(thread.join, 5)


def _serve(listening: socket.socket, context: ssl.SSLContext, steps: Sequence[str]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as heard:
            for step in steps:
                if step.startswith("S: "):
                    connection.sendall(step[3:].encode() + b"\r\n")
                else:
                    assert heard.readline().startswith(step[3:].encode())
            with contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()


async def look_at_demanding(scheme: str, identity: Identity, highest: ssl.TLSVersion, steps: Sequence[str] = ()) -> Looked:
    async with demanding(identity, highest, steps) as port:
        return await look(f"{scheme}://localhost:{port}")


@pytest.mark.parametrize(("scheme", "steps"), [("tls", []), ("pop3s", []), ("smtps", []), ("pop3", STLS), ("smtp", STARTTLS)])
async def test_the_chain_of_a_server_that_demands_a_certificate_is_kept(scheme: str, steps: list[str]) -> None:
    """In TLS 1.2 such a server shows its own certificate, verified, before it refuses; the failure and the certificate are both facts."""
    looked = await look_at_demanding(scheme, authority().issue("localhost"), ssl.TLSVersion.TLSv1_2, steps)
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.TLS_FAILURE) == DEMANDED
    assert looked.attempt.connections == 1
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.value(v.CERTIFICATE_CHAIN) == ("CN=localhost", "CN=Simulated Issuing CA")
    leaf, issuer = looked.value(v.CERTIFICATE_CHAIN_DATES) or ()
    assert (leaf.subject, leaf.not_before, leaf.not_after) == (
        "CN=localhost",
        looked.value(v.CERTIFICATE_NOT_BEFORE),
        looked.value(v.CERTIFICATE_NOT_AFTER),
    )
    assert issuer.subject == "CN=Simulated Issuing CA"
    assert issuer.not_before <= leaf.not_before < leaf.not_after < issuer.not_after
    assert looked.value(v.CERTIFICATE_NAMES) == ("localhost",)
    assert looked.value(v.CERTIFICATE_MATCHES_NAME) is True
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert looked.value(v.CERTIFICATE_DISTRUSTED_BECAUSE) == ""
    assert looked.why(v.TLS_NEGOTIATED) == "tls-failed"
    (evidence,) = looked.facts.read(v.CERTIFICATE_SUBJECT).provenance.evidence  # type: ignore[union-attr]
    assert evidence.excerpt == f"TLS handshake failed: {DEMANDED}"


async def test_an_untrusted_chain_is_kept_though_no_handshake_comes_to_its_end() -> None:
    """What the verified handshake refused and the unverified one after it showed stays, though that failed as well."""
    looked = await look_at_demanding("pop3s", authority().self_signed("localhost"), ssl.TLSVersion.TLSv1_2)
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.attempt.connections == 2
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.CERTIFICATE_DISTRUSTED_BECAUSE) == "self-signed certificate"


@pytest.mark.parametrize("scheme", ["pop3s", "smtps"])
async def test_in_tls_1_3_the_demand_comes_after_our_end(scheme: str) -> None:
    """In TLS 1.3 the objection is the first answer to what we say inside; it fails the handshake, and the certificate stays."""
    looked = await look_at_demanding(scheme, authority().issue("localhost"), ssl.TLSVersion.TLSv1_3)
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: certificate required"
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.value(v.CERTIFICATE_TRUSTED) is True


async def test_a_bare_handshake_of_tls_1_3_waits_for_the_demand() -> None:
    """Where nothing is asked inside TLS 1.3, the server's next word is waited for: the demand for a certificate fails the handshake."""
    looked = await look_at_demanding("tls", authority().issue("localhost"), ssl.TLSVersion.TLSv1_3)
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: certificate required"
    assert looked.value(v.CERTIFICATE_TRUSTED) is True


async def test_a_demand_that_a_request_crosses_is_heard() -> None:
    """Over HTTPS, where the client speaks first, a server that ends TLS 1.3 unheard is asked once more without a request, for its objection."""
    looked = await look_at_demanding("https", authority().issue("localhost"), ssl.TLSVersion.TLSv1_3)
    assert looked.attempt.outcome is Outcome.TLS_FAILED
    assert looked.attempt.connections <= 2
    assert looked.value(v.TLS_COMPLETED) is False
    assert looked.value(v.TLS_FAILURE) == "the peer sent an alert: certificate required"


async def test_a_certificate_with_odd_names_is_for_those_that_can_be_read(tmp_path: Path) -> None:
    """A name that no host can have hides neither the rest of a certificate nor that it is for somebody else."""
    looked = await look_at_odd("a DNS name beyond ASCII", tmp_path)
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.value(v.CERTIFICATE_NAMES) == (r"m\xfca",)
    assert looked.value(v.CERTIFICATE_MATCHES_NAME) is False


async def look_at_odd(name: str, folder: Path) -> Looked:
    key = ec.generate_private_key(ec.SECP256R1())
    file = folder / "odd.pem"
    unencrypted = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    file.write_bytes(private + ssl.DER_cert_to_PEM_cert(leaf_of(ODD[name], key=key, common_name="localhost")).encode())
    async with ScriptedServer([], Identity(file).context(), implicit=True).serving() as server:
        return await look(f"tls://localhost:{server.port}")


class _Stalling(asyncio.Protocol):
    """A server that sends its first flight of TLS 1.2, and falls silent."""

    def __init__(self, context: ssl.SSLContext, flight_bytes: int | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._flight_bytes = flight_bytes
        self._has_answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if not self._has_answered:
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
            self._transport.write(self._outgoing.read()[: self._flight_bytes])
            self._has_answered = True


@asynccontextmanager
async def stalling(identity: Identity, flight_bytes: int | None = None) -> AsyncIterator[int]:
    context = identity.context(highest=ssl.TLSVersion.TLSv1_2)
    server = await asyncio.get_running_loop().create_server(lambda: _Stalling(context, flight_bytes), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_chain_of_a_server_that_falls_silent_is_kept() -> None:
    """A handshake that is cut short by the deadline has shown its certificate, and our answer to it says that it was verified."""
    async with stalling(authority().issue("localhost")) as port:
        looked = await look(f"tls://localhost:{port}", timeout=0.5)
    assert looked.attempt.outcome is Outcome.TIMED_OUT
    assert looked.value(v.CERTIFICATE_SUBJECT) == "CN=localhost"
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert looked.why(v.TLS_COMPLETED) == "timed-out"


async def test_nothing_is_made_of_a_handshake_without_a_certificate() -> None:
    """A server that falls silent before its certificate leaves every fact of it missing, for that reason."""
    async with stalling(authority().issue("localhost"), flight_bytes=60) as port:
        looked = await look(f"tls://localhost:{port}", timeout=0.5)
    assert looked.why(v.CERTIFICATE_CHAIN) == "timed-out"
    assert looked.why(v.CERTIFICATE_TRUSTED) == "timed-out"
