"""A delivery method without means."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.delivery_method_the_profile_cannot_serve import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of


def test_it_holds_for_what_the_profiles_can_serve() -> None:
    """Everything through EWS with impersonation, and mail through POP3 and SMTP, can be served."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case()) is Result.HOLDS


def test_it_fails_for_appointments_over_pop3() -> None:
    """Appointments need EWS."""
    assert result_of(RULE, gmail_case(mailbox={v.MAILBOX_APPOINTMENTS: "server-side"})) is Result.FAILS


@pytest.mark.parametrize("credentials", ["profile", "windows-integrated"])
def test_it_fails_for_appointments_by_delegation_with_a_shared_account(credentials: str) -> None:
    """One account for many mailboxes must impersonate to synchronize appointments."""
    shared: Known = {v.PROFILE_CREDENTIALS: credentials, v.PROFILE_IMPERSONATION: False}
    assert result_of(RULE, exchange_case(profile=shared)) is Result.FAILS
    assert result_of(RULE, exchange_case(profile=shared, mailbox={v.MAILBOX_APPOINTMENTS: "none"})) is Result.HOLDS


@pytest.mark.parametrize("credentials", ["mailbox", "server-to-server"])
def test_it_holds_without_impersonation_where_no_account_is_shared(credentials: str) -> None:
    """A mailbox's own credentials, and server-to-server sign-in, need no impersonation."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_CREDENTIALS: credentials, v.PROFILE_IMPERSONATION: False})) is Result.HOLDS


def test_it_fails_for_endpoints_that_face_the_wrong_way() -> None:
    """Mail does not come through SMTP, nor go through POP3."""
    assert result_of(RULE, gmail_case(incoming={v.ENDPOINT_SERVICE: "smtp"})) is Result.FAILS
    assert result_of(RULE, gmail_case(outgoing={v.ENDPOINT_SERVICE: "pop3"})) is Result.FAILS


def test_it_is_unknown_where_the_profile_was_not_read() -> None:
    """A profile whose impersonation is not known leaves shared accounts open."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_IMPERSONATION: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
