"""Exim: SMTP with STARTTLS on one port, and TLS at once (`tls_on_connect_ports`) on another."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.dovecot import USERNAME
from tests.servers.jail import Jail
from tests.servers.mailbox_server import PASSWORD
from tests.servers.programs import MinimumTls, ServerMissing, find_program, running

MESSAGE_SIZE = 52_428_800

_PROGRAM = "usr/sbin/exim4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exim:
    """A running Exim. It offers AUTH only under TLS, and throws away every message that it takes."""

    host: str
    smtp_port: int
    """Upgraded by STARTTLS."""
    smtps_port: int
    certificate: ServerCertificate
    minimum_tls: MinimumTls
    username: str = USERNAME
    password: str = PASSWORD
    message_size: int = MESSAGE_SIZE
    """What it announces with SIZE, in bytes."""

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file


@contextmanager
def run_exim(certificate: ServerCertificate, minimum_tls: MinimumTls) -> Iterator[Exim]:
    """Exim until the context ends. Runs without root too, where its package is installed."""
    configure = _in_a_jail if os.geteuid() == 0 else _as_it_is

    with running("Exim", 2, lambda folder, ports: configure(folder, ports, certificate, minimum_tls)) as (smtp, smtps):
        yield Exim(host="localhost", smtp_port=smtp, smtps_port=smtps, certificate=certificate, minimum_tls=minimum_tls)


def _in_a_jail(folder: Path, ports: Sequence[int], certificate: ServerCertificate, minimum_tls: MinimumTls) -> Sequence[str]:
    """As root: it does not start without the account that it was built for, which a machine with another mail server lacks."""
    jail = Jail(folder, "Exim")
    jail.add_program(_PROGRAM)
    owner = jail.add_account("Debian-exim")
    for name in ("spool", "log"):
        jail.add_folder(name, owner=owner)
    jail.write("etc/chain.pem", certificate.chain_file.read_bytes())
    jail.write("etc/key.pem", certificate.key_file.read_bytes(), owner=owner, mode=0o600)
    places = _Places("", "/etc/chain.pem", "/etc/key.pem", owner, owner)
    jail.write("etc/exim.conf", _configuration(places, ports, minimum_tls))
    return jail.command(f"/{_PROGRAM}", "-bdf", "-C", "/etc/exim.conf")


def _as_it_is(folder: Path, ports: Sequence[int], certificate: ServerCertificate, minimum_tls: MinimumTls) -> Sequence[str]:
    """Without root: as who started it."""
    program = find_program("exim4", "Exim")
    try:
        pwd.getpwnam("Debian-exim")
    except KeyError:
        raise ServerMissing("Exim is not installed, and what is unpacked runs as root alone") from None
    # A copy has no setuid bit, so that it is nobody but who started it.
    copy = folder / "exim"
    shutil.copyfile(program, copy)
    copy.chmod(0o755)
    for name in ("spool", "log"):
        (folder / name).mkdir(exist_ok=True)
    places = _Places(str(folder), str(certificate.chain_file), str(certificate.key_file), os.geteuid(), os.getegid())
    (folder / "exim.conf").write_text(_configuration(places, ports, minimum_tls))
    return [str(copy), "-bdf", "-C", str(folder / "exim.conf")]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where Exim finds what it needs, and who it is."""

    folder: str
    """Its own; empty at the root of a jail."""
    chain_file: str
    key_file: str
    user: int
    group: int


def _configuration(places: _Places, ports: Sequence[int], minimum_tls: MinimumTls) -> str:
    smtp, smtps = ports
    versions = {"TLSv1.2": "+VERS-TLS1.2:+VERS-TLS1.3", "TLSv1.3": "+VERS-TLS1.3"}[minimum_tls]
    return f"""
exim_user = {places.user}
exim_group = {places.group}
# It stays who it is, so that it needs no root to deliver.
deliver_drop_privilege = yes
spool_directory = {places.folder}/spool
log_file_path = {places.folder}/log/%slog
pid_file_path = {places.folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
primary_hostname = mail.example.test
# No look-ups: they would leave this machine.
host_lookup =
rfc1413_hosts =
message_size_limit = {MESSAGE_SIZE}
tls_advertise_hosts = *
tls_certificate = {places.chain_file}
tls_privatekey = {places.key_file}
# Debian's Exim speaks through GnuTLS, and so in its words.
tls_require_ciphers = NORMAL:-VERS-ALL:{versions}
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}{{}}}}
acl_smtp_rcpt = check_recipient
acl_smtp_data = check_data
never_users =
keep_environment =

begin acl
check_recipient:
  accept authenticated = *
  deny message = authentication required
check_data:
  accept

begin routers
nowhere:
  driver = redirect
  data = :blackhole:

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USERNAME}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{USERNAME}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth1
"""
