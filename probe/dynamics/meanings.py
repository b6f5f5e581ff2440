"""What numbers of Dynamics' option sets mean in the words of an estate.

They mean the same in every version ("Email server profile" and "Mailbox" of the entity reference, read 2026-11), while their labels differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from probe.dynamics.options import Option
from probe.model.estate import Authentication, Credentials, Delivery, ServerType

T = TypeVar("T")

SERVER_TYPES: Mapping[int, ServerType] = {
    0: ServerType.EXCHANGE_SERVER,
    1: ServerType.POP3_SMTP,
    2: ServerType.EXCHANGE_SERVER_HYBRID,
    3: ServerType.EXCHANGE_ONLINE,
    4: ServerType.IMAP_SMTP,
}
AUTHENTICATION: Mapping[int, Authentication] = {
    0: Authentication.AUTO,
    1: Authentication.NEGOTIATE,
    2: Authentication.NTLM,
    3: Authentication.BASIC,
    4: Authentication.OAUTH,
}
CREDENTIALS: Mapping[int, Credentials] = {
    0: Credentials.MAILBOX,
    1: Credentials.PROFILE,
    2: Credentials.SERVER_TO_SERVER,
    3: Credentials.WINDOWS_INTEGRATED,
    4: Credentials.ANONYMOUS,
}
MAIL_DELIVERY: Mapping[int, Delivery] = {0: Delivery.NONE, 1: Delivery.OUTLOOK, 2: Delivery.SERVER_SIDE, 3: Delivery.FORWARD}
APPOINTMENTS_DELIVERY: Mapping[int, Delivery] = {0: Delivery.OUTLOOK, 1: Delivery.SERVER_SIDE, 2: Delivery.NONE}
"""Numbered otherwise than mail."""


def meaning(table: Mapping[int, T], option: Option | None) -> T | None:
    """What an option of a record means; None where there is none, or its number is not known here."""
    return None if option is None else table.get(option.value)
