"""MIT's KDC: a realm of its own, with accounts and one web server's principal, and the tools that get tickets from it.

Everything lies in the realm's folder, and the machine's own configuration of Kerberos is neither read nor changed. It runs without root too.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.programs import ADDRESS, UNPACKED, ServerMissing, find_unpacked, free_ports, library_path, running

REALM = "PROBE.TEST"
NETBIOS = "PROBE"
HOST = "localhost"
SERVICE, SERVICE_PASSWORD = f"svc-crm-async@{REALM}", "service-Pässword-1"
OTHER, OTHER_PASSWORD = f"other@{REALM}", "other-Password-1"
EXPIRED = f"expired@{REALM}"
BY_NTLM = f"{NETBIOS}\\{SERVICE.partition('@')[0]}"
"""The service's account as a domain of Windows names it."""
FOR_TICKETS, FOR_WEB = f"krbtgt/{REALM}@{REALM}", f"HTTP/{HOST}@{REALM}"
"""Whom the KDC gives tickets for: itself, and the web server."""

_SERVER = "MIT Kerberos"
# "TGS_REQ (8 etypes {...}) 127.0.0.1: ISSUE: authtime 1, etypes {...}, user@REALM for HTTP/host@REALM"; an error has more words behind it.
_REQUEST = re.compile(r"(AS_REQ|TGS_REQ) \(.*\) 127\.0\.0\.1: ([A-Z_ ]+): (?:.*, )?(\S+) for ([^\s,]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """A running KDC. Its accounts are `SERVICE`, `OTHER`, and `EXPIRED`, whose password has expired."""

    folder: Path
    configuration: Path
    """As `KRB5_CONFIG` names it."""
    without_kdc: Path
    """The same where nobody listens at the KDC's port."""
    keytab: Path
    """Of `HTTP/localhost`, for a web server."""

    def settings(self, cache: str = "none", *, has_kdc: bool = True) -> dict[str, str]:
        """Variables by which a program finds the realm, and the tickets of a cache."""
        return {"KRB5_CONFIG": str(self.configuration if has_kdc else self.without_kdc), "KRB5CCNAME": self.cache(cache)}

    def cache(self, name: str) -> str:
        return f"FILE:{self.folder}/cache-{name}"

    def sign_in(self, account: str, password: str, cache: str) -> Mapping[str, str]:
        """Gets a forwardable ticket into a cache, as a person does; returns the variables that lead to it."""
        settings = self.settings(cache)
        _run("usr/bin/kinit", "-f", account, environment=settings, words=f"{password}\n")
        return settings

    def requests(self) -> list[tuple[str, str, str, str]]:
        """What the KDC was asked, as it logged that: the request, what came of it, for whom, for which server."""
        return [(found[1], found[2], found[3], found[4]) for found in _REQUEST.finditer((self.folder / "kdc.log").read_text())]

    def register(self, principal: str = f"HTTP/{HOST}") -> None:
        """Lets the KDC know a web server, whose key the keytab gets."""
        self._administrate(f"addprinc -randkey {principal}")
        self._administrate(f"ktadd -k {self.keytab} {principal}")
        self.keytab.chmod(0o644)  # Apache gives up root

    def forget(self, principal: str = f"HTTP/{HOST}") -> None:
        """Lets the KDC know it no longer."""
        self._administrate(f"delprinc -force {principal}")

    def _administrate(self, query: str) -> None:
        administrate(self.folder, self.configuration, query)


def set_variables(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """Lets this program find the realm and a cache, as `Realm.settings` says."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def administrate(folder: Path, configuration: Path, query: str) -> None:
    """One command to the realm's database, at its files."""
    environment = {"KRB5_CONFIG": str(configuration), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
    _run("usr/sbin/kadmin.local", "-r", REALM, "-q", query, environment=environment)


@contextmanager
def run_kdc() -> Iterator[Realm]:
    """A KDC until the context ends. Raises ServerMissing."""
    program, *_ = map(_find, ("usr/sbin/krb5kdc", "usr/sbin/kdb5_util", "usr/sbin/kadmin.local", "usr/bin/kinit"))
    folders: list[Path] = []

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        folders.append(folder)
        for file in folder.glob("principal*"):  # of a start that found its port taken
            file.unlink()
        (folder / "krb5.conf").write_text(_configuration(folder, ports[0]))
        (folder / "without.conf").write_text(_configuration(folder, free_ports(1)[0]))
        (folder / "kdc.conf").write_text(_configuration_of_kdc(folder, ports[0]))
        environment = {"KRB5_CONFIG": str(folder / "krb5.conf"), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
        _run("usr/sbin/kdb5_util", "-r", REALM, "create", "-s", "-P", "of-the-database", environment=environment)
        for account, password in ((SERVICE, SERVICE_PASSWORD), (OTHER, OTHER_PASSWORD), (EXPIRED, OTHER_PASSWORD)):
            expires = "-pwexpire 2020-01-01" if account == EXPIRED else ""
            # As Active Directory has it, nobody gets a ticket to try passwords on.
            administrate(folder, folder / "krb5.conf", f"addprinc +requires_preauth {expires} -pw {password} {account}")
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), str(program), "-n", "-r", REALM]

    with running("krb5kdc", 1, configure, environment={"LD_LIBRARY_PATH": library_path(UNPACKED)}):
        folder = folders[-1]
        realm = Realm(
            folder=folder,
            configuration=folder / "krb5.conf",
            without_kdc=folder / "without.conf",
            keytab=folder / "http.keytab",
        )
        realm.register()
        yield realm


def _find(program: str) -> Path:
    # Debian 13 has Heimdal's beside MIT's, and leaves the plain name to whoever administers the machine.
    with suppress(ServerMissing):
        return find_unpacked(f"{program}.mit", _SERVER)
    return find_unpacked(program, f"{_SERVER} ({program})")


def _run(program: str, *arguments: str, environment: Mapping[str, str], words: str = "") -> str:
    done = subprocess.run(
        [_find(program), *arguments],
        env={**os.environ, "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": library_path(UNPACKED), **environment},
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _configuration(folder: Path, port: int) -> str:
    """For everybody: names are taken as they are, and nothing is looked up in DNS."""
    modules = UNPACKED / "usr/lib" / _multiarch() / "krb5/plugins/kdb"
    return f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 forwardable = true
[realms]
 {REALM} = {{
  kdc = {ADDRESS}:{port}
 }}
[domain_realm]
 {HOST} = {REALM}
[logging]
 kdc = FILE:{folder}/kdc.log
[dbmodules]
 {f"db_module_dir = {modules}" if modules.exists() else ""}
"""


def _configuration_of_kdc(folder: Path, port: int) -> str:
    return f"""[kdcdefaults]
 kdc_listen = {ADDRESS}:{port}
 kdc_tcp_listen = {ADDRESS}:{port}
[realms]
 {REALM} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
 }}
"""


def _multiarch() -> str:
    """The name of the folder of this machine's libraries, as `x86_64-linux-gnu`."""
    return next((folder.name for folder in sorted((UNPACKED / "usr/lib").glob("*-linux-gnu*"))), "none")
