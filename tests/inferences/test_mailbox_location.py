"""Where a mailbox lives, by what Autodiscover says."""

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


ONLINE: Known = {v.AUTODISCOVER_URL: "https://outlook.office365.com/EWS/Exchange.asmx", v.AUTODISCOVER_REDIRECTS: False}
UNUSED, USED = "none", "server-side"


@pytest.mark.parametrize(
    ("incoming", "appointments", "location"),
    [(USED, UNUSED, "exchange-online"), (UNUSED, USED, "exchange-online"), (UNUSED, UNUSED, None)],
)
def test_the_server_that_was_asked_must_be_an_exchange(incoming: str, appointments: str, location: Any) -> None:
    """A mailbox that is collected, be it for its appointments alone, is asked about where it is collected; one that only sends, where it sends."""
    ways = {**ONLINE, v.MAILBOX_INCOMING: incoming, v.MAILBOX_APPOINTMENTS: appointments}
    at_incoming = case(ways, _ews(None, "Exchange Server 2016"), _ews(None))
    assert settled(INFERENCE, v.MAILBOX_LOCATION, ways, at_incoming) == location
    at_outgoing = case(ways, _ews(None), _ews(None, "Exchange Server 2016"))
    assert settled(INFERENCE, v.MAILBOX_LOCATION, ways, at_outgoing) == ("exchange-online" if location is None else None)


def test_it_is_not_asked_about_mail_that_no_ews_serves() -> None:
    """Of a POP3 mailbox Autodiscover says nothing."""
    pop3: Known = {v.ENDPOINT_SERVICE: "pop3", v.SERVER_PRODUCT: "Exchange Server 2016"}
    assert settled(INFERENCE, v.MAILBOX_LOCATION, ONLINE, case(ONLINE, pop3, {})) is None
