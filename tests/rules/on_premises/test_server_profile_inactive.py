"""An inactive email server profile."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.server_profile_inactive import RULE
from tests.cases import Known, exchange_case, result_of

UNSERVED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}


def test_it_holds_where_it_is_active() -> None:
    """An active profile is asked for."""
    assert result_of(RULE, exchange_case(profile={v.DYNAMICS_ACTIVE: True})) is Result.HOLDS


def test_it_fails_where_it_is_inactive() -> None:
    """A profile that is deactivated serves nobody."""
    assert result_of(RULE, exchange_case(profile={v.DYNAMICS_ACTIVE: False})) is Result.FAILS


def test_it_does_not_apply_where_dynamics_was_not_read_or_nothing_is_served() -> None:
    """Without Dynamics' records there is nothing to say, and of a mailbox that is not served neither."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    unserved = exchange_case(profile={v.DYNAMICS_ACTIVE: False}, mailbox=UNSERVED)
    assert result_of(RULE, unserved) is Result.NOT_APPLICABLE


def test_it_is_unknown_where_dynamics_does_not_disclose_it() -> None:
    """What was asked, and not told, decides nothing."""
    assert result_of(RULE, exchange_case(profile={v.DYNAMICS_ACTIVE: Why.NOT_DISCLOSED})) is Result.UNKNOWN
