"""A password that Dynamics does not have."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.password_not_set_in_dynamics import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


@pytest.mark.parametrize(("is_set", "result"), [(True, Result.HOLDS), (False, Result.FAILS), (Why.NOT_DISCLOSED, Result.UNKNOWN)])
def test_the_profiles_password_counts_where_the_profile_signs_in(is_set: object, result: Result) -> None:
    """With the profile's credentials its password must be there; the mailbox's own does not matter."""
    known: Known = {v.DYNAMICS_INCOMING_PASSWORD_SET: is_set, v.DYNAMICS_OUTGOING_PASSWORD_SET: is_set}
    assert result_of(RULE, exchange_case(profile=known, mailbox={v.DYNAMICS_PASSWORD_SET: False})) is result


@pytest.mark.parametrize(("is_set", "result"), [(True, Result.HOLDS), (False, Result.FAILS), (Why.NOT_DISCLOSED, Result.UNKNOWN)])
def test_the_mailboxs_password_counts_where_the_mailbox_signs_in(is_set: object, result: Result) -> None:
    """With the mailbox's credentials its own password must be there; the profile's does not matter."""
    of_profile: Known = {v.DYNAMICS_INCOMING_PASSWORD_SET: False, v.DYNAMICS_OUTGOING_PASSWORD_SET: False}
    assert result_of(RULE, gmail_case(profile=of_profile, mailbox={v.DYNAMICS_PASSWORD_SET: is_set})) is result


def test_each_direction_has_its_own_password() -> None:
    """A password that is missing to send fails in that direction alone."""
    known: Known = {v.DYNAMICS_INCOMING_PASSWORD_SET: True, v.DYNAMICS_OUTGOING_PASSWORD_SET: False}
    found = judge(RULE, exchange_case(profile=known)).directions
    assert found == {Direction.INCOMING: Result.HOLDS, Direction.OUTGOING: Result.FAILS, Direction.APPOINTMENTS: Result.HOLDS}


def test_it_does_not_apply_where_no_password_is_wanted_or_dynamics_was_not_read() -> None:
    """Server to Server and the Windows account need none."""
    missing: Known = {v.DYNAMICS_INCOMING_PASSWORD_SET: False, v.DYNAMICS_OUTGOING_PASSWORD_SET: False}
    assert result_of(RULE, exchange_case(profile={**missing, v.PROFILE_CREDENTIALS: "windows-integrated"})) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
