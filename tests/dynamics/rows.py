"""StateRecords of a small organization, for tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.dynamics import EmailServerProfile, MailboxRow, Option, Organization, PendingMail, TraceLog
from probe.dynamics.state import StateRecords, state_readings
from probe.model.facts import Fact, Reading
from tests.dynamics.peer import guid
from tests.runs import a_mailbox, an_estate

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
ADDRESS = "a@contoso.test"
ORGANIZATION = Organization(id=guid(1), name="Contoso", version="9.1.18.22", api="v9.1", user=guid(2))
SUCCESS, SERVER_SIDE = Option(1, "Success"), Option(2, "Server-Side Synchronization or Email Router")
PROFILE = EmailServerProfile(
    id=guid(900),
    name="corp",
    state=0,
    server_type=Option(0, "Exchange Server"),
    uses_incoming_for_outgoing=True,
    incoming_port=443,
    outgoing_port=443,
    incoming_password_is_set=True,
    outgoing_password_is_set=False,
    processes_mail_since=AT - timedelta(days=900),
)
ROW = MailboxRow(
    id=guid(10),
    name="Sales",
    address=ADDRESS,
    state=0,
    profile=PROFILE.id,
    incoming_delivery=SERVER_SIDE,
    outgoing_delivery=SERVER_SIDE,
    appointments_delivery=Option(1, "Server-Side Synchronization"),
    incoming_status=SUCCESS,
    outgoing_status=Option(2, "Failure"),
    appointments_status=Option(0, "Not Run"),
    incoming_enabled=True,
    outgoing_enabled=False,
    appointments_enabled=True,
    approval=Option(1, "Approved"),
    approved_by_office_365_admin=False,
    is_primary_organization=True,
    may_use_own_credentials=True,
    password_is_set=True,
    ews_url="https://mail.contoso.test/EWS/Exchange.asmx",
    last_error="Http server returned 401 Unauthorized exception.",
    last_error_at=AT - timedelta(hours=2),
    last_success=AT - timedelta(hours=3),
    last_attempt=AT - timedelta(minutes=7),
)
RECORDS = StateRecords(
    organization=ORGANIZATION,
    at=AT,
    profiles=(PROFILE,),
    asked=(ADDRESS,),
    rows={ADDRESS: ROW},
    are_all=True,
    last_attempt=ROW.last_attempt,
    pending=(PendingMail(mailbox=ROW.id, count=12, oldest=AT),),
)


def an_alert(**changes: Any) -> TraceLog:
    """An error about the mailbox that lasts."""
    error = TraceLog(id=guid(50), regarding=ROW.id, level=Option(3, "Error"), status=Option(0, "Failure"), message="Something failed.")
    return replace(error, **changes)


def said(records: StateRecords = RECORDS) -> dict[tuple[str, str], Reading]:
    """What records say of an estate with this mailbox, by subject and name of the key."""
    readings = state_readings(records, an_estate(a_mailbox(ADDRESS, "corp")))
    return {(reading.subject, reading.key.name): reading for reading in readings}


def everything_said() -> list[Fact[Any]]:
    """A fact of each key that records can give a value to."""
    mail = replace(RECORDS, profiles=(replace(PROFILE, server_type=Option(1, "POP3/SMTP")),))
    gone = replace(RECORDS, rows={})
    return [reading for records in (RECORDS, mail, gone) for reading in said(records).values() if isinstance(reading, Fact)]
