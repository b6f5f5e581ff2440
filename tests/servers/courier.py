"""Courier: POP3 and IMAP, upgraded on one port and TLS at once on another, with the settings that Debian gives it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.jail import Jail, hashed_password
from tests.servers.mailbox_server import PASSWORD, MailboxServer
from tests.servers.programs import ADDRESS, UNPACKED, find_unpacked, library_path, running

USERNAME = "sales"

_AUTHENTICATION = "usr/lib/courier/courier-authlib/authdaemond"
_PASSWORDS = "usr/lib/courier-authlib/libauthuserdb.so.0"  # by this name it is asked for
_INDEXER = "usr/lib/courier/courier-authlib/makedatprog"
_LISTENER = "usr/sbin/couriertcpd"
_TLS = "usr/bin/couriertls"
_POP3 = ("usr/lib/courier/courier/courierpop3login", "usr/lib/courier/courier/courierpop3d")
_IMAP = ("usr/lib/courier/courier/imaplogin", "usr/bin/imapd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier(MailboxServer):
    """A running Courier. It never tells its version, and takes passwords in clear before TLS too."""


@contextmanager
def run_courier(certificate: ServerCertificate) -> Iterator[Courier]:
    """Courier until the context ends, with one user whose mailbox is empty. Needs root, to become that user."""

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        jail = Jail(folder, "Courier")
        for program in (_AUTHENTICATION, _PASSWORDS, _LISTENER, _TLS, *_POP3, *_IMAP):
            jail.add_program(program)
        jail.add_folder("run/courier/authdaemon")
        reader = jail.add_account("courier")  # who it is while it speaks TLS
        owner = jail.add_account(USERNAME, home="/home/sales")
        for name in ("", "/Maildir", "/Maildir/new", "/Maildir/cur", "/Maildir/tmp"):
            jail.add_folder(f"home/sales{name}", owner=owner)
        jail.write("etc/courier/authdaemonrc", 'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=1\n')
        _write_passwords(jail, folder, owner)
        jail.write(
            "etc/chain-and-key.pem", certificate.key_file.read_bytes() + certificate.chain_file.read_bytes(), owner=reader, mode=0o600
        )
        script = folder / "start.sh"
        script.write_text(_script(jail, ports))
        return ["/bin/sh", str(script)]

    with running("Courier", 4, configure) as (pop3, pop3s, imap, imaps):
        yield Courier(
            host="localhost", pop3_port=pop3, pop3s_port=pop3s, imap_port=imap, imaps_port=imaps, certificate=certificate, username=USERNAME
        )


def _write_passwords(jail: Jail, folder: Path, owner: int) -> None:
    """Courier reads accounts and passwords from two indexed files, which a program of its own makes."""
    indexer = find_unpacked(_INDEXER, "Courier")
    for name, fields in (
        ("userdb", f"uid={owner}|gid={owner}|home=/home/sales|mail=/home/sales/Maildir"),
        ("userdbshadow", f"systempw={hashed_password(PASSWORD)}"),
    ):
        file = jail.root / "etc/courier" / f"{name}.dat"
        subprocess.run(
            [indexer, "-", folder / "index.tmp", file],
            input=f"{USERNAME}\t{fields}\n.\n",  # the dot says that it is whole
            env={**os.environ, "LD_LIBRARY_PATH": library_path(UNPACKED)},
            text=True,
            check=True,
            capture_output=True,
        )
        file.chmod(0o600)


def _script(jail: Jail, ports: Sequence[int]) -> str:
    """What Debian's start scripts do, less the putting into the background; the listener's options are the release's own."""
    pop3, pop3s, imap, imaps = ports
    lines = [
        "set -a",
        "IMAP_STARTTLS=YES",
        " ".join([*jail.command(f"/{_AUTHENTICATION}"), "&"]),
    ]
    for port, programs, settings, at_once in (
        (pop3, _POP3, "pop3d", ""),
        (pop3s, _POP3, "pop3d", "POP3_TLS=1 POP3_STARTTLS=NO"),
        (imap, _IMAP, "imapd", ""),
        (imaps, _IMAP, "imapd", "IMAP_TLS=1 IMAP_STARTTLS=NO"),
    ):
        tls = [f"/{_TLS}", "-server", "-tcpd"] if at_once else []
        listener = [f"/{_LISTENER}", f"-address={ADDRESS}", "-maxprocs=40", "-maxperip=40", "$TCPDOPTS"]
        session = [*tls, *(f"/{program}" for program in programs), "Maildir"]
        lines += [
            "(",
            *(f". {find_unpacked(f'etc/courier/{file}', 'Courier')}" for file in (settings, f"{settings}-ssl")),
            f"TLS_CERTFILE=/etc/chain-and-key.pem TLS_DHPARAMS= TLS_TRUSTCERTS= TLS_CACHEFILE= {at_once}",
            " ".join(["exec", *jail.command(*listener, str(port), *session)]),
            ") &",
        ]
    return "\n".join([*lines, "wait", ""])
