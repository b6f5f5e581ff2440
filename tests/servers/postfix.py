"""Postfix: SMTP with STARTTLS on one port, and TLS at once (its "smtps" wrapper mode) on another.

It and Exim exclude each other in apt, so that it is mostly run from where tests/run unpacked its package.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.dovecot import Dovecot
from tests.servers.programs import UNPACKED, MinimumTls, ServerMissing, running

MESSAGE_SIZE = 10_240_000

# Postfix insists on three accounts that differ: the owner of its queue, the group of its two setgid commands, and
# whom it delivers as. These three are on every Debian (base-passwd), so that none has to be made.
_QUEUE_OWNER = "mail"
_SUBMISSION_GROUP = "uucp"
_DELIVERS_AS = "nobody"

_QUEUE_FOLDERS = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private", "saved", "trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postfix:
    """A running Postfix. It offers AUTH only under TLS, delivers to one mailbox, and throws away every other message that it takes."""

    host: str
    smtp_port: int
    """Upgraded by STARTTLS."""
    smtps_port: int
    certificate: ServerCertificate
    minimum_tls: MinimumTls
    username: str
    password: str
    dovecot: Dovecot
    """Where the mailbox lies."""
    message_size: int = MESSAGE_SIZE
    """What it announces with SIZE, in bytes."""

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file


@contextmanager
def run_postfix(certificate: ServerCertificate, minimum_tls: MinimumTls, dovecot: Dovecot) -> Iterator[Postfix]:
    """Postfix until the context ends; it asks Dovecot whether a password is right, as it mostly does in the field."""
    if os.geteuid() != 0:
        raise ServerMissing("Postfix cannot run without root, and this is not root")
    root = next((root for root in (UNPACKED, Path("/")) if (root / "usr/lib/postfix/sbin/master").exists()), None)
    if root is None:
        raise ServerMissing("Postfix is not installed")

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        _make_queue(folder)
        main = folder / "main.cf"
        main.write_text(_main(folder, root, certificate, minimum_tls, dovecot))
        # Postfix waits until its configuration is 2 s old, lest it be read while it is written.
        os.utime(main, (0, 0))
        (folder / "master.cf").write_text(_master(*ports))
        return [str(root / "usr/lib/postfix/sbin/master"), "-c", str(folder), "-d"]

    # Debian links it with the place that its libraries are installed in; unpacked they lie elsewhere.
    environment = {"LD_LIBRARY_PATH": str(root / "usr/lib/postfix")}
    with running("Postfix", 2, configure, environment=environment) as (smtp, smtps):
        yield Postfix(
            host="localhost",
            smtp_port=smtp,
            smtps_port=smtps,
            certificate=certificate,
            minimum_tls=minimum_tls,
            username=dovecot.username,
            password=dovecot.password,
            dovecot=dovecot,
        )


def _make_queue(folder: Path) -> None:
    """The folders that Debian's postinst would make, with the owners that Postfix checks."""
    queue = folder / "queue"
    for name in ("pid", "public", *_QUEUE_FOLDERS):
        (queue / name).mkdir(parents=True, exist_ok=True)
        if name != "pid":
            shutil.chown(queue / name, _QUEUE_OWNER)
            (queue / name).chmod(0o700)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    shutil.chown(data, _QUEUE_OWNER)


def _main(folder: Path, root: Path, certificate: ServerCertificate, minimum_tls: MinimumTls, dovecot: Dovecot) -> str:
    return f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/etc/postfix
mail_owner = {_QUEUE_OWNER}
setgid_group = {_SUBMISSION_GROUP}
default_privs = {_DELIVERS_AS}
import_environment = MAIL_CONFIG LANG=C LD_LIBRARY_PATH={root}/usr/lib/postfix
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.test
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
default_transport = discard
transport_maps = inline:{{ {{ {dovecot.username} = virtual: }} }}
virtual_mailbox_base = {dovecot.home}
virtual_mailbox_maps = inline:{{ {{ {dovecot.username} = Maildir/ }} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{dovecot.owner[0]}
virtual_gid_maps = static:{dovecot.owner[1]}
message_size_limit = {MESSAGE_SIZE}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {certificate.chain_file}
smtpd_tls_key_file = {certificate.key_file}
smtpd_tls_mandatory_protocols = >={minimum_tls}
smtpd_tls_protocols = >={minimum_tls}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{dovecot.sasl_port}
smtpd_client_connection_rate_limit = 0
"""


def _master(smtp: int, smtps: int) -> str:
    return f"""
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
