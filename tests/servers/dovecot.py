"""Dovecot: POP3 and IMAP, upgraded on one port and TLS at once on another."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.mailbox_server import PASSWORD, MailboxServer
from tests.servers.programs import ADDRESS, MinimumTls, ServerMissing, find_program, running

USERNAME = "sales@example.test"

# A client of 127.0.0.2 still comes from 127.0.0.1 (on Linux, all of 127.0.0.0/8 is loopback).
_DISTANT = "127.0.0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot(MailboxServer):
    """A running Dovecot, at two addresses."""

    distant_host: str
    """Another loopback address: at `host` Dovecot takes every client for a local one, because both ends have one address, and allows passwords
    in clear; here clients are treated as those from elsewhere, and passwords need TLS."""
    sasl_port: int
    """Dovecot's SASL service, for an SMTP server."""
    home: Path
    """Of the one user; the mail lies in `Maildir` below it."""
    owner: tuple[int, int]
    """User and group that the mail belongs to."""
    version: str
    minimum_tls: MinimumTls


@contextmanager
def run_dovecot(certificate: ServerCertificate, minimum_tls: MinimumTls) -> Iterator[Dovecot]:
    """Dovecot until the context ends, with one user whose mailbox is empty. Runs without root too."""
    program = find_program("dovecot", "Dovecot")
    for login in ("pop3-login", "imap-login"):
        if not Path("/usr/lib/dovecot", login).exists():
            raise ServerMissing(f"Dovecot's {login} is not installed")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    settings = _settings_2_3 if version.startswith("2.3.") else _settings_2_4

    # The mailbox's owner must not be root: Dovecot refuses that.
    owner = pwd.getpwnam("dovenull") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    homes: list[Path] = []

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        home = folder / "home"
        homes.append(home)
        home.mkdir(exist_ok=True)
        os.chown(home, owner.pw_uid, owner.pw_gid)
        (folder / "users").write_text(f"{USERNAME}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::{home}\n")
        (folder / "dovecot.conf").write_text(settings(folder, certificate, minimum_tls) + _common(folder, ports, owner))
        return [str(program), "-F", "-c", str(folder / "dovecot.conf")]

    with running("Dovecot", 5, configure) as (pop3, pop3s, imap, imaps, sasl):
        yield Dovecot(
            host="localhost",
            distant_host=_DISTANT,
            pop3_port=pop3,
            pop3s_port=pop3s,
            imap_port=imap,
            imaps_port=imaps,
            sasl_port=sasl,
            home=homes[-1],
            owner=(owner.pw_uid, owner.pw_gid),
            version=version,
            certificate=certificate,
            username=USERNAME,
            minimum_tls=minimum_tls,
        )


def _settings_2_3(folder: Path, certificate: ServerCertificate, minimum_tls: MinimumTls) -> str:
    """The settings whose names or form 2.4 changed, as Debian 12's Dovecot reads them."""
    return f"""
disable_plaintext_auth = yes
ssl_cert = <{certificate.chain_file}
ssl_key = <{certificate.key_file}
ssl_min_protocol = {minimum_tls}
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
"""


def _settings_2_4(folder: Path, certificate: ServerCertificate, minimum_tls: MinimumTls) -> str:
    """The same as Debian 13's Dovecot reads them (doc.dovecot.org, "Upgrading Dovecot CE from 2.3 to 2.4")."""
    return f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = no
ssl_server_cert_file = {certificate.chain_file}
ssl_server_key_file = {certificate.key_file}
ssl_min_protocol = {minimum_tls}
mail_driver = maildir
mail_path = ~/Maildir
passdb passwd-file {{
  passwd_file_path = {folder}/users
}}
userdb passwd-file {{
  passwd_file_path = {folder}/users
}}
"""


def _common(folder: Path, ports: Sequence[int], owner: pwd.struct_passwd) -> str:
    pop3, pop3s, imap, imaps, sasl = ports
    unprivileged = ""
    if os.geteuid() != 0:
        # Without root nobody can become another user or change the root folder.
        group = grp.getgrgid(owner.pw_gid).gr_name
        services = ("anvil", "pop3-login", "imap-login", "stats")
        unprivileged = f"default_internal_user = {owner.pw_name}\ndefault_login_user = {owner.pw_name}\n"
        unprivileged += f"default_internal_group = {group}\n"
        unprivileged += "".join(f"service {service} {{\n  chroot =\n}}\n" for service in services)
    return f"""
protocols = pop3 imap
listen = {ADDRESS}, {_DISTANT}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
auth_mechanisms = plain login
# A wrong password slows down neither its own answer nor the next login from the same address.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
first_valid_uid = {owner.pw_uid}
first_valid_gid = {owner.pw_gid}
ssl = required
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service auth {{
  inet_listener sasl {{
    port = {sasl}
  }}
}}
{unprivileged}"""
