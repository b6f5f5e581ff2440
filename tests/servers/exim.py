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
from tests.servers.mailbox_server import PASSWORD
from tests.servers.programs import MinimumTls, find_program, running

MESSAGE_SIZE = 52_428_800


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
    """Exim until the context ends. Runs without root too."""
    program = find_program("exim4", "Exim")

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        # A copy has no setuid bit, so that it is nobody but who started it. Exim refuses to be root for its work.
        copy = folder / "exim"
        shutil.copyfile(program, copy)
        copy.chmod(0o755)
        owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        # It reads both when it is root no more; pytest's folders let nobody else in.
        chain_file, key_file = folder / "chain.pem", folder / "key.pem"
        shutil.copyfile(certificate.chain_file, chain_file)
        key_file.touch(mode=0o600)
        shutil.copyfile(certificate.key_file, key_file)
        for name in ("spool", "log"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)
        os.chown(key_file, owner.pw_uid, owner.pw_gid)
        (folder / "exim.conf").write_text(_configuration(folder, ports, chain_file, key_file, minimum_tls, owner))
        return [str(copy), "-bdf", "-C", str(folder / "exim.conf")]

    with running("Exim", 2, configure) as (smtp, smtps):
        yield Exim(host="localhost", smtp_port=smtp, smtps_port=smtps, certificate=certificate, minimum_tls=minimum_tls)


def _configuration(
    folder: Path, ports: Sequence[int], chain_file: Path, key_file: Path, minimum_tls: MinimumTls, owner: pwd.struct_passwd
) -> str:
    smtp, smtps = ports
    versions = {"TLSv1.2": "+VERS-TLS1.2:+VERS-TLS1.3", "TLSv1.3": "+VERS-TLS1.3"}[minimum_tls]
    return f"""
exim_user = {owner.pw_uid}
exim_group = {owner.pw_gid}
# It stays who it is, so that it needs no root to deliver.
deliver_drop_privilege = yes
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
primary_hostname = mail.example.test
# No look-ups: they would leave this machine.
host_lookup =
rfc1413_hosts =
message_size_limit = {MESSAGE_SIZE}
tls_advertise_hosts = *
tls_certificate = {chain_file}
tls_privatekey = {key_file}
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
