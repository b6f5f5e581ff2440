"""Rows of Dynamics as the estate of `tests/estates.py` has them, for tests to change one thing of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from probe.dynamics import EmailServerProfile, MailboxRow, Option
from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, AUTHENTICATION, CREDENTIALS, MAIL_DELIVERY, SERVER_TYPES
from probe.gate import Rows
from probe.model.estate import Authentication, Credentials, Estate, Mailbox, Security, ServerProfile, Service
from tests.estates import CORP, DEPLOYMENT, SERVED

EXCHANGE = replace(
    CORP, authentication=Authentication.NTLM, credentials=Credentials.PROFILE, impersonation=True, username="svc@contoso.test"
)
PROFILE_ID = "00000000-0000-0000-0000-000000000900"
MAILBOX_ID = "00000000-0000-0000-0000-000000000001"


def an_estate_of(profile: ServerProfile = EXCHANGE, mailbox: Mailbox = SERVED) -> Estate:
    """One profile with one mailbox."""
    return Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(replace(mailbox, profile=profile.name),))


def option(words: Mapping[int, str], word: str) -> Option:
    """The number that a word of the estate has in Dynamics."""
    return Option(next(number for number, one in words.items() if one == word), None)


def rows_of(profile: ServerProfile = EXCHANGE, mailbox: Mailbox = SERVED, **changed: Any) -> Rows:
    """The rows that say what the estate says, but for what is changed: by the field of the mailbox's row, or of the profile's after `profile_`."""
    incoming, outgoing = profile.endpoints_of(mailbox)
    is_ews = incoming.service is Service.EWS
    of_profile: dict[str, Any] = {"id": PROFILE_ID, "name": profile.name, "state": 0, "uses_autodiscover": profile.autodiscover}
    of_profile["server_type"] = option(SERVER_TYPES, profile.server_type)
    of_profile["uses_incoming_for_outgoing"] = False
    for side, endpoint in (("incoming", incoming), ("outgoing", outgoing)):
        of_profile |= {
            f"{side}_location": endpoint.url if is_ews else endpoint.host,
            f"{side}_port": None if is_ews else endpoint.port,
            f"{side}_uses_ssl": endpoint.security is Security.IMPLICIT,
            f"{side}_authentication": option(AUTHENTICATION, profile.authentication),
            f"{side}_credentials": option(CREDENTIALS, profile.credentials),
            f"{side}_uses_impersonation": profile.impersonation,
            f"{side}_username": profile.username,
        }
    of_mailbox: dict[str, Any] = {
        "id": MAILBOX_ID,
        "address": mailbox.address,
        "state": 0,
        "profile": PROFILE_ID,
        "incoming_delivery": option(MAIL_DELIVERY, mailbox.incoming),
        "outgoing_delivery": option(MAIL_DELIVERY, mailbox.outgoing),
        "appointments_delivery": option(APPOINTMENTS_DELIVERY, mailbox.appointments),
        "approval": Option(1, "Approved"),
        "username": mailbox.username,
    }
    of_profile |= {name.removeprefix("profile_"): value for name, value in changed.items() if name.startswith("profile_")}
    of_mailbox |= {name: value for name, value in changed.items() if not name.startswith("profile_")}
    return Rows(MailboxRow(**of_mailbox), EmailServerProfile(**of_profile))
