"""A mailbox to test, and the asynchronous server that tests it, as both stand when the test begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probe.model.values import dataclass
from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.metadata import MAILBOX, PROFILE
from probe.simulation.dynamics.organization import Oddity
from probe.simulation.dynamics.routes import Routes

EXCHANGE, POP3_SMTP, EXCHANGE_HYBRID, EXCHANGE_ONLINE, IMAP_SMTP = 0, 1, 2, 3, 4
MAIL_ONLY = (POP3_SMTP, IMAP_SMTP)
AUTO_DETECT, NEGOTIATE, NTLM, BASIC = 0, 1, 2, 3
OF_MAILBOX, OF_PROFILE, SERVER_TO_SERVER, WINDOWS, ANONYMOUS = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousServer:
    """The asynchronous server, as far as tests of mailboxes depend on it."""

    routes: Routes
    service_account: tuple[str, str] = ("", "")
    """Name and password of the account that the service runs as: Windows integrated authentication."""
    token: str = ""
    """What server-to-server authentication signs in with."""
    allows_clear: bool = False
    """AllowNonSSLEmail: whether mail may go over a channel without TLS."""
    name: str = "CRMASYNC01"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailbox with its profile, as the records stand when the test begins."""

    mailbox: Mapping[str, Any]
    profile: Mapping[str, Any] | None
    oddity: Oddity | None = None
    claimed_elsewhere: bool = False

    def of(self, name: str) -> Any:
        """A value of the mailbox."""
        return _value(self.mailbox, name, MAILBOX.attributes)

    def of_profile(self, name: str) -> Any:
        """A value of the profile."""
        return _value(self.profile or {}, name, PROFILE.attributes)

    def of_side(self, workload: Workload, name: str) -> Any:
        """A value that the profile has for each workload; the incoming one where both have the same, and for appointments."""
        outgoing = workload is Workload.OUTGOING and not self.of_profile("usesamesettingsforoutgoingconnections")
        return self.of_profile(("outgoing" if outgoing else "incoming") + name)

    @property
    def address(self) -> str:
        return str(self.of("emailaddress") or "")


def _value(row: Mapping[str, Any], name: str, attributes: tuple[Any, ...]) -> Any:
    return row.get(name, next(attribute.default for attribute in attributes if attribute.name == name))


def workloads_of(candidate: Candidate) -> list[Workload]:
    """The workloads that server-side synchronization serves."""
    methods = {
        Workload.INCOMING: ("incomingemaildeliverymethod", 2),
        Workload.OUTGOING: ("outgoingemaildeliverymethod", 2),
        Workload.APPOINTMENTS: ("actdeliverymethod", 1),
    }
    return [workload for workload, (name, method) in methods.items() if candidate.of(name) == method]


def credentials_of(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> tuple[str, str]:
    """Name and password that the profile says to use; empty for none."""
    kind = candidate.of_side(workload, "credentialretrieval")
    if kind == OF_MAILBOX and candidate.of("allowemailconnectortousecredentials"):
        return str(candidate.of("username") or ""), str(candidate.of("password") or "")
    if kind == OF_PROFILE:
        return str(candidate.of_side(workload, "username") or ""), str(candidate.of_side(workload, "password") or "")
    if kind == WINDOWS and candidate.of_profile("servertype") in MAIL_ONLY and workload is Workload.INCOMING:
        raise Failure(Words.CREDENTIALS)
    return server.service_account if kind == WINDOWS else ("", "")


def refuse_clear(server: AsynchronousServer, workload: Workload, *, secure: bool) -> None:
    """Fails where a channel has no TLS, and the organization wants it."""
    if not secure and not server.allows_clear:
        raise Failure(Words.SECURE_CONNECTION, details="AllowNonSSLEmail is false.")
