"""Row 2 of the table, for appointments, contacts and tasks."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.appointments_over_pop3_smtp import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_where_only_mail_is_synchronized() -> None:
    """A POP3/SMTP mailbox whose appointments are not synchronized keeps to the row."""
    assert result_of(RULE, gmail_case()) is Result.HOLDS


@pytest.mark.parametrize("service", ["pop3", "imap"])
def test_it_fails_where_appointments_are_asked_for(service: str) -> None:
    """Appointments through POP3 or IMAP are not supported."""
    case = gmail_case(mailbox={v.MAILBOX_APPOINTMENTS: "server-side"}, incoming={v.ENDPOINT_SERVICE: service})
    assert result_of(RULE, case) is Result.FAILS


def test_it_does_not_apply_to_ews() -> None:
    """Through EWS appointments may be synchronized."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
