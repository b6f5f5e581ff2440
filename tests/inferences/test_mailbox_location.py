"""Where a mailbox lives."""

from __future__ import annotations

from typing import Any

import pytest

from probe.inferences.mailbox_location import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, case, settled


def _ews(inbox: str | None, product: str | None = None) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: "ews"}
    if inbox is not None:
        known[v.EWS_INBOX] = inbox
    return known if product is None else {**known, v.SERVER_PRODUCT: product}


def _pop3(accepted: bool | None, product: str | None = None) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: "pop3"}
    if accepted is not None:
        known[v.AUTH_ACCEPTED] = accepted
    return known if product is None else {**known, v.SERVER_PRODUCT: product}


@pytest.mark.parametrize(
    ("incoming", "mailbox", "location"),
    [
        (_ews("found", "Exchange Server 2016"), {}, "on-premises"),
        (_ews("found", "Exchange Online"), {}, "exchange-online"),
        (_ews("found", "Exchange"), {}, None),
        (_ews("found"), {}, None),
        (_ews("found", "Dovecot"), {}, None),
        (_ews("ErrorNonExistentMailbox", "Exchange Server 2016"), {}, None),
        (_ews(None, "Exchange Server 2016"), {}, None),
        (_pop3(True, "Dovecot"), {}, "elsewhere"),
        (_pop3(True, "Gmail"), {}, "elsewhere"),
        (_pop3(True, "Exchange Server 2003"), {}, "on-premises"),
        (_pop3(True, "Exchange"), {}, None),
        (_pop3(True, "Exchange Online"), {v.PROVIDER: "exchange-online"}, "exchange-online"),
        (_pop3(True, "Exchange Online"), {v.PROVIDER: "msn"}, "elsewhere"),
        (_pop3(True, "Exchange Online"), {}, None),
        (_pop3(False, "Dovecot"), {}, None),
        (_pop3(None, "Dovecot"), {}, None),
        ({}, {}, None),
    ],
)
def test_a_mailbox_lives_where_its_inbox_was_opened(incoming: Known, mailbox: Known, location: Any) -> None:
    """Only an inbox that was opened, by a product that is known, tells where the mailbox lives."""
    assert settled(INFERENCE, v.MAILBOX_LOCATION, mailbox, case({}, incoming, {})) == location


def test_the_outgoing_endpoint_tells_nothing() -> None:
    """A login for sending does not tell where mail is kept."""
    assert settled(INFERENCE, v.MAILBOX_LOCATION, {}, case({}, {}, _pop3(True, "Dovecot"))) is None


@pytest.mark.parametrize(
    ("product", "target", "location"),
    [
        ("Exchange Server 2013", "https://outlook.office365.com/EWS/Exchange.asmx", "exchange-online"),
        ("Exchange Server 2013", "https://other.contoso.test/EWS/Exchange.asmx", "on-premises"),
        ("Exchange Online", "https://mail.contoso.test/EWS/Exchange.asmx", "on-premises"),
        ("Exchange Online", "https://outlook.office365.com/EWS/Exchange.asmx", None),
        ("Exchange Server 2013", "http://other.contoso.test/EWS/Exchange.asmx", None),
        ("Exchange Server 2013", "", None),
        (None, "https://outlook.office365.com/EWS/Exchange.asmx", None),
    ],
)
def test_settings_for_who_is_signed_in_name_where_the_mailbox_is(product: str | None, target: str, location: Any) -> None:
    """Where EWS knows no such mailbox, the EWS that Autodiscover names for it is where it lives, unless that is the same service again."""
    incoming = {**_ews("ErrorNonExistentMailbox", product), v.AUTODISCOVER_ACTION: "settings", v.AUTODISCOVER_TARGET: target}
    assert settled(INFERENCE, v.MAILBOX_LOCATION, {}, case({}, incoming, {})) == location
