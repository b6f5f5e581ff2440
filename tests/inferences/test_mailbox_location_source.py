"""Who tells where a mailbox lives."""

from __future__ import annotations

import pytest

from probe.inferences.mailbox_location_source import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, case, disputed, settled

EWS: Known = {v.ENDPOINT_SERVICE: "ews"}
POP3: Known = {v.ENDPOINT_SERVICE: "pop3"}


@pytest.mark.parametrize(
    ("mailbox", "incoming", "outgoing", "source"),
    [
        ({}, EWS, EWS, "nobody"),
        ({v.MAILBOX_LOCATION: "on-premises"}, EWS, EWS, "said"),
        ({v.MAILBOX_LOCATION: disputed("on-premises", "exchange-online")}, EWS, EWS, "said"),
        ({v.MAILBOX_LOCATION: "exchange-online"}, {**EWS, v.EWS_INBOX: "found"}, EWS, "opened"),
        ({}, {**EWS, v.EWS_INBOX: "found"}, EWS, "opened"),
        ({}, EWS, {**EWS, v.EWS_INBOX: "found"}, "opened"),
        ({}, {**EWS, v.EWS_INBOX: "ErrorNonExistentMailbox"}, EWS, "nobody"),
        ({}, {**EWS, v.AUTH_ACCEPTED: True}, EWS, "nobody"),
        ({}, {**POP3, v.AUTH_ACCEPTED: True}, {}, "opened"),
        ({}, POP3, {v.ENDPOINT_SERVICE: "smtp", v.AUTH_ACCEPTED: True}, "nobody"),
        ({}, {}, {}, None),
    ],
)
def test_it_is_opened_or_said_or_nobody_tells(mailbox: Known, incoming: Known, outgoing: Known, source: str | None) -> None:
    """An inbox that a sign-in opened tells, else who says so, even where two contradict each other; that an account was let in does not."""
    assert settled(INFERENCE, v.MAILBOX_LOCATION_SOURCE, mailbox, case(mailbox, incoming, outgoing)) == source
