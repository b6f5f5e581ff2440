"""Tests of remedies in the report: with the estate's own names, for the server that is there, as commands that can be pasted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.estate import Credentials
from probe.model.facts import Reading
from probe.model.rules import Readiness, Result, Support
from tests.reports.rendering import render
from tests.runs import EWS, POP, SMTP, a_fact, a_finding, a_mailbox, a_run, an_assessment, an_estate

ALICE, SALES = "alice@branch.test", "sales@contoso.test"


def report(
    rule: str, *because: Reading, mailboxes: tuple[str, ...] = (SALES,), profile: str = "corp", also: Any = (), **of_profile: Any
) -> str:
    """The report of mailboxes for which one of the product's own rules fails."""
    estate = an_estate(*(a_mailbox(m, profile) for m in mailboxes))
    estate = replace(estate, profiles=tuple(replace(p, **of_profile) if p.name == profile else p for p in estate.profiles))
    findings = [a_finding(app.rules()[rule], Result.FAILS, *because)]
    judged = [an_assessment(m, Support.SUPPORTED, Readiness.NOT_READY, *findings, profile=profile) for m in mailboxes]
    return render(a_run(estate=estate, assessments=judged, readings=(*because, *also)))


def product(name: str, subject: str = EWS) -> Reading:
    return a_fact(v.SERVER_PRODUCT, name, subject)


def test_a_command_has_the_accounts_own_name() -> None:
    """The account that the profile signs in with stands in the command, which has a line of its own however long it is."""
    text = report("impersonation-denied", a_fact(v.EWS_IMPERSONATION, "denied", EWS), also=[product("Exchange Server 2016")])
    command = "New-ManagementRoleAssignment -Name D365-SSS -Role ApplicationImpersonation -User svc-crm@contoso.test"
    assert command in [line.strip() for line in text.splitlines()]
    assert "At Exchange Online" not in text


def test_where_each_mailbox_signs_in_its_own_account_is_named() -> None:
    """With credentials of each mailbox, the account is the mailbox's user name."""
    text = report("login-refused", a_fact(v.AUTH_ACCEPTED, False, mailbox=ALICE), mailboxes=(ALICE,), profile="branch")
    assert "Enter the current password of alice@branch.test" in " ".join(text.split())
    assert "probe forget alice@branch.test" in text


def test_an_account_that_the_estate_does_not_name_stays_in_capitals() -> None:
    """Where Windows' own account signs in, nobody can tell its name here, and the capitals stay."""
    denied = a_fact(v.EWS_IMPERSONATION, "denied", EWS)
    assert "-User ACCOUNT" in report("impersonation-denied", denied, credentials=Credentials.WINDOWS_INTEGRATED, username=None)


def test_both_endpoints_of_a_finding_are_named() -> None:
    """Where both endpoints failed, the command stands for each, with its own port."""
    cut = [a_fact(v.NET_CONNECTED, False, subject) for subject in (POP, SMTP)]
    text = report("endpoint-unreachable", *cut, mailboxes=(ALICE,), profile="branch")
    assert "Test-NetConnection -ComputerName pop.branch.test -Port 995" in text
    assert "Test-NetConnection -ComputerName smtp.branch.test -Port 587" in text


def test_several_mailboxes_of_a_block_are_said_to_be_meant() -> None:
    """A command names the first mailbox of a block, and says that it goes for the others."""
    refused = a_fact(v.EWS_INBOX, "ErrorAccessDenied", EWS)
    text = report("mailbox-access-denied", refused, mailboxes=(SALES, "info@contoso.test"))
    assert f"Add-MailboxPermission -Identity {SALES} -User svc-crm@contoso.test -AccessRights FullAccess" in text
    assert f"What is said of {SALES} applies to the other 1 mailbox of this block too." in " ".join(text.split())


def test_the_certificate_that_is_sent_now_is_named() -> None:
    """An expired certificate is named by its subject and end, in words alone: a peer chose them."""
    end = a_fact(v.CERTIFICATE_NOT_AFTER, datetime(2026, 11, 19, tzinfo=UTC), EWS)
    also = [a_fact(v.CERTIFICATE_SUBJECT, "CN=mail; Remove-Mailbox *", EWS), product("Exchange Server 2016")]
    text = report("certificate-expired", end, also=also)
    assert "(now: CN=mail; Remove-Mailbox *, valid until 2026-11-19)" in " ".join(text.split())
    assert not [line for line in text.splitlines() if line.strip().startswith("Enable-") and "Remove" in line]
    assert "Enable-ExchangeCertificate -Thumbprint THUMBPRINT -Services IIS" in text


@pytest.mark.parametrize(
    ("name", "whose", "said", "unsaid"),
    [
        ("Exchange Online", None, "Server to Server Authentication", "another provider"),
        ("Exchange Online", "outlook.com", "Move the mailbox to another provider", "Server to Server"),
        ("Gmail", None, "myaccount.google.com/apppasswords", "Yahoo and AOL"),
        ("Gmail", "outlook.com", "myaccount.google.com/apppasswords", "another provider"),
        ("Yahoo Mail", None, "Generate app password", "Gmail"),
        ("Courier", None, "The account's own password is never accepted", "At Gmail"),
        (None, None, "At Outlook.com: Move", "no such words"),
    ],
)
def test_a_remedy_speaks_of_the_server_that_is_there(name: str | None, whose: str | None, said: str, unsaid: str) -> None:
    """Of a remedy for several providers one reads the part for this one; Microsoft's servers serve two, and there the mailbox decides."""
    ended = a_fact(v.PASSWORD_LOGIN_POSSIBLE, False)
    also = [product(name, POP)] if name else []
    also += [a_fact(v.PROVIDER, whose, ALICE)] if whose else []
    text = " ".join(report("password-login-ended-by-provider", ended, also=also, mailboxes=(ALICE,), profile="branch").split())
    assert said in text
    assert unsaid not in text


def test_an_ending_is_cited_with_its_day_and_source() -> None:
    """Where a provider ended passwords, the sentence on that one ending stands in the place of the server's words."""
    host = "pop.gmail.com"
    url = f"pop3s://{host}:995"
    facts = [product("Gmail", url), a_fact(v.ENDPOINT_HOST, host, url), a_fact(v.ENDPOINT_SERVICE, "pop3", url)]
    ended = a_fact(v.PASSWORD_LOGIN_POSSIBLE, False, url)
    text = " ".join(report("password-login-ended-by-provider", ended, also=facts).split())
    assert "Google takes no account passwords since 2022-05-30" in text
    assert "Exchange Online" not in text


def test_a_day_to_come_has_the_days_that_are_left() -> None:
    """A date in a remedy that lies ahead of the day of judgement says in how many days it is."""
    text = " ".join(report("exchange-2003-or-2007", product("Exchange Server 2007")).split())
    assert "until 2027-04-01 (in 129 days)" in text
    assert "2025-10-14;" in text


def test_quotes_in_a_name_stay_within_the_word() -> None:
    """An account with an apostrophe is one quoted word of the command."""
    text = report("impersonation-denied", a_fact(v.EWS_IMPERSONATION, "denied", EWS), username="o'brien@contoso.test")
    assert "-User 'o''brien@contoso.test'" in text
