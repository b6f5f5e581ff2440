"""An Exchange Online profile for a mailbox that points elsewhere."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.exchange_online_profile_with_external_mailbox import RULE
from tests.cases import gmail_case, online_case, result_of


@pytest.mark.parametrize("location", ["exchange-online", "on-premises"])
def test_it_holds_for_mailboxes_of_exchange(location: str) -> None:
    """A mailbox on an Exchange is not what the statement excludes."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: location})) is Result.HOLDS


def test_it_fails_for_a_mailbox_elsewhere_and_names_the_pop3_smtp_profile() -> None:
    """A mailbox that points to an external server needs the POP3/SMTP Server profile."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: "elsewhere"})) is Result.FAILS
    assert "POP3/SMTP Server profile" in RULE.remedy


def test_it_is_unknown_where_the_location_is() -> None:
    """A mailbox that may live anywhere leaves it open."""
    assert result_of(RULE, online_case(mailbox={v.MAILBOX_LOCATION: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_it_does_not_apply_to_other_profiles() -> None:
    """A POP3/SMTP profile serves mailboxes elsewhere."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
