"""Autodiscover towards a server that stays."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.autodiscover_on_premises import RULE
from tests.cases import Known, exchange_case, online_case, result_of

UNSERVED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}


def test_it_is_advice_against_autodiscover_under_an_exchange_server_profile() -> None:
    """Microsoft's page recommends to name the server there."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_AUTODISCOVER: True})) is Result.FAILS
    assert result_of(RULE, exchange_case()) is Result.HOLDS


def test_it_does_not_apply_to_other_profiles_or_mailboxes_that_are_not_served() -> None:
    """The page on Exchange Online recommends Autodiscover."""
    assert result_of(RULE, online_case(profile={v.PROFILE_AUTODISCOVER: True})) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(profile={v.PROFILE_AUTODISCOVER: True}, mailbox=UNSERVED)) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_the_profile_was_not_read() -> None:
    """A profile that nothing is known of decides nothing."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_AUTODISCOVER: Why.NOT_DISCLOSED})) is Result.UNKNOWN
