"""Cyrus: POP3 and IMAP, upgraded on one port and TLS at once on another.

Its package brings accounts and a service with it, so that it is run from where tests/run unpacked it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.mailbox_server import PASSWORD, MailboxServer
from tests.servers.programs import ADDRESS, UNPACKED, find_unpacked, library_path, running

USERNAME = "sales"

_HOSTNAME = "mail.example.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cyrus(MailboxServer):
    """A running Cyrus. It takes passwords in clear only under TLS, and others that do not go in clear before it."""

    version: str
    """As the program says it, less what Debian adds."""


@contextmanager
def run_cyrus(certificate: ServerCertificate) -> Iterator[Cyrus]:
    """Cyrus until the context ends, with one user whose mailbox is made at the first login. Runs without root too."""
    programs = {name: find_unpacked(f"usr/lib/cyrus/bin/{name}", "Cyrus") for name in ("master", "imapd", "pop3d", "ctl_cyrusdb")}
    saslpasswd = find_unpacked("usr/sbin/saslpasswd2", "Cyrus' saslpasswd2")
    environment = {"LD_LIBRARY_PATH": library_path(UNPACKED)}
    told = subprocess.run([programs["master"], "-V"], env=environment, capture_output=True, text=True, check=True).stdout
    # "cyrus-imapd 3.6.1-Debian-3.6.1-4+deb12u5"
    version = told.split()[1].partition("-")[0]

    # It gives up root for this account, whatever it is called.
    owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        for name in ("config", "config/db", "config/proc", "config/socket", "config/lock", "config/ptclient", "spool"):
            (folder / name).mkdir(exist_ok=True)
        # pytest's folders let nobody else in.
        shutil.copyfile(certificate.chain_file, folder / "chain.pem")
        (folder / "key.pem").touch(mode=0o600)
        shutil.copyfile(certificate.key_file, folder / "key.pem")
        (folder / "imapd.conf").write_text(_configuration(folder, owner))
        (folder / "cyrus.conf").write_text(_services(folder, programs, ports))
        passwords = folder / "sasldb"
        subprocess.run(
            [saslpasswd, "-p", "-c", "-f", passwords, "-u", _HOSTNAME, USERNAME],
            input=PASSWORD,
            env=environment,
            text=True,
            check=True,
            capture_output=True,
        )
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        return [
            str(programs["master"]),
            "-D",  # in the foreground
            "-C",
            str(folder / "imapd.conf"),
            "-M",
            str(folder / "cyrus.conf"),
            "-p",
            str(folder / "master.pid"),
        ]

    with running("Cyrus", 4, configure, environment=environment) as (pop3, pop3s, imap, imaps):
        yield Cyrus(
            host="localhost",
            pop3_port=pop3,
            pop3s_port=pop3s,
            imap_port=imap,
            imaps_port=imaps,
            version=version,
            certificate=certificate,
            username=USERNAME,
        )


def _configuration(folder: Path, owner: pwd.struct_passwd) -> str:
    return f"""
cyrus_user: {owner.pw_name}
servername: {_HOSTNAME}
configdirectory: {folder}/config
proc_path: {folder}/config/proc
mboxname_lockpath: {folder}/config/lock
defaultpartition: default
partition-default: {folder}/spool
allowplaintext: no
# Since 3.10 it is off unless it is asked for (imapd.conf(5)); before, nobody asked.
allowstarttls: on
autocreate_quota: 0
autocreate_post: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb
sasl_mech_list: PLAIN LOGIN CRAM-MD5
# A wrong password slows down neither its own answer nor the next login.
failedloginpause: 0
popminpoll: 0
tls_server_cert: {folder}/chain.pem
tls_server_key: {folder}/key.pem
"""


def _services(folder: Path, programs: dict[str, Path], ports: Sequence[int]) -> str:
    pop3, pop3s, imap, imaps = ports
    settings = f"-C {folder}/imapd.conf"
    return f"""
START {{
  recover cmd="{programs["ctl_cyrusdb"]} {settings} -r"
}}
SERVICES {{
  pop3 cmd="{programs["pop3d"]} {settings}" listen="{ADDRESS}:{pop3}"
  pop3s cmd="{programs["pop3d"]} {settings} -s" listen="{ADDRESS}:{pop3s}"
  imap cmd="{programs["imapd"]} {settings}" listen="{ADDRESS}:{imap}"
  imaps cmd="{programs["imapd"]} {settings} -s" listen="{ADDRESS}:{imaps}"
}}
EVENTS {{
}}
"""
