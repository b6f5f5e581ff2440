"""One profile for both kinds of mailboxes."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.one_profile_for_online_and_on_premises_mailboxes import RULE
from tests.cases import exchange_case, result_of


@pytest.mark.parametrize("locations", [("on-premises",), ("exchange-online",), (), ("elsewhere", "on-premises")])
def test_it_holds_where_the_mailboxes_live_in_one_kind_of_place(locations: tuple[str, ...]) -> None:
    """A profile whose mailboxes do not mix online and on-premises follows the advice."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_LOCATIONS: locations})) is Result.HOLDS


def test_it_fails_where_both_kinds_share_a_profile() -> None:
    """Online and on-premises mailboxes under one profile go against the advice."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_LOCATIONS: ("exchange-online", "on-premises")})) is Result.FAILS


def test_it_is_unknown_where_a_location_is() -> None:
    """Where some mailbox may live anywhere, nothing is said."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_LOCATIONS: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE


def test_it_is_advice() -> None:
    """The page says that one can have two profiles, so one profile is not called unsupported."""
    assert RULE.otherwise is Otherwise.ADVICE
