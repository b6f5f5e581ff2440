"""Apache with mod_auth_gssapi as what stands before a web server: it speaks TLS, and lets in by Kerberos, and by NTLM as gss-ntlmssp plays it.

What is behind it is told who was let in: as `Authorization: Basic` or `Bearer`, made of the name. It runs without root too.
"""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tests.servers.certificates import ServerCertificate
from tests.servers.kerberos import NETBIOS, SERVICE, SERVICE_PASSWORD, Realm
from tests.servers.programs import UNPACKED, ServerBroken, find_program, find_unpacked, library_path, running

Mechanism = Literal["krb5", "ntlmssp"]
Teller = Literal["Basic", "Bearer"]

PASSED_ON = "let-in-by-apache"
"""The password of `Basic`, which says that the name before it was let in."""

_MODULES = "usr/lib/apache2/modules"
_LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "ssl", "setenvif", "headers", "proxy", "proxy_http", "auth_gssapi")
_TELLS: Mapping[Teller, str] = {"Basic": f"Basic %{{base64:%{{REMOTE_USER}}:{PASSED_ON}}}", "Bearer": "Bearer %{base64:%{REMOTE_USER}}"}
_END = "/end-of-a-test"
_LOGGED_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class Logged:
    """A request, as Apache logged it."""

    carried: str
    """What it signed in by: `ticket`, `NTLM 1` or `NTLM 3` with the scheme before it, as in `Negotiate ticket`; empty where nothing was carried."""
    status: int
    who: str
    """Who was let in; empty where nobody was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apache:
    """A running Apache, which passes on what was let in."""

    host: str
    port: int
    certificate: ServerCertificate
    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file

    @property
    def delegated(self) -> list[str]:
        """The tickets that somebody delegated to it."""
        return sorted(file.name for file in (self.folder / "delegated").iterdir())

    def requests(self) -> list[Logged]:
        """Every request so far, in order."""
        connection = http.client.HTTPSConnection(self.host, self.port, context=ssl.create_default_context(cafile=self.ca_file), timeout=20)
        connection.request("GET", _END)
        connection.getresponse().read()
        connection.close()
        log, until = self.folder / "access.log", time.monotonic() + _LOGGED_WITHIN
        # A request is logged once it was answered, and so after its client has gone on.
        while _END not in (written := log.read_text()):
            if time.monotonic() > until:
                raise ServerBroken("Apache does not log what it answers")
            time.sleep(0.01)
        return [_logged(line) for line in written.splitlines() if _END not in line]


class ApacheBefore(Protocol):
    """Starts an Apache of its own before a backend, `https://127.0.0.1:PORT`; it stops when the test is over."""

    def __call__(
        self, backend: str, *, mechanisms: Sequence[Mechanism] = ("krb5",), tells: Teller = "Basic", bound: bool = True
    ) -> Apache: ...


def _logged(line: str) -> Logged:
    status, who, authorization = line.split("|", 2)
    scheme, _, token = authorization.partition(" ")
    # The number of an NTLM message follows eight bytes.
    kind = "" if not token else f" NTLM {'1' if token[11] == 'B' else '3'}" if token.startswith("TlRMTVNTUAA") else " ticket"
    return Logged("" if authorization == "-" else f"{scheme}{kind}", int(status), "" if who == "-" else who.replace("\\\\", "\\"))


@contextmanager
def run_apache(
    certificate: ServerCertificate, realm: Realm, backend: str, mechanisms: Sequence[Mechanism], tells: Teller, *, bound: bool
) -> Iterator[Apache]:
    """Apache before a backend until the context ends; `bound` lets in a connection rather than a request. Raises ServerMissing."""
    program = find_program("apache2", "Apache")
    find_unpacked(f"{_MODULES}/mod_auth_gssapi.so", "mod_auth_gssapi")
    environment = {"KRB5_CONFIG": str(realm.configuration), "LD_LIBRARY_PATH": library_path(UNPACKED)}
    folders: list[Path] = []

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        folders.append(folder)
        (folder / "delegated").mkdir(exist_ok=True)
        (folder / "delegated").chmod(0o777)
        # By either of its names; a domain may stand in none of a user@REALM.
        names = (f"{NETBIOS}:{SERVICE.partition('@')[0]}", f":{SERVICE}")
        (folder / "users").write_text("".join(f"{name}:{SERVICE_PASSWORD}\n" for name in names))
        (folder / "mechanisms").write_text(f"gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 {_ntlm()}\n" if "ntlmssp" in mechanisms else "")
        (folder / "apache.conf").write_text(_configuration(folder, ports[0], certificate, realm, backend, mechanisms, tells, bound=bound))
        # Not by GssapiCredStore: gss-ntlmssp would look for its own there. At level 5 NTLMv2 alone is taken.
        own = {
            "KRB5_KTNAME": realm.keytab,
            "NTLM_USER_FILE": folder / "users",
            "GSS_MECH_CONFIG": folder / "mechanisms",
            "LM_COMPAT_LEVEL": 5,
        }
        return [
            "/usr/bin/env",
            *(f"{name}={value}" for name, value in own.items()),
            str(program),
            "-f",
            str(folder / "apache.conf"),
            "-DFOREGROUND",
        ]

    with running("Apache", 1, configure, environment=environment) as (port,):
        yield Apache(host="localhost", port=port, certificate=certificate, folder=folders[-1])


def _ntlm() -> Path:
    """The library that plays NTLM."""
    places = [place for root in (UNPACKED, Path("/")) for place in (root / "usr/lib").glob("*/gssntlmssp/gssntlmssp.so")]
    return places[0] if places else find_unpacked("usr/lib/gssntlmssp/gssntlmssp.so", "gss-ntlmssp")


def _configuration(
    folder: Path,
    port: int,
    certificate: ServerCertificate,
    realm: Realm,
    backend: str,
    mechanisms: Sequence[Mechanism],
    tells: Teller,
    *,
    bound: bool,
) -> str:
    modules = "\n".join(f"LoadModule {name}_module {find_unpacked(f'{_MODULES}/mod_{name}.so', 'Apache')}" for name in _LOADED)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    return f"""
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
{modules}
{user}
ErrorLog {folder}/error.log
LogLevel warn
SetEnvIf Authorization "(.+)" carried=$1
LogFormat "%>s|%u|%{{carried}}e" signing-in
LogFormat "%>s|%u|%U" ending
CustomLog {folder}/access.log signing-in "expr=%{{REQUEST_URI}} != '{_END}'"
CustomLog {folder}/access.log ending "expr=%{{REQUEST_URI}} == '{_END}'"
SSLEngine on
SSLCertificateFile {certificate.chain_file}
SSLCertificateKeyFile {certificate.key_file}
SSLProxyEngine on
SSLProxyVerify none
SSLProxyCheckPeerName off
SSLProxyCheckPeerCN off
# As long as IIS waits: a ticket is got between two requests of a connection, and a busy machine takes its time.
KeepAliveTimeout 120
ProxyPreserveHost on
ProxyPass {_END} !
ProxyPass / {backend}/
<LocationMatch "^/(?!{_END[1:]})">
  AuthType GSSAPI
  AuthName Windows
  GssapiDelegCcacheDir {folder}/delegated
  GssapiDelegCcachePerms mode:0644
  {"".join(f"GssapiAllowedMech {name}{chr(10)}  " for name in mechanisms)}
  GssapiConnectionBound {"on" if bound else "off"}
  Require valid-user
  RequestHeader set Authorization "expr={_TELLS[tells]}"
</LocationMatch>
"""
