"""Where a mailbox lives, by where its inbox was opened."""

from __future__ import annotations

from typing import Any

import pytest

from probe.inferences.mailbox_opened import INFERENCE
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


def test_ews_that_is_sent_through_tells_where_it_opened_the_inbox() -> None:
    """A mailbox that only sends by EWS is opened there too."""
    assert settled(INFERENCE, v.MAILBOX_LOCATION, {}, case({}, _ews(None), _ews("found", "Exchange Server 2019"))) == "on-premises"
    assert settled(INFERENCE, v.MAILBOX_LOCATION, {}, case({}, _ews(None), _ews("ErrorAccessDenied", "Exchange Server 2019"))) is None


def test_the_vocabulary_knows_the_inference_by_its_name() -> None:
    """What a sign-in opened outranks what is said, by the name of the inference that tells it."""
    assert INFERENCE.id == v.MAILBOX_OPENED
