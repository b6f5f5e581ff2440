"""GNU Mailutils: its IMAP server and its POP3 server, each upgraded on one port and TLS at once on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import ServerCertificate
from tests.servers.jail import Jail
from tests.servers.mailbox_server import PASSWORD, MailboxServer
from tests.servers.programs import ADDRESS, running

USERNAME = "sales"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailutils(MailboxServer):
    """A running imap4d and a running pop3d. They never tell their version, and take passwords in clear before TLS too."""


@contextmanager
def run_mailutils(certificate: ServerCertificate) -> Iterator[Mailutils]:
    """Both servers until the context ends, with one user whose mailbox is empty. Needs root, to become that user."""
    with ExitStack() as servers:
        imap, imaps = servers.enter_context(_run("imap4d", certificate))
        pop3, pop3s = servers.enter_context(_run("pop3d", certificate))
        yield Mailutils(
            host="localhost",
            pop3_port=pop3,
            pop3s_port=pop3s,
            imap_port=imap,
            imaps_port=imaps,
            certificate=certificate,
            username=USERNAME,
        )


@contextmanager
def _run(program: str, certificate: ServerCertificate) -> Iterator[list[int]]:
    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        jail = Jail(folder, "Mailutils")
        jail.add_program(f"usr/sbin/{program}")
        jail.add_folder("var/mail", mode=0o1777)
        jail.add_account("mail")
        owner = jail.add_account(USERNAME, home="/home/sales", password=PASSWORD)
        jail.add_folder("home/sales", owner=owner)
        jail.write("etc/chain.pem", certificate.chain_file.read_bytes())
        jail.write("etc/key.pem", certificate.key_file.read_bytes(), mode=0o600)
        jail.write("etc/server.conf", _configuration(*ports))
        return jail.command(f"/usr/sbin/{program}", "--config-file=/etc/server.conf", "--daemon", "--foreground")

    with running(program, 2, configure) as ports:
        yield ports


def _configuration(upgraded: int, implicit: int) -> str:
    tls = "tls { ssl-certificate-file /etc/chain.pem; ssl-key-file /etc/key.pem; };"
    return f"""
auth {{
  authentication generic:system;
  authorization system;
}};
logging {{
  syslog no;
}};
tcp-wrappers {{
  enable no;
}};
{tls}
server {ADDRESS}:{upgraded} {{
  tls-mode ondemand;
  {tls}
}};
server {ADDRESS}:{implicit} {{
  tls-mode connection;
  {tls}
}};
"""
