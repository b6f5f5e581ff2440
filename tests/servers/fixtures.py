"""The fixtures of the real servers, and what happens where one is missing.

Each fixture starts its server once in a test process. A test that wants another minimum TLS version than 1.2 asks for it by
`@pytest.mark.parametrize("dovecot", ["TLSv1.3"], indirect=True)`. A server that is missing is never passed over in
silence: its tests are named at the end of the run, and under CI they fail. `--no-servers` leaves out every test that needs one.
The same goes for programs that read what `config/` has, and that nobody has to start, `systemd_analyze` and `promtool`, and for the browser `chromium`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from tests.servers.apache import Apache, ApacheBefore, Mechanism, Teller, run_apache
from tests.servers.certificates import ServerCertificate, make_certificate
from tests.servers.courier import Courier, run_courier
from tests.servers.cyrus import Cyrus, run_cyrus
from tests.servers.davmail import DavMail, run_davmail
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.exim import Exim, run_exim
from tests.servers.kerberos import Realm, run_kdc
from tests.servers.mailutils import Mailutils, run_mailutils
from tests.servers.nginx import Nginx, NginxBefore, run_nginx
from tests.servers.opensmtpd import OpenSmtpd, run_opensmtpd
from tests.servers.postfix import Postfix, run_postfix
from tests.servers.postgresql import PostgreSql, run_postgresql
from tests.servers.programs import MinimumTls, ServerMissing, find_program, find_unpacked

DavMailBefore = Callable[[str, Path], DavMail]
_SERVERS = frozenset(
    {
        "dovecot",
        "postfix",
        "exim",
        "cyrus",
        "opensmtpd",
        "mailutils",
        "courier",
        "nginx_before",
        "davmail_before",
        "openssl",
        "gnutls",
        "realm",
        "apache_before",
        "postgresql",
        "systemd_analyze",
        "promtool",
        "chromium",
    }
)
NOT_RUN = "not run: "
"""With what the reason begins of a test that this machine cannot hold, and that the end of the run therefore names."""


@pytest.fixture(scope="session")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """The certificate that every real server shows, for `localhost`, 127.0.0.1 and 127.0.0.2."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def dovecot(request: pytest.FixtureRequest, server_certificate: ServerCertificate) -> Iterator[Dovecot]:
    """A running Dovecot: POP3, POP3S, IMAP and IMAPS."""
    with _missing_is_told(), run_dovecot(server_certificate, _minimum_tls(request)) as server:
        yield server


@pytest.fixture(scope="session")
def postfix(request: pytest.FixtureRequest, server_certificate: ServerCertificate) -> Iterator[Postfix]:
    """A running Postfix: SMTP and SMTPS, with a Dovecot of its own that knows the passwords."""
    with (
        _missing_is_told(),
        run_dovecot(server_certificate, "TLSv1.2") as passwords,
        run_postfix(server_certificate, _minimum_tls(request), passwords) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def exim(request: pytest.FixtureRequest, server_certificate: ServerCertificate) -> Iterator[Exim]:
    """A running Exim: SMTP and SMTPS."""
    with _missing_is_told(), run_exim(server_certificate, _minimum_tls(request)) as server:
        yield server


@pytest.fixture(scope="session")
def cyrus(server_certificate: ServerCertificate) -> Iterator[Cyrus]:
    """A running Cyrus: POP3, POP3S, IMAP and IMAPS."""
    with _missing_is_told(), run_cyrus(server_certificate) as server:
        yield server


@pytest.fixture(scope="session")
def opensmtpd(server_certificate: ServerCertificate) -> Iterator[OpenSmtpd]:
    """A running OpenSMTPD: SMTP with and without STARTTLS."""
    with _missing_is_told(), run_opensmtpd(server_certificate) as server:
        yield server


@pytest.fixture(scope="session")
def mailutils(server_certificate: ServerCertificate) -> Iterator[Mailutils]:
    """GNU Mailutils' running servers: POP3, POP3S, IMAP and IMAPS."""
    with _missing_is_told(), run_mailutils(server_certificate) as server:
        yield server


@pytest.fixture(scope="session")
def courier(server_certificate: ServerCertificate) -> Iterator[Courier]:
    """A running Courier: POP3, POP3S, IMAP and IMAPS."""
    with _missing_is_told(), run_courier(server_certificate) as server:
        yield server


@pytest.fixture(scope="session")
def nginx_before(server_certificate: ServerCertificate) -> Iterator[NginxBefore]:
    """Starts nginx before a backend that a test names; each runs until the tests are over."""
    with ExitStack() as started:

        def start(backend: str, minimum_tls: MinimumTls = "TLSv1.2") -> Nginx:
            with _missing_is_told():
                return started.enter_context(run_nginx(server_certificate, backend, minimum_tls))

        yield start


@pytest.fixture(scope="session")
def davmail_before() -> Iterator[DavMailBefore]:
    """Starts DavMail before an EWS endpoint that a test names, once for each; each runs until the tests are over."""
    with ExitStack() as started:

        @cache
        def start(ews_url: str, ca_file: Path) -> DavMail:
            with _missing_is_told():
                return started.enter_context(run_davmail(ews_url, ca_file))

        yield start


@pytest.fixture(scope="session")
def realm() -> Iterator[Realm]:
    """A running KDC of MIT, and Python's way to its library, which is our extra `kerberos`."""
    with _missing_is_told():
        for module in ("gssapi", "krb5"):
            if importlib.util.find_spec(module) is None:
                raise ServerMissing(f"Python's {module} (the extra kerberos) is not installed")
        with run_kdc() as running:
            yield running


@pytest.fixture
def apache_before(server_certificate: ServerCertificate, realm: Realm) -> Iterator[ApacheBefore]:
    """Starts Apache before a backend that a test names; each runs until the test is over, so that its log is of this test alone."""
    with ExitStack() as started:

        def start(backend: str, *, mechanisms: Sequence[Mechanism] = ("krb5",), tells: Teller = "Basic", bound: bool = True) -> Apache:
            with _missing_is_told():
                return started.enter_context(run_apache(server_certificate, realm, backend, mechanisms, tells, bound=bound))

        yield start


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A running PostgreSQL, without a database of its own."""
    with _missing_is_told(), run_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def systemd_analyze() -> Path:
    """The program `systemd-analyze`, which reads units as systemd does. No systemd has to run."""
    with _missing_is_told():
        return find_program("systemd-analyze", "systemd")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser Chromium, which playwright drives."""
    with _missing_is_told():
        return find_program("chromium", "Chromium")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program `promtool`, which reads and runs rules as Prometheus does. No Prometheus has to run."""
    with _missing_is_told():
        return find_unpacked("usr/bin/promtool", "Prometheus")


def _minimum_tls(request: pytest.FixtureRequest) -> MinimumTls:
    return cast("MinimumTls", getattr(request, "param", "TLSv1.2"))


@contextmanager
def _missing_is_told() -> Iterator[None]:
    """Turns a missing server into a failure under CI, elsewhere into a test that is named as not run."""
    try:
        yield
    except ServerMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}; under CI every server must be there", pytrace=False)
        pytest.skip(f"{NOT_RUN}{missing}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--no-servers`."""
    parser.addoption("--no-servers", action="store_true", help="leave out the tests that start a real server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that start a real server, where that was asked for."""
    if not config.getoption("--no-servers"):
        return
    left_out = [item for item in items if _SERVERS.intersection(getattr(item, "fixturenames", ()))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names every test that was not run, and why."""
    not_run = [
        f"NOT RUN: {report.nodeid} because {reason.partition(NOT_RUN)[2]}"
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report, pytest.TestReport)
        and NOT_RUN in (reason := str(report.longrepr[2] if isinstance(report.longrepr, tuple) else ""))
    ]
    if config.getoption("--no-servers"):
        not_run.append("NOT RUN: the tests that start a real server, because of --no-servers")
    if not_run:
        terminalreporter.section("not run")
        for line in not_run:
            terminalreporter.line(line)
