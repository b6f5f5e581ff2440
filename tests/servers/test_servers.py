"""The real servers start, speak and stop."""

from __future__ import annotations

import base64
import http.client
import imaplib
import os
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.servers import Dovecot, Exim, NginxBefore, Postfix, ServerCertificate, ServerMissing
from tests.servers.apache import PASSED_ON, ApacheBefore, Logged
from tests.servers.dovecot import run_dovecot
from tests.servers.kerberos import SERVICE, SERVICE_PASSWORD, Realm, set_variables
from tests.servers.postgresql import PostgreSql
from tests.servers.programs import ServerBroken, find_program, free_ports, listens, running

pytest_plugins = ["pytester"]


def _trusting(server: Dovecot | Postfix | Exim) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


def test_dovecot_speaks_pop3_once_upgraded(dovecot: Dovecot) -> None:
    """Dovecot offers STLS, takes no password before it, and lets the user in after it."""
    client = poplib.POP3(dovecot.distant_host, dovecot.pop3_port, timeout=20)
    before = client.capa()
    assert "STLS" in before
    assert "USER" not in before
    with pytest.raises(poplib.error_proto, match="-ERR"):
        client.user(dovecot.username)
    client.stls(_trusting(dovecot))
    assert client.capa()["SASL"] == ["PLAIN", "LOGIN"]
    client.user(dovecot.username)
    client.pass_(dovecot.password)
    assert client.stat() == (0, 0)
    client.quit()


def test_dovecot_speaks_pop3_over_tls(dovecot: Dovecot) -> None:
    """Dovecot greets under TLS on its other port, and refuses a wrong password."""
    client = poplib.POP3_SSL(dovecot.host, dovecot.pop3s_port, timeout=20, context=_trusting(dovecot))
    # From 2.4 on Debian leaves its own name out.
    assert client.getwelcome() in (b"+OK Dovecot (Debian) ready.", b"+OK Dovecot ready.")
    client.user(dovecot.username)
    with pytest.raises(poplib.error_proto, match="AUTH"):
        client.pass_("wrong")
    client.close()


def test_dovecot_speaks_imap(dovecot: Dovecot) -> None:
    """Dovecot speaks IMAP upgraded, and over TLS at once."""
    with imaplib.IMAP4(dovecot.distant_host, dovecot.imap_port, timeout=20) as upgraded:
        assert "LOGINDISABLED" in upgraded.capabilities
        upgraded.starttls(_trusting(dovecot))
        upgraded.login(dovecot.username, dovecot.password)
    with imaplib.IMAP4_SSL(dovecot.host, dovecot.imaps_port, ssl_context=_trusting(dovecot), timeout=20) as implicit:
        assert "AUTH=PLAIN" in implicit.capabilities


@pytest.mark.parametrize("dovecot", ["TLSv1.3"], indirect=True)
def test_minimum_version_can_be_chosen(dovecot: Dovecot) -> None:
    """A server that was asked to take TLS 1.3 at least refuses a client of TLS 1.2."""
    context = _trusting(dovecot)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((dovecot.host, dovecot.pop3s_port), timeout=20) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="localhost").close()


def _submit(server: Postfix | Exim, *, implicit: bool) -> dict[str, str]:
    """Sends one message as the server's user; returns what EHLO listed under TLS."""
    context = _trusting(server)
    client = (
        smtplib.SMTP_SSL(server.host, server.smtps_port, local_hostname="probe.test", timeout=20, context=context)
        if implicit
        else smtplib.SMTP(server.host, server.smtp_port, local_hostname="probe.test", timeout=20)
    )
    with client:
        client.ehlo()
        if not implicit:
            assert client.has_extn("starttls")
            assert not client.has_extn("auth")
            client.starttls(context=context)
            client.ehlo()
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("sales@example.test", "nobody@example.test", "Subject: not signed in\r\n\r\n")
        client.login(server.username, server.password)
        client.sendmail("sales@example.test", "nobody@example.test", "Subject: signed in\r\n\r\n")
        return client.esmtp_features


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_postfix_speaks_smtp(postfix: Postfix, implicit: bool) -> None:
    """Postfix takes a message from the user who signs in under TLS, and from nobody else."""
    features = _submit(postfix, implicit=implicit)
    assert features["size"] == str(postfix.message_size)
    assert features["auth"].split() == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_exim_speaks_smtp(exim: Exim, implicit: bool) -> None:
    """Exim takes a message from the user who signs in under TLS, and from nobody else."""
    features = _submit(exim, implicit=implicit)
    assert features["size"] == str(exim.message_size)
    assert features["auth"].split() == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize("server", ["postfix", "exim"])
def test_smtp_servers_take_the_minimum_version(request: pytest.FixtureRequest, server: str) -> None:
    """An SMTP server that was asked for nothing takes TLS 1.2."""
    running_server: Postfix | Exim = request.getfixturevalue(server)
    context = _trusting(running_server)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((running_server.host, running_server.smtps_port), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.2"


def _refuses_tls_1_2(server: Postfix | Exim) -> bool:
    context = _trusting(server)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((server.host, server.smtps_port), timeout=20) as raw, pytest.raises(OSError, match=r"SSL|reset"):
        context.wrap_socket(raw, server_hostname="localhost").close()
    return True


@pytest.mark.parametrize("postfix", ["TLSv1.3"], indirect=True)
def test_postfix_refuses_less_than_the_minimum_version(postfix: Postfix) -> None:
    """Postfix that was asked to take TLS 1.3 at least refuses a client of TLS 1.2."""
    assert _refuses_tls_1_2(postfix)


@pytest.mark.parametrize("exim", ["TLSv1.3"], indirect=True)
def test_exim_refuses_less_than_the_minimum_version(exim: Exim) -> None:
    """Exim that was asked to take TLS 1.3 at least refuses a client of TLS 1.2."""
    assert _refuses_tls_1_2(exim)


class _Backend(BaseHTTPRequestHandler):
    """Answers a POST as a web server that wants a login, and a GET by what it signs in with."""

    def do_GET(self) -> None:
        body = self.headers.get("Authorization", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Negotiate")
        self.send_header("WWW-Authenticate", "NTLM")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gave it
        """Says nothing."""


@pytest.fixture
def backend() -> Iterator[str]:
    """The URL of a web server in clear."""
    with HTTPServer(("127.0.0.1", 0), _Backend) as server, ThreadPoolExecutor(1) as thread:
        thread.submit(server.serve_forever, 0.01)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_nginx_passes_on_what_comes_over_tls(nginx_before: NginxBefore, backend: str) -> None:
    """nginx shows the test certificate, calls itself the server, and passes on every challenge of the backend."""
    front = nginx_before(backend)
    client = http.client.HTTPSConnection(front.host, front.port, timeout=20, context=ssl.create_default_context(cafile=front.ca_file))
    client.request("POST", "/EWS/Exchange.asmx", body=b"<soap/>")
    answer = client.getresponse()
    assert answer.status == 401
    assert answer.msg.get_all("WWW-Authenticate") == ["Negotiate", "NTLM"]
    assert (answer.getheader("Server") or "").startswith("nginx")
    client.close()


def test_certificate_is_what_it_says(dovecot: Dovecot) -> None:
    """The certificate that a server shows has the subject, names and dates that the fixture tells of."""
    context = _trusting(dovecot)
    with (
        socket.create_connection((dovecot.host, dovecot.pop3s_port), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
    ):
        shown = tls.getpeercert()
    assert shown is not None
    assert shown["subject"] == ((("commonName", dovecot.certificate.subject.removeprefix("CN=")),),)
    assert shown["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"), ("IP Address", "127.0.0.2"))
    assert dovecot.certificate.names == tuple(name for _, name in shown["subjectAltName"])
    assert ssl.cert_time_to_seconds(str(shown["notAfter"])) == dovecot.certificate.not_after.timestamp()


@pytest.mark.parametrize("delegates", [True, False], ids=["delegated", "not delegated"])
def test_apache_shows_whom_it_lets_in_and_what_was_delegated(
    realm: Realm, apache_before: ApacheBefore, backend: str, delegates: bool
) -> None:
    """Of MIT's KDC and Apache: a ticket lets in its principal, which the backend is told, and a ticket that is delegated is found."""
    import spnego

    settings = realm.sign_in(SERVICE, SERVICE_PASSWORD, "delegating")
    with pytest.MonkeyPatch.context() as patched:
        set_variables(patched, settings)
        apache = apache_before(backend)
        wanted = spnego.ContextReq.delegate if delegates else spnego.ContextReq.integrity
        token = spnego.client(SERVICE, hostname="localhost", service="HTTP", context_req=wanted, protocol="kerberos").step()
        connection = http.client.HTTPSConnection(
            "localhost", apache.port, context=ssl.create_default_context(cafile=apache.ca_file), timeout=20
        )
        connection.request("GET", "/", headers={"Authorization": f"Negotiate {base64.b64encode(token or b'').decode()}"})
        answer = connection.getresponse().read()
        connection.close()
    assert base64.b64decode(answer.partition(b" ")[2]).decode() == f"{SERVICE}:{PASSED_ON}"
    assert apache.requests() == [Logged("Negotiate ticket", 200, SERVICE)]
    assert (apache.delegated != []) is delegates


def test_stopped_server_leaves_nothing(server_certificate: ServerCertificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was stopped listens no more, and its folder is gone."""
    folders: list[Path] = []

    def configure(folder: Path, ports: list[int]) -> list[str]:
        folders.append(folder)
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(ports[0])]

    with running("Python", 1, configure) as (port,):
        assert listens(port)
        assert folders[0].exists()
    assert not listens(port)
    assert not folders[0].exists()


def test_server_that_does_not_start_shows_its_log() -> None:
    """A server that ends before it listens is an error with its last words, and leaves no folder."""
    folders: list[Path] = []

    def configure(folder: Path, ports: list[int]) -> list[str]:
        folders.append(folder)
        return [sys.executable, "-c", "raise SystemExit('no such directive')"]

    with pytest.raises(ServerBroken, match="no such directive"), running("Python", 1, configure):
        raise AssertionError("it must not run")
    assert not folders[0].exists()


def test_taken_port_is_tried_again() -> None:
    """A server whose port was taken meanwhile is started once more on another."""
    tried: list[int] = []

    def configure(folder: Path, ports: list[int]) -> list[str]:
        tried.append(ports[0])
        if len(tried) == 1:
            return [sys.executable, "-c", "raise SystemExit('Address already in use')"]
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(ports[0])]

    with running("Python", 1, configure) as (port,):
        assert tried[1:] == [port]


_ENDS_ONCE_ASKED = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.accept()  # the look whether it listens
connection, _ = listener.accept()
connection.send(str(os.getpid()).encode())
"""


def _await_its_end(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        process = int(connection.recv(100))
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def test_server_that_dies_is_told() -> None:
    """A server that ended while it was needed is an error, not a pass."""

    def configure(folder: Path, ports: list[int]) -> list[str]:
        return [sys.executable, "-c", _ENDS_ONCE_ASKED, str(ports[0])]

    with pytest.raises(ServerBroken, match="died"), running("Python", 1, configure) as (port,):
        _await_its_end(port)


def test_free_ports_differ() -> None:
    """Free ports that are asked for together are all different, and nobody listens on them."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not any(listens(port) for port in ports)


def test_program_that_is_missing_is_named() -> None:
    """A program that is nowhere makes its server missing, by name."""
    with pytest.raises(ServerMissing, match="Lotus Domino is not installed"):
        find_program("no-such-program", "Lotus Domino")


_NEEDS_A_MISSING_SERVER = """
import pytest
from tests.servers import fixtures
from tests.servers.programs import ServerMissing

@pytest.fixture
def dovecot():
    with fixtures._missing_is_told():
        raise ServerMissing("Dovecot is not installed")

def test_of_dovecot(dovecot): pass

def test_of_nothing(): pass
"""


@pytest.fixture
def sample(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests, of which one needs a server that is not there; outside CI."""
    root = Path(__file__).parents[2]
    pytester.makeini(
        f"[pytest]\naddopts = -p tests.servers.fixtures -p no:cacheprovider\npythonpath = {root}\nasyncio_default_fixture_loop_scope = function"
    )
    pytester.makepyfile(test_sample=_NEEDS_A_MISSING_SERVER)
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.delenv("CI", raising=False)
    return pytester


def test_missing_server_is_named_at_the_end(sample: pytest.Pytester) -> None:
    """A test whose server is missing is named as not run, with the reason, also where several processes share the tests."""
    result = sample.runpytest_subprocess("-n2")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*NOT RUN: test_sample.py::test_of_dovecot because Dovecot is not installed"])


def test_missing_server_fails_under_ci(sample: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI a test whose server is missing fails."""
    monkeypatch.setenv("CI", "true")
    result = sample.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*Dovecot is not installed; under CI every server must be there"])


def test_servers_can_be_left_out(sample: pytest.Pytester) -> None:
    """With --no-servers, the tests that need a server are not collected, and the run says so."""
    result = sample.runpytest_inprocess("--no-servers")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*NOT RUN: the tests that start a real server, because of --no-servers"])


def test_dovecot_can_be_run_twice(server_certificate: ServerCertificate, dovecot: Dovecot) -> None:
    """Two servers of one kind run beside each other."""
    with run_dovecot(server_certificate, "TLSv1.2") as other:
        assert listens(dovecot.pop3_port)
        assert listens(other.pop3_port)
        assert other.pop3_port != dovecot.pop3_port


def test_servers_close_standard_input() -> None:
    """A server that reads its standard input finds it empty, and so cannot wait for a person."""

    def configure(folder: Path, ports: list[int]) -> list[str]:
        return [sys.executable, "-c", "import sys; raise SystemExit(f'read {sys.stdin.read()!r}')"]

    with pytest.raises(ServerBroken, match="read ''"), running("Python", 1, configure):
        raise AssertionError("it must not run")


def test_openssl_trusts_the_chain(dovecot: Dovecot) -> None:
    """The chain that a server shows leads to the test authority."""
    verdict = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", dovecot.ca_file, dovecot.certificate.chain_file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict.returncode == 0, verdict.stderr


def test_postgresql_has_schemas_that_nobody_has_used(postgresql: PostgreSql) -> None:
    """PostgreSQL executes statements, and gives each who asks a schema of its own."""
    postgresql.sql("SELECT 1")
    assert postgresql.new_schema() != postgresql.new_schema()
    with pytest.raises(subprocess.CalledProcessError):
        postgresql.sql("SELECT nothing")
