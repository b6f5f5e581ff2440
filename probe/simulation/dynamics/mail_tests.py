"""The tests of the asynchronous service for a mailbox: real sign-ins, mail and folders, with the standard library.

It shares no code with the probe, so that a prediction and an outcome are independent. Which errors are transient is known for
network errors and of busy servers; that a certificate or a wrong host name is permanent is *unconfirmed*.
"""

from __future__ import annotations

from typing import Any

from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.candidates import EXCHANGE_ONLINE, MAIL_ONLY, POP3_SMTP, AsynchronousServer, Candidate
from probe.simulation.dynamics.ews_tests import by_ews
from probe.simulation.dynamics.mail_sessions import receive_by_imap, receive_by_pop3, send_by_smtp
from probe.simulation.dynamics.organization import Oddity

_APPROVED = 1


def run(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> dict[str, Any]:
    """Tests one workload and returns the values for the mailbox's record. Raises Failure."""
    _check_records(candidate, workload)
    learnt: dict[str, Any] = {}
    if candidate.of_profile("servertype") in MAIL_ONLY:
        receive = receive_by_pop3 if candidate.of_profile("servertype") == POP3_SMTP else receive_by_imap
        test = receive if workload is Workload.INCOMING else send_by_smtp
        test(candidate, server)
    else:
        learnt = by_ews(candidate, workload, server)
    if workload is Workload.INCOMING and candidate.oddity is Oddity.PLUG_IN_ABORTS:
        code = "Exchange server returned UnknownIncomingEmailIntegrationError -2147220891 exception."
        raise Failure(Words.UNKNOWN, code, "Crm.80040265.ISV code aborted the operation.")
    if workload is Workload.APPOINTMENTS:
        if candidate.oddity is Oddity.OWNER_LACKS_PRIVILEGES:
            code = "Crm.80048306.Not enough privilege to access the Microsoft Dynamics 365 object or perform the requested operation."
            raise Failure(Words.NO_PERMISSIONS, code, "Microsoft.Crm.CrmSecurityException: SecLib::AccessCheckEx failed.")
        learnt |= {"isactsyncorgflagset": True, "orgmarkedasprimaryforexchangesync": True}
    return learnt


def _check_records(candidate: Candidate, workload: Workload) -> None:
    """Raises a Failure for what is wrong before any server is contacted."""
    side = "Outgoing" if workload is Workload.OUTGOING else "Incoming"
    if candidate.profile is None or candidate.of_profile("statecode") != 0:
        raise Failure(Words.NO_PROFILE, f"Invalid{side}EmailServerProfile")
    if candidate.of("emailrouteraccessapproval") != _APPROVED:
        raise Failure(Words.NOT_APPROVED)
    if candidate.of_profile("servertype") == EXCHANGE_ONLINE and not candidate.of("isemailaddressapprovedbyo365admin"):
        raise Failure(Words.NEEDS_ADMINISTRATOR, f"{side}EmailS2SApprovalNeeded")
    if candidate.of_profile("servertype") in MAIL_ONLY and workload is Workload.APPOINTMENTS:
        raise Failure(Words.NOT_SUPPORTED)
    if workload is Workload.APPOINTMENTS and candidate.claimed_elsewhere and not candidate.of("orgmarkedasprimaryforexchangesync"):
        raise Failure(Words.OTHER_ORGANIZATION)
