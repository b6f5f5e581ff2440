"""DavMail: an independent client of EWS, which is itself a server of POP3 and IMAP on loopback."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import ADDRESS, ServerMissing, running

_JAR = Path("/usr/share/davmail/davmail.jar")


@dataclass(frozen=True, slots=True)
class DavMail:
    """A running DavMail, in clear; what a client says to it, it says to EWS."""

    host: str
    pop3_port: int
    imap_port: int


@contextmanager
def run_davmail(ews_url: str, ca_file: Path) -> Iterator[DavMail]:
    """DavMail before an EWS endpoint until the context ends; it trusts one authority. Runs without root."""
    java, keytool = shutil.which("java"), shutil.which("keytool")
    if not _JAR.exists() or java is None or keytool is None:
        raise ServerMissing("DavMail is not installed (davmail-server, with a Java runtime)")

    def configure(folder: Path, ports: list[int]) -> Sequence[str]:
        store = folder / "trust.p12"
        subprocess.run(
            [
                keytool,
                "-importcert",
                "-noprompt",
                "-alias",
                "ca",
                "-file",
                str(ca_file),
                "-keystore",
                str(store),
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
            ],
            check=True,
            capture_output=True,
        )
        settings = {
            "server": "true",
            "mode": "EWS",
            "url": ews_url,
            "popPort": ports[0],
            "imapPort": ports[1],
            "smtpPort": "",
            "ldapPort": "",
            "caldavPort": "",
            "allowRemote": "false",
            "bindAddress": ADDRESS,
            "disableUpdateCheck": "true",
            "enableKerberos": "false",
            "logFilePath": folder / "davmail.log",
        }
        (folder / "davmail.properties").write_text("".join(f"davmail.{name}={value}\n" for name, value in settings.items()))
        trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
        return [java, *trust, f"-Duser.home={folder}", "-jar", str(_JAR), str(folder / "davmail.properties")]

    with running("DavMail", 2, configure) as (pop3_port, imap_port):
        yield DavMail(ADDRESS, pop3_port, imap_port)
