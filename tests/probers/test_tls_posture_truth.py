"""The posture against what servers are configured with, and the question of FIPS against a real client in FIPS mode."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from probe.model import vocabulary as v
from probe.model.keys import FactKey
from tests.holding import asked
from tests.looking import Looked, look
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import _missing_is_told
from tests.servers.go_peer import GoPeer, build_go_peer
from tests.servers.postfix import Postfix
from tests.servers.programs import ADDRESS, find_program, running

T = TypeVar("T")

EXCHANGED = ("-cipher", "ECDHE+AES:@SECLEVEL=0")
"""Suites that exchange keys in a curve, and sign."""

# Go is built from its standard library on: where nothing of it is in Go's cache yet, a busy machine takes minutes.
builds_go = pytest.mark.timeout(420)

EVERYTHING = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
_KEYS = {
    "rsa-1024": ("rsa:1024",),
    "rsa-2048": ("rsa:2048",),
    "rsa-4096": ("rsa:4096",),
    "rsa-sha1": ("rsa:2048", "-sha1"),
    "rsa-pss": ("rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ed25519": ("ed25519",),
    "ed448": ("ed448",),
    "p224": ("ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"),
    "p256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "p521": ("ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "secp256k1": ("ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate and a key of each kind, as `NAME.pem` and `NAME.key`."""
    folder = tmp_path_factory.mktemp("keys")
    with _missing_is_told():
        program = find_program("openssl", "OpenSSL")
    for name, kind in _KEYS.items():
        command = [str(program), "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        subprocess.run([*command, "-days", "9", "-subj", "/CN=localhost", "-addext", names], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def go_peer(tmp_path_factory: pytest.TempPathFactory) -> GoPeer:
    """Go's TLS."""
    with _missing_is_told():
        return build_go_peer(tmp_path_factory.mktemp("go"))


@contextmanager
def openssl_serving(keys: Path, name: str, *arguments: str) -> Iterator[int]:
    """`openssl s_server` with one certificate."""
    program = find_program("openssl", "OpenSSL")

    def configure(_: Path, ports: list[int]) -> list[str]:
        chain = ["-cert", str(keys / f"{name}.pem"), "-key", str(keys / f"{name}.key")]
        return [str(program), "s_server", "-quiet", "-accept", f"{ADDRESS}:{ports[0]}", *chain, *arguments]

    with running("OpenSSL", 1, configure) as ports:
        yield ports[0]


# --- The question of FIPS -----------------------------------------------------------------------------------

FIPS_CASES: Sequence[tuple[str, tuple[str, ...]]] = (
    *((name, EVERYTHING) for name in _KEYS),
    *((name, (*EVERYTHING, "-no_tls1_3")) for name in ("rsa-1024", "rsa-sha1", "ed25519", "p224", "p384", "secp256k1", "rsa-pss")),
    *((name, (*EVERYTHING, "-tls1_3")) for name in ("rsa-1024", "p521", "ed448")),
    *(
        ("rsa-2048", (*EVERYTHING, "-groups", groups))
        for groups in ("X25519", "X448", "P-521", "ffdhe2048", "X25519:P-384", "brainpoolP256r1")
    ),
    *(("rsa-2048", (*EVERYTHING, "-no_tls1_3", "-groups", groups)) for groups in ("X25519", "P-256", "secp224r1", "ffdhe2048")),
    *(
        ("rsa-2048", (*EVERYTHING, "-no_tls1_3", "-sigalgs", names))
        for names in ("RSA+SHA1", "RSA+SHA224", "RSA+SHA512", "rsa_pss_rsae_sha384")
    ),
    *(("p384", (*EVERYTHING, "-no_tls1_3", "-sigalgs", names)) for names in ("ECDSA+SHA1", "ECDSA+SHA256", "ECDSA+SHA224")),
    *(
        ("rsa-2048", ("-no_tls1_3", "-cipher", f"{suite}:@SECLEVEL=0"))
        for suite in (
            "AES256-GCM-SHA384",
            "ECDHE-RSA-AES128-SHA",
            "ECDHE-RSA-AES128-SHA256",
            "ECDHE-RSA-AES256-SHA384",
            "ECDHE-RSA-CHACHA20-POLY1305",
            "DHE-RSA-AES128-GCM-SHA256",
            "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384",
        )
    ),
    *(("rsa-2048", ("-tls1_3", "-ciphersuites", suite)) for suite in ("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256")),
    ("rsa-2048", (*EVERYTHING, "-tls1_1")),
    ("rsa-2048", (*EVERYTHING, "-serverpref")),
)


@builds_go
@pytest.mark.parametrize(("name", "arguments"), FIPS_CASES, ids=lambda part: part if isinstance(part, str) else " ".join(part[2:]))
async def test_a_client_in_fips_mode_works_where_that_is_said(name: str, arguments: tuple[str, ...], keys: Path, go_peer: GoPeer) -> None:
    """Go in FIPS mode gets a session of a server exactly where the question of FIPS, asked for Go, is answered with yes."""
    with openssl_serving(keys, name, *arguments) as port:
        truth = go_peer.connects(port, keys / f"{name}.pem")
        looked = await look(f"tls://localhost:{port}", tls="quick", fips_client="go-fips140", ca_file=keys / f"{name}.pem", timeout=20)
    assert looked.value(v.FIPS_CAN_WORK) is truth.startswith("ok"), (truth, looked.facts.read(v.FIPS_REASONS))
    reasons: tuple[str, ...] | None = looked.value(v.FIPS_REASONS)
    assert bool(reasons) is truth.startswith("no")
    session = looked.value(v.FIPS_NEGOTIATES)
    if truth.startswith("ok"):
        assert session is not None
        assert session.version == truth.split()[1] + "v" + truth.split()[2]
        assert sum(attempt.connections for attempt in looked.run.attempts) <= 7


@pytest.mark.parametrize(
    ("arguments", "name", "fips", "gets"),
    [
        ((*EXCHANGED, "-groups", "X25519"), "windows-server-2019", True, False),
        ((*EXCHANGED, "-groups", "X25519"), "windows-server-2019", False, True),
        ((*EXCHANGED, "-groups", "X25519"), "windows-server-2012-r2", False, False),
        ((*EXCHANGED, "-no_tls1_3", "-sigalgs", "RSA+SHA1"), "windows-server-2019", True, False),
        ((*EXCHANGED, "-no_tls1_3", "-sigalgs", "RSA+SHA1"), "windows-server-2019", False, True),
    ],
)
async def test_the_policy_decides_what_a_windows_gets(arguments: tuple[str, ...], name: str, fips: bool, gets: bool, keys: Path) -> None:
    """With its FIPS policy off this Windows offers curve25519 and signatures with SHA-1, and gets a session by them; with it on, none."""
    with openssl_serving(keys, "rsa-2048", *arguments) as port:
        looked = await asked(f"tls://localhost:{port}", name, fips=fips)
    assert looked.value(v.TLS_DEPLOYMENT_GETS) is gets


@builds_go
async def test_a_go_server_in_tls_1_2_is_judged_as_its_own_client_judges_it(keys: Path, go_peer: GoPeer) -> None:
    """A server of another make, with static RSA alone, offers a client in FIPS mode nothing."""
    suites = "TLS_RSA_WITH_AES_128_GCM_SHA256"
    with go_peer.serving(keys / "rsa-2048.pem", keys / "rsa-2048.key", "1.2", "1.2", suites) as port:
        truth = go_peer.connects(port, keys / "rsa-2048.pem")
        looked = await look(f"tls://localhost:{port}", tls="quick", fips_client="go-fips140", ca_file=keys / "rsa-2048.pem")
    assert truth.startswith("no")
    assert looked.value(v.FIPS_REASONS) == (
        "the server takes none of the client's cipher suites; offered others, it chose TLS_RSA_WITH_AES_128_GCM_SHA256 in TLSv1.2",
    )


# --- The whole posture --------------------------------------------------------------------------------------

PSS = ("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512")
PKCS1 = ("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512")
CURVES = ("x25519", "secp256r1", "x448", "secp521r1", "secp384r1")
TLS13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")


def shown(looked: Looked) -> dict[str, Mapping[str, set[str]]]:
    """The lists of a posture, by key and version."""
    lists: dict[str, Mapping[str, set[str]]] = {}
    for key in (v.TLS_SUITES, v.TLS_GROUPS, v.TLS_SCHEMES):
        value = looked.value(key)
        assert value is not None, looked.facts.read(key)
        lists[key.name.removeprefix("tls.")] = {version: set(names) for version, names in value}
    return lists


def by_version(looked: Looked, key: FactKey[tuple[tuple[str, T], ...]]) -> dict[str, T]:
    """A fact of a posture, by version; nothing where it is not known."""
    value = looked.value(key)
    return dict(value) if value is not None else {}


def texts(looked: Looked, key: FactKey[tuple[str, ...]]) -> set[str]:
    """A list of texts, whatever its order."""
    value: tuple[str, ...] | None = looked.value(key)
    return set(value or ())


async def posture(port: int, ca_file: Path, scheme: str = "tls") -> Looked:
    """A full look at a server on loopback."""
    return await look(f"{scheme}://localhost:{port}", tls="full", ca_file=ca_file, timeout=60)


async def test_an_openssl_server_is_listed_as_it_is_configured(keys: Path) -> None:
    """Suites in the server's order, groups, schemes and extensions are those that the server was started with."""
    suites = "ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"
    arguments = ("-serverpref", "-cipher", suites, "-ciphersuites", ":".join(TLS13), "-groups", "P-384:X25519")
    with openssl_serving(keys, "rsa-2048", *arguments, "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA512") as port:
        looked = await posture(port, keys / "rsa-2048.pem")
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1.2", "TLSv1.3")
    assert by_version(looked, v.TLS_SUITES) == {
        "TLSv1.2": (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ),
        "TLSv1.3": TLS13,
    }
    assert shown(looked)["groups"] == {"TLSv1.2": {"secp384r1", "x25519"}, "TLSv1.3": {"secp384r1", "x25519"}}
    assert shown(looked)["schemes"] == {"TLSv1.2": {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha512"}, "TLSv1.3": {"rsa_pss_rsae_sha256"}}
    assert by_version(looked, v.TLS_SERVER_ORDER) == {"TLSv1.2": True, "TLSv1.3": True}
    assert looked.value(v.TLS_EXTENDED_MASTER_SECRET) is True
    assert looked.value(v.TLS_SECURE_RENEGOTIATION) is True
    assert looked.value(v.TLS_WITHOUT_SCHEMES) == "refused"
    assert looked.value(v.TLS_CERTIFICATES) == ("rsa-2048, sha256-rsa, CN=localhost",)
    assert texts(looked, v.FIPS_ALSO_ACCEPTS) == {
        "TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256",
        "TLSv1.3 with x25519",
        "TLSv1.2 with TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLSv1.2 with x25519",
    }


@pytest.mark.parametrize("order", [(), ("-serverpref",)], ids=["client's order", "server's order"])
async def test_a_server_that_takes_everything_is_listed_whole(keys: Path, order: tuple[str, ...]) -> None:
    """Every suite that OpenSSL has at security level 0 is found for every version, with both certificates and every scheme."""
    second = ("-dcert", str(keys / "p256.pem"), "-dkey", str(keys / "p256.key"))
    with openssl_serving(keys, "rsa-2048", *EVERYTHING, *second, *order) as port:
        looked = await posture(port, keys / "rsa-2048.pem")
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    expected = {version: _suites_of_openssl(flag) for version, flag in (("TLSv1", "-tls1"), ("TLSv1.1", "-tls1_1"), ("TLSv1.2", "-tls1_2"))}
    found = shown(looked)["suites"]
    assert {version: found[version] for version in expected} == expected
    assert found["TLSv1.3"] == set(TLS13)
    assert texts(looked, v.TLS_CERTIFICATES) == {
        "rsa-2048, sha256-rsa, CN=localhost",
        "ecdsa-p256, sha256-ecdsa, CN=localhost",
    }
    assert {*PSS, *PKCS1, "rsa_pkcs1_sha1", "ecdsa_sha1", "ecdsa_secp256r1_sha256"} <= shown(looked)["schemes"]["TLSv1.2"]
    assert by_version(looked, v.TLS_SERVER_ORDER)["TLSv1.2"] is bool(order)
    assert sum(attempt.connections for attempt in looked.run.attempts) <= 170


def _suites_of_openssl(version: str) -> set[str]:
    """IANA names of what this OpenSSL has for a version at security level 0, less what needs a secret shared beforehand."""
    program = find_program("openssl", "OpenSSL")
    told = subprocess.run(
        [str(program), "ciphers", "-stdname", "-s", version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], check=True, capture_output=True, text=True
    )
    names = {line.split()[0] for line in told.stdout.splitlines()}
    without = ("PSK", "SRP", "_DSS_", "TLS_AES", "TLS_CHACHA")
    return {name for name in names if not any(part in name for part in without)}


@pytest.mark.parametrize("name", ["p256", "ed25519"])
async def test_a_server_with_another_certificate_alone_is_listed_whole(keys: Path, name: str) -> None:
    """With ECDSA or EdDSA alone the suites, groups and schemes are complete too."""
    with openssl_serving(keys, name, "-no_tls1_3", "-cipher", "ALL:!aNULL:@SECLEVEL=0", "-groups", "P-521:X25519:P-256") as port:
        looked = await posture(port, keys / f"{name}.pem")
    lists = shown(looked)
    assert all("ECDSA" in suite for suite in lists["suites"]["TLSv1.2"])
    assert {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"} <= lists["suites"]["TLSv1.2"]
    assert lists["groups"]["TLSv1.2"] == {"secp521r1", "x25519", "secp256r1"}
    assert lists["schemes"]["TLSv1.2"] == ({"ed25519"} if name == "ed25519" else lists["schemes"]["TLSv1.2"])


@pytest.mark.parametrize(
    ("priority", "versions", "groups"),
    [
        (
            "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519",
            ("TLSv1.2", "TLSv1.3"),
            {"secp256r1", "x25519"},
        ),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE3072:+GROUP-SECP384R1", ("TLSv1.3",), {"ffdhe3072", "secp384r1"}),
    ],
)
async def test_a_gnutls_server_is_listed_as_it_is_configured(
    keys: Path, priority: str, versions: tuple[str, ...], groups: set[str]
) -> None:
    """GnuTLS, which chooses in its own way, is listed as its priority string says."""
    with _missing_is_told():
        program = find_program("gnutls-serv", "GnuTLS")

    def configure(_: Path, ports: list[int]) -> list[str]:
        chain = ["--x509certfile", str(keys / "rsa-2048.pem"), "--x509keyfile", str(keys / "rsa-2048.key")]
        return [str(program), "--port", str(ports[0]), "--priority", priority, "--echo", *chain]

    with running("GnuTLS", 1, configure) as ports:
        looked = await posture(ports[0], keys / "rsa-2048.pem")
    assert looked.value(v.TLS_VERSIONS) == versions
    lists = shown(looked)
    assert lists["groups"]["TLSv1.3"] == groups
    assert lists["suites"]["TLSv1.3"] == {*TLS13, "TLS_AES_128_CCM_SHA256"}
    assert lists["schemes"]["TLSv1.3"] == set(PSS)


@builds_go
async def test_a_go_server_is_listed_as_it_is_configured(keys: Path, go_peer: GoPeer) -> None:
    """Go, which asks for a retry before it looks at the schemes, is listed as it was told; its order of suites is its own."""
    suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    rsa = keys / "rsa-2048.pem"
    with go_peer.serving(rsa, keys / "rsa-2048.key", "1.0", "1.3", suites, "secp384r1,x25519,X25519MLKEM768") as port:
        looked = await posture(port, rsa)
    lists = shown(looked)
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    assert lists["suites"]["TLSv1"] == lists["suites"]["TLSv1.1"] == {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"}
    assert lists["suites"]["TLSv1.2"] == set(suites.split(","))
    assert lists["suites"]["TLSv1.3"] == set(TLS13)
    assert lists["groups"]["TLSv1.2"] == {"secp384r1", "x25519"}
    assert lists["groups"]["TLSv1.3"] == {"secp384r1", "x25519", "X25519MLKEM768"}
    assert lists["schemes"]["TLSv1.3"] == set(PSS)


async def test_an_nginx_of_today_takes_few_connections(keys: Path, tmp_path: Path) -> None:
    """TLS 1.2 and 1.3 as Mozilla's intermediate configuration has them: the list is exact, and 40 connections are enough for all of it."""
    modern = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
    with _missing_is_told():
        program = find_program("nginx", "nginx")

    def configure(folder: Path, ports: list[int]) -> list[str]:
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/nginx.log crit; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
            f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; server {{ listen {ADDRESS}:{ports[0]} ssl;\n"
            f"ssl_certificate {keys}/rsa-2048.pem; ssl_certificate_key {keys}/rsa-2048.key; ssl_protocols TLSv1.2 TLSv1.3;\n"
            f"ssl_ciphers {modern}; ssl_prefer_server_ciphers off; return 200; }} }}\n"
        )
        return [str(program), "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "nginx.log")]

    with running("nginx", 1, configure) as ports:
        looked = await posture(ports[0], keys / "rsa-2048.pem")
        quick = await look(f"tls://localhost:{ports[0]}", tls="quick", ca_file=keys / "rsa-2048.pem")
    lists = shown(looked)
    assert lists["suites"]["TLSv1.2"] == {
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    }
    assert lists["groups"]["TLSv1.2"] == set(CURVES)
    assert lists["groups"]["TLSv1.3"] >= set(CURVES)
    assert lists["schemes"]["TLSv1.2"] >= {*PSS, *PKCS1}
    assert lists["schemes"]["TLSv1.3"] == set(PSS)
    assert sum(attempt.connections for attempt in looked.run.attempts) <= 40
    assert sum(attempt.connections for attempt in quick.run.attempts) <= 7


@pytest.mark.parametrize("scheme", ["pop3", "pop3s", "imap", "imaps"])
async def test_dovecot_is_listed_alike_by_every_way_to_it(scheme: str, dovecot: Dovecot) -> None:
    """Dovecot refuses by hanging up; what it takes is the same over STLS, STARTTLS and TLS at once."""
    looked = await posture(getattr(dovecot, f"{scheme}_port"), dovecot.ca_file, scheme)
    lists = shown(looked)
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1.2", "TLSv1.3")
    assert lists["suites"]["TLSv1.3"] == set(TLS13)
    assert {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"} <= lists["suites"]["TLSv1.2"]
    assert lists["groups"]["TLSv1.3"] >= set(CURVES)
    assert lists["schemes"]["TLSv1.3"] == set(PSS)
    assert all(attempt.outcome == "completed" for attempt in looked.run.attempts)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_postfix_is_listed_alike_by_every_way_to_it(scheme: str, postfix: Postfix) -> None:
    """Postfix is listed over STARTTLS as over TLS at once."""
    looked = await posture(getattr(postfix, f"{scheme}_port"), postfix.ca_file, scheme)
    lists = shown(looked)
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1.2", "TLSv1.3")
    assert lists["suites"]["TLSv1.3"] == set(TLS13)
    assert {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"} <= lists["suites"]["TLSv1.2"]
    assert all(attempt.outcome == "completed" for attempt in looked.run.attempts)
