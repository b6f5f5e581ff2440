"""Exchange Online while tenants are being shut for EWS."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model import vocabulary as v
from probe.model.keys import FactKey
from probe.model.rules import Result
from probe.rules.on_premises.exchange_online_tenants_being_shut import RULE
from tests.cases import Known, exchange_case, gmail_case, online_case, result_of


@pytest.mark.parametrize(
    ("on", "result"),
    [
        (date(2026, 9, 30), Result.NOT_APPLICABLE),
        (date(2026, 10, 1), Result.UNKNOWN),
        (date(2027, 3, 31), Result.UNKNOWN),
        (date(2027, 4, 1), Result.NOT_APPLICABLE),
    ],
)
def test_it_is_unknown_from_the_first_day_to_the_last(on: date, result: Result) -> None:
    """From 2026-10-01 nothing that shows settles whether Dynamics is let in; from 2027-04-01 another rule says that nobody is."""
    assert result_of(RULE, online_case(on=on)) is result


@pytest.mark.parametrize("unused", [v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING, v.MAILBOX_APPOINTMENTS], ids=lambda key: key.name)
def test_it_is_unknown_for_each_use(unused: FactKey[str]) -> None:
    """As long as anything is collected or sent there."""
    assert result_of(RULE, online_case(mailbox={unused: "none"})) is Result.UNKNOWN


def test_a_sign_in_by_an_application_of_ones_own_does_not_settle_it() -> None:
    """It shows that the tenant is open, not that Dynamics' application is let in."""
    opened: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: (), v.EWS_INBOX: "found"}
    case = online_case(deployment={v.DEPLOYMENT_ALLOWS: ("logs-in",)}, profile={v.PROFILE_APPLICATION: True}, endpoint=opened)
    assert result_of(RULE, case) is Result.UNKNOWN


def test_it_cites_that_it_is_exchange_online() -> None:
    """The product is why it is not known."""
    finding = RULE.holds(online_case())
    assert [getattr(reading, "value", None) for reading in finding.because] == ["Exchange Online"]


def test_it_does_not_apply_to_servers_of_ones_own_or_to_mail_protocols() -> None:
    """EWS of an Exchange Server goes on, as do POP3 and SMTP; an Exchange that hides and offers NTLM is such a server."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(endpoint={v.SERVER_PRODUCT: "Exchange Online"})) is Result.NOT_APPLICABLE
    hidden: Known = {v.SERVER_PRODUCT: "Exchange"}
    assert result_of(RULE, exchange_case(endpoint=hidden)) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(endpoint={**hidden, v.AUTH_SCHEMES: ("Basic",)})) is Result.UNKNOWN


def test_it_says_what_settles_it() -> None:
    """The remedy names the command and the step that settle it."""
    assert "`Get-OrganizationConfig | fl EwsEnabled,EwsAllowedAppIDs`" in RULE.remedy
    assert "Test & Enable Mailbox" in RULE.remedy
