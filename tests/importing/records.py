"""Records by hand, and the estate that is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from probe.dynamics import EmailServerProfile, MailboxRow, Option, Organization
from probe.importing import ImportedRecords, MailboxSummary, WrittenAccess, choose, drafted, estate_text
from probe.importing.choosing import kept_of
from probe.importing.tables import EstateDraft, EstateLine
from tests.importing.world import ANSWERS

ROW = kept_of(
    MailboxRow(
        id="00000000-0000-0000-0000-000000000005",
        name="Sales",
        address="sales@contoso.test",
        state=0,
        profile="00000000-0000-0000-0000-000000000900",
        incoming_delivery=Option(2, "SSS"),
        outgoing_delivery=Option(0, "None"),
        appointments_delivery=Option(2, "None"),
        approval=Option(1, "Approved"),
    )
)


def numbered(number: int, row: MailboxSummary = ROW) -> MailboxSummary:
    """A row with an id of its own."""
    return replace(row, id=f"00000000-0000-0000-0000-{number:012}")


URL = "https://crm.contoso.test/Contoso"
ORGANIZATION = Organization(
    id="5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", name="Contoso", version="9.1.18.22", api="v9.1", user="5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a12"
)
CORP = EmailServerProfile(
    id="00000000-0000-0000-0000-000000000900",
    name="corp",
    state=0,
    server_type=Option(0, "Exchange Server"),
    uses_autodiscover=False,
    uses_incoming_for_outgoing=True,
    incoming_location="https://mail.contoso.test/EWS/Exchange.asmx",
    incoming_authentication=Option(2, "NTLM"),
    incoming_credentials=Option(1, "Profile"),
    incoming_uses_impersonation=True,
    incoming_username="svc-crm@contoso.test",
    incoming_password_is_set=True,
)
POP3 = replace(
    CORP,
    server_type=Option(1, "Other"),
    incoming_location="pop.contoso.test",
    incoming_port=995,
    incoming_uses_ssl=True,
    incoming_authentication=Option(3, "Basic"),
    outgoing_location="smtp.contoso.test",
    outgoing_port=587,
    outgoing_uses_ssl=True,
    incoming_credentials=Option(0, "User"),
)


def draft(*profiles: EmailServerProfile, rows: tuple[MailboxSummary, ...] = (ROW,), answers: Any = ANSWERS, **more: Any) -> EstateDraft:
    """The estate of these records."""
    records = ImportedRecords(organization=replace(ORGANIZATION, **more), profiles=profiles, mailboxes=rows)
    written = WrittenAccess(lines=(EstateLine("url", URL),))
    return drafted(records, choose(rows, everything=True), written, answers, everything=False)


def text_of(made: EstateDraft, *trusted: str) -> str:
    """As it is written."""
    return estate_text(made, frozenset(trusted), URL)
