"""Credentials that cannot sign in."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.credentials_the_profile_cannot_use import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of


@pytest.mark.parametrize("credentials", ["mailbox", "profile", "server-to-server", "windows-integrated"])
def test_it_holds_for_credentials_that_can_sign_in_to_exchange(credentials: str) -> None:
    """Every credentials setting but anonymous can sign in to Exchange."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_CREDENTIALS: credentials})) is Result.HOLDS


def test_it_fails_for_anonymous() -> None:
    """A profile without credentials signs in nowhere."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_CREDENTIALS: "anonymous"})) is Result.FAILS


def test_it_fails_for_the_windows_account_over_pop3() -> None:
    """The service account's credentials serve SMTP, and not POP3."""
    windows = {v.PROFILE_CREDENTIALS: "windows-integrated"}
    assert result_of(RULE, gmail_case(profile=windows)) is Result.FAILS
    assert result_of(RULE, gmail_case(profile=windows, mailbox={v.MAILBOX_INCOMING: "none"})) is Result.HOLDS


@pytest.mark.parametrize("settings", [{v.PROFILE_CREDENTIALS: "server-to-server"}, {v.PROFILE_AUTHENTICATION: "oauth"}])
def test_it_fails_where_a_pop3_smtp_profile_has_no_such_sign_in(settings: dict[Any, object]) -> None:
    """Server to Server and OAuth serve no POP3/SMTP profile on premises."""
    assert result_of(RULE, gmail_case(profile=settings)) is Result.FAILS
    assert result_of(RULE, exchange_case(profile=settings)) is Result.HOLDS


@pytest.mark.parametrize("authentication", ["auto", "basic", "ntlm", "oauth"])
@pytest.mark.parametrize("credentials", ["mailbox", "profile", "windows-integrated", "anonymous"])
def test_an_exchange_online_profile_has_server_to_server_alone(credentials: str, authentication: str) -> None:
    """Dynamics on premises signs in to Exchange Online as itself, by token too, and not as a user; whatever is used of the mailbox."""
    settings = {v.PROFILE_CREDENTIALS: credentials, v.PROFILE_AUTHENTICATION: authentication}
    assert result_of(RULE, online_case(profile=settings)) is Result.FAILS
    sends_alone = {v.MAILBOX_INCOMING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, online_case(profile=settings, mailbox=sends_alone)) is Result.FAILS
    assert result_of(RULE, online_case(profile={**settings, v.PROFILE_CREDENTIALS: "server-to-server"})) is Result.HOLDS


@pytest.mark.parametrize("server_type", ["exchange-server", "exchange-server-hybrid"])
def test_other_exchange_profiles_sign_in_as_a_user_too(server_type: str) -> None:
    """An Exchange on premises takes a user's credentials."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_SERVER_TYPE: server_type})) is Result.HOLDS


def test_it_is_unknown_where_the_profile_was_not_read() -> None:
    """A profile whose credentials are not known decides nothing."""
    assert result_of(RULE, exchange_case(profile={v.PROFILE_CREDENTIALS: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE


def test_each_endpoint_is_judged_by_its_own_settings() -> None:
    """Anonymous to send fails in that direction alone; the Windows account may send by SMTP where a password collects by POP3."""
    anonymous = judge(RULE, gmail_case(profile={v.PROFILE_OUTGOING_CREDENTIALS: "anonymous"}))
    assert anonymous.result is Result.FAILS
    assert anonymous.directions == {Direction.INCOMING: Result.HOLDS, Direction.OUTGOING: Result.FAILS}
    assert result_of(RULE, gmail_case(profile={v.PROFILE_OUTGOING_CREDENTIALS: "windows-integrated"})) is Result.HOLDS
