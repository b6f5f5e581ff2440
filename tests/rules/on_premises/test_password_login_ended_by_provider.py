"""A password where the provider takes none."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.password_login_ended_by_provider import RULE
from tests.cases import Known, gmail_case, result_of


def test_it_holds_where_a_password_can_work() -> None:
    """A provider that takes passwords, be they app passwords, is in order."""
    assert result_of(RULE, gmail_case()) is Result.HOLDS


@pytest.mark.parametrize("product", ["Outlook.com", "Exchange Online", "Gmail", "Exchange"])
def test_it_fails_where_the_provider_has_ended_them(product: str) -> None:
    """A provider that takes no password any more is not ready for a profile that signs in with one."""
    assert result_of(RULE, gmail_case(incoming={v.SERVER_PRODUCT: product, v.PASSWORD_LOGIN_POSSIBLE: False})) is Result.FAILS


@pytest.mark.parametrize("possible", [False, Why.NOT_DISCLOSED])
def test_it_holds_for_servers_of_ones_own(possible: bool | Why) -> None:
    """What a server of one's own offers is another rule's matter."""
    assert result_of(RULE, gmail_case(endpoint={v.SERVER_PRODUCT: "Dovecot", v.PASSWORD_LOGIN_POSSIBLE: possible})) is Result.HOLDS


def test_it_is_unknown_where_it_cannot_be_told() -> None:
    """A hosted service of which it is not known whether it takes passwords leaves it open."""
    assert result_of(RULE, gmail_case(endpoint={v.PASSWORD_LOGIN_POSSIBLE: Why.NOT_DISCLOSED})) is Result.UNKNOWN


CONSUMER: Known = {v.MAILBOX_DOMAIN: "outlook.com"}
SHARED: Known = {v.SERVER_PRODUCT: "Exchange Online", v.PASSWORD_LOGIN_POSSIBLE: Why.NOT_DISCLOSED}
"""A server of Microsoft's at which it depends on the mailbox."""


@pytest.mark.parametrize(("on", "result"), [(date(2024, 9, 15), Result.HOLDS), (date(2024, 9, 16), Result.FAILS)])
def test_at_a_server_of_tenants_and_consumers_the_mailbox_decides(on: date, result: Result) -> None:
    """What the server leaves open the day does, for a mailbox of Outlook.com; for one of a domain of somebody's own it stays open."""
    assert result_of(RULE, gmail_case(mailbox=CONSUMER, endpoint=SHARED, on=on)) is result
    assert result_of(RULE, gmail_case(mailbox={v.MAILBOX_DOMAIN: "contoso.test"}, endpoint=SHARED, on=on)) is Result.UNKNOWN


def test_a_password_that_works_leaves_nothing_open() -> None:
    """At a server of which it is not known what it is, for an address of somebody's own domain."""
    unknown: Known = {v.SERVER_PRODUCT: Why.NOT_DISCLOSED, v.PASSWORD_LOGIN_POSSIBLE: True}
    assert (
        result_of(RULE, gmail_case(mailbox={v.MAILBOX_DOMAIN: "contoso.test", v.PROVIDER: Why.NOT_DISCLOSED}, endpoint=unknown))
        is Result.HOLDS
    )


def test_a_consumers_address_at_a_server_of_ones_own_is_not_meant() -> None:
    """Whoever has such an address may send through another server, which takes what it takes."""
    assert result_of(RULE, gmail_case(mailbox=CONSUMER, endpoint={**SHARED, v.SERVER_PRODUCT: "Postfix"})) is Result.HOLDS


@pytest.mark.parametrize(
    ("credentials", "authentication"), [("server-to-server", "auto"), ("mailbox", "oauth"), ("windows-integrated", "auto")]
)
def test_it_does_not_apply_where_no_password_is_used(credentials: str, authentication: str) -> None:
    """Tokens and the Windows account are not meant."""
    profile = {v.PROFILE_CREDENTIALS: credentials, v.PROFILE_AUTHENTICATION: authentication}
    assert result_of(RULE, gmail_case(profile=profile, endpoint={v.PASSWORD_LOGIN_POSSIBLE: False})) is Result.NOT_APPLICABLE
