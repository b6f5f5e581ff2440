"""Exchange one way, POP3 or SMTP the other."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.mixed_transports import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_for_one_kind_both_ways() -> None:
    """Exchange both ways, or POP3 with SMTP, is no mixture."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case()) is Result.HOLDS


@pytest.mark.parametrize(("incoming", "outgoing"), [("ews", "smtp"), ("pop3", "ews"), ("imap", "ews")])
def test_it_fails_for_a_mixture(incoming: str, outgoing: str) -> None:
    """Exchange with SMTP, and POP3 or IMAP with Exchange, are not supported."""
    case = exchange_case(incoming={v.ENDPOINT_SERVICE: incoming}, outgoing={v.ENDPOINT_SERVICE: outgoing})
    assert result_of(RULE, case) is Result.FAILS


def test_it_fails_where_only_appointments_come_through_exchange() -> None:
    """Appointments through Exchange with mail sent through SMTP is a mixture, too."""
    case = exchange_case(mailbox={v.MAILBOX_INCOMING: "forward"}, outgoing={v.ENDPOINT_SERVICE: "smtp"})
    assert result_of(RULE, case) is Result.FAILS


def test_it_does_not_apply_where_one_direction_alone_is_used() -> None:
    """An endpoint that the mailbox does not use mixes with nothing."""
    case = exchange_case(mailbox={v.MAILBOX_OUTGOING: "outlook"}, outgoing={v.ENDPOINT_SERVICE: "smtp"})
    assert result_of(RULE, case) is Result.NOT_APPLICABLE
