"""What every server of POP3 and IMAP is to the tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate

PASSWORD = "correct horse battery staple"  # made up; each server lives for one test run


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxServer:
    """A running server with one user, each protocol upgraded on one port and TLS at once on another."""

    host: str
    pop3_port: int
    """Upgraded by STLS."""
    pop3s_port: int
    imap_port: int
    """Upgraded by STARTTLS."""
    imaps_port: int
    certificate: ServerCertificate
    username: str
    password: str = PASSWORD

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file

    def url(self, scheme: str) -> str:
        """The endpoint that is spoken to by a scheme."""
        return f"{scheme}://{self.host}:{getattr(self, f'{scheme}_port')}"
