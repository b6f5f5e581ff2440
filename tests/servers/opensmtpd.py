"""OpenSMTPD: SMTP in clear, and SMTP with STARTTLS.

Debian 12's keeps the private key in a process of its own where its OpenSSL does not find it: every handshake ends with
an alert. So nothing here relies on its TLS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.jail import Jail
from tests.servers.programs import ADDRESS, running

MESSAGE_SIZE = 31_457_280


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSmtpd:
    """A running OpenSMTPD. It takes no message."""

    host: str
    clear_port: int
    """Offers no STARTTLS."""
    smtp_port: int
    """Offers STARTTLS."""
    certificate: ServerCertificate
    message_size: int = MESSAGE_SIZE
    """What it announces with SIZE, in bytes."""

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file


@contextmanager
def run_opensmtpd(certificate: ServerCertificate) -> Iterator[OpenSmtpd]:
    """OpenSMTPD until the context ends. Needs root, as its way of working does."""

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        jail = Jail(folder, "OpenSMTPD")
        jail.add_program("usr/sbin/smtpd")
        jail.add_account("opensmtpd")
        jail.add_account("opensmtpq")
        jail.add_folder("var/lib/opensmtpd/empty")
        jail.add_folder("var/spool/smtpd", mode=0o711)
        # From 7.0 on it does not start without the authorities that Debian built it to trust; here it never is a client.
        jail.write("etc/ssl/certs/ca-certificates.crt", certificate.ca_file.read_bytes())
        jail.write("etc/chain.pem", certificate.chain_file.read_bytes())
        jail.write("etc/key.pem", certificate.key_file.read_bytes(), mode=0o600)
        jail.write("etc/smtpd.conf", _configuration(*ports), mode=0o600)
        return jail.command("/usr/sbin/smtpd", "-d")

    with running("OpenSMTPD", 2, configure) as (clear, smtp):
        yield OpenSmtpd(host="localhost", clear_port=clear, smtp_port=smtp, certificate=certificate)


def _configuration(clear: int, smtp: int) -> str:
    host = "mail.example.test"
    return f"""
pki {host} cert "/etc/chain.pem"
pki {host} key "/etc/key.pem"
smtp max-message-size {MESSAGE_SIZE}
listen on {ADDRESS} port {clear} hostname {host}
listen on {ADDRESS} port {smtp} tls pki {host} hostname {host}
match from any for any reject
"""
