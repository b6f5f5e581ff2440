"""Tests of coming to a connection."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Endpoint
from probe.model.facts import Why
from probe.net.dial import Dial, Network
from probe.net.failures import NoAddressAnswered, OffProtocol, UntrustedPeer
from probe.net.killable import Children
from probe.net.limits import PER_ADDRESS, Deadline, Limits
from probe.net.transcript import Recorder
from tests.hostile import Hostile, closed_port
from tests.looking import authority, look, playing
from tests.net.addresses import two_addresses


async def test_the_first_address_that_answers_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All addresses are a fact; one that refuses is passed over, and the one used is recorded."""
    two_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        looked = await look(f"pop3://two.contoso.test:{server.port}")
    assert looked.value(v.NET_ADDRESSES) == ("127.0.0.2", "127.0.0.1")
    assert looked.attempt.address == "127.0.0.1"
    assert any("127.0.0.2" in line.text and "refused" in line.text for line in looked.attempt.transcript)


async def test_all_addresses_are_probed_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --all-addresses each address has its own attempt, and what they disagree on is conflicting."""
    two_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        looked = await look(f"pop3://two.contoso.test:{server.port}", all_addresses=True)
    assert [(a.address, a.outcome) for a in looked.run.attempts] == [(None, Outcome.REFUSED), ("127.0.0.1", Outcome.DENIED)]
    assert looked.why(v.NET_CONNECTED) == "conflicting"


async def test_a_host_without_a_way_to_it_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system knows no way to a host, that is the outcome, and the reason of every gap that it leaves."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.2":
            raise OSError(errno.EHOSTUNREACH, "No route to host")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    looked = await look("pop3://127.0.0.2:110")
    assert looked.attempt.outcome is Outcome.UNREACHABLE
    assert "127.0.0.2: no route to the host" in looked.attempt.detail
    assert looked.value(v.NET_CONNECTED) is False
    assert looked.why(v.PROTOCOL_GREETING) == Why.UNREACHABLE


@pytest.mark.parametrize(("certificate", "trusted"), [("trusted", True), ("self-signed", False), ("expired", False), ("wrong-name", False)])
async def test_credentials_need_a_certificate_that_earns_them(certificate: str, trusted: bool) -> None:
    """The way for credentials opens only over verified TLS for the very name."""
    async with playing(["S: hello"], implicit=True, certificate=certificate) as server, Children() as children:
        network = Network(ca_file=authority().ca_file, children=children)
        async with Deadline(5) as deadline:
            dial = Dial(Endpoint.parse(f"pop3s://localhost:{server.port}"), network, deadline, Recorder())
            if trusted:
                async with dial.open_trusted() as stream:
                    assert await stream.receive() == b"hello\r\n"
            else:
                with pytest.raises(UntrustedPeer, match="no credentials were sent"):
                    async with dial.open_trusted():
                        pytest.fail("an untrusted peer was let in")


def dial_to(port: int, deadline: Deadline, recorder: Recorder, children: Children) -> Dial:
    network = Network(ca_file=authority().ca_file, children=children)
    return Dial(Endpoint.parse(f"tls://localhost:{port}"), network, deadline, recorder)


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


async def test_a_bare_connection_takes_hellos_of_the_callers_making() -> None:
    """On a bare connection no TLS is begun though the endpoint speaks it at once, and one that is not recorded leaves only what is noted."""
    recorder = Recorder()
    async with playing(["S: hello"], implicit=True) as server, Children() as children, Deadline(5) as deadline:
        dial = dial_to(server.port, deadline, recorder, children)
        async with dial.open_bare(recorded=False) as stream:
            assert stream.session is None
            await stream.send(client_hello())
            answer = await stream.receive()
            assert answer[:3] == b"\x16\x03\x03"
            line = dial.note(f"hello 1: ServerHello of {len(answer)} bytes")
        assert dial.connections == 1
    assert line is not None
    assert recorder.lines() == (line,)


async def test_hundreds_of_connections_need_no_line_each() -> None:
    """Connections that are not recorded leave nothing in the transcript; they are counted, and keep to the limit for one address."""
    recorder = Recorder()
    async with Hostile(greeting=b"\x15\x03\x01\x00\x02\x02\x28").serving() as server, Children() as children, Deadline(20) as deadline:
        dial = dial_to(server.port, deadline, recorder, children)

        async def say_hello() -> None:
            async with dial.open_bare(recorded=False) as stream:
                await stream.send(b"\x16\x03\x01")
                assert await stream.receive() == server.greeting

        async with asyncio.TaskGroup() as group:
            for _ in range(170):
                group.create_task(say_hello())
    assert recorder.lines() == ()
    assert dial.connections == server.connections == 170
    assert server.most_at_once <= PER_ADDRESS


async def test_a_bare_connection_that_is_refused_is_told_by_its_failure() -> None:
    """Not even the refusal of a connection that is not recorded is written down; the failure that is raised says it."""
    recorder = Recorder()
    async with Children() as children, Deadline(5) as deadline:
        dial = dial_to(closed_port(), deadline, recorder, children)
        with pytest.raises(NoAddressAnswered, match=r"127\.0\.0\.1: the connection was refused"):
            async with dial.open_bare(recorded=False):
                pytest.fail("nobody listens there")
    assert recorder.lines() == ()


async def test_waiting_for_a_turn_costs_no_time() -> None:
    """The deadline of an attempt stands still while it waits for its turn."""
    limits = Limits(per_address=1)
    order = []

    async def hold(name: str, seconds: float) -> None:
        async with Deadline(1.5) as deadline, limits.turn("192.0.2.1", 25, deadline):
            await asyncio.sleep(seconds)
            order.append(name)
            assert deadline.remaining() > 0

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(hold(str(number), 0.5))
    assert order == ["0", "1", "2", "3"]


async def test_a_deadline_says_how_long_it_was() -> None:
    """What ends at its deadline says so in seconds."""
    with pytest.raises(TimeoutError, match=r"not finished within 0\.01 s"):
        async with Deadline(0.01):
            await asyncio.sleep(5)


async def test_what_this_machine_holds_for_too_weak_is_not_called_untrusted(tmp_path: Path) -> None:
    """A key below the security level of this machine's OpenSSL keeps credentials back, and that is told as what it is."""
    chain = weak_chain(tmp_path)
    async with Children() as children:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(chain)
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        async with server, Deadline(5) as deadline:
            port = server.sockets[0].getsockname()[1]
            network = Network(ca_file=tmp_path / "ca.pem", children=children)
            dial = Dial(Endpoint.parse(f"pop3s://localhost:{port}"), network, deadline, Recorder())
            async with dial.open() as stream:
                assert stream.is_verified
            with pytest.raises(UntrustedPeer, match=r"security level of this machine's OpenSSL") as told:
                async with dial.open_trusted():
                    pytest.fail("what is too weak was let in")
    assert "not trusted" not in str(told.value)


def weak_chain(folder: Path) -> Path:
    """A certificate with an RSA key of 1024 bits, issued by an authority in `ca.pem`."""
    start = datetime.now(UTC) - timedelta(days=1)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Weak CA", "localhost")]
    authority_key, key = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)

    def made(subject: x509.Name, public: rsa.RSAPublicKey, *, is_authority: bool) -> bytes:
        builder = x509.CertificateBuilder(names[0], subject, public, x509.random_serial_number(), start, start + timedelta(days=90))
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.pem").write_bytes(made(names[0], authority_key.public_key(), is_authority=True))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "weak.pem"
    file.write_bytes(private + made(names[1], key.public_key(), is_authority=False))
    return file


async def test_whoever_expects_a_long_conversation_says_how_long() -> None:
    """What a peer may send over one connection is the caller's choice, and more than that is a peer without end."""
    async with Hostile(greeting=b"x" * 2000).serving() as server, Children() as children, Deadline(5) as deadline:
        dial = dial_to(server.port, deadline, Recorder(), children)
        async with dial.open_bare(most_bytes=2000) as stream:
            assert len(await stream.receive()) == 2000
        async with dial.open_bare(most_bytes=1999) as stream:
            with pytest.raises(OffProtocol, match="sent more than"):
                await stream.receive()
