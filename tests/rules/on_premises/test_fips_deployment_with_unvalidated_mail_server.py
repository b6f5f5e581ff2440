"""FIPS mode with a POP3/SMTP server."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.fips_deployment_with_unvalidated_mail_server import RULE
from tests.cases import exchange_case, gmail_case, result_of

FIPS = {v.DEPLOYMENT_FIPS: True}
VALIDATED = {v.PROFILE_FIPS_VALIDATED: "CMVP #4282"}


def test_it_holds_by_the_operators_word() -> None:
    """A server whose validation the operator names satisfies the statement."""
    assert result_of(RULE, gmail_case(deployment=FIPS, profile=VALIDATED)) is Result.HOLDS
    own = {v.SERVER_PRODUCT: "Dovecot", v.PROVIDER: Why.NOT_DISCLOSED}
    assert result_of(RULE, gmail_case(deployment=FIPS, profile=VALIDATED, endpoint=own)) is Result.HOLDS


@pytest.mark.parametrize("domain", ["msn.com", "outlook.com", "live.nl", "windowslive.com", "hotmail.com"])
def test_it_fails_for_the_named_providers_whatever_else_is_known(domain: str) -> None:
    """MSN, Outlook.com and Windows Live Mail are excluded even where a validation is declared."""
    assert result_of(RULE, gmail_case(deployment=FIPS, profile=VALIDATED, mailbox={v.MAILBOX_DOMAIN: domain})) is Result.FAILS
    assert result_of(RULE, gmail_case(deployment=FIPS, mailbox={v.MAILBOX_DOMAIN: domain})) is Result.FAILS


@pytest.mark.parametrize(("product", "provider"), [("Outlook.com", Why.NOT_DISCLOSED), ("Exchange Online", "outlook.com")])
def test_it_fails_where_one_of_them_answers(product: str, provider: str | Why) -> None:
    """The named providers are excluded by what answers, too, whatever the address's domain."""
    mailbox = {v.MAILBOX_DOMAIN: "contoso.test", v.PROVIDER: provider}
    case = gmail_case(deployment=FIPS, profile=VALIDATED, endpoint={v.SERVER_PRODUCT: product}, mailbox=mailbox)
    assert result_of(RULE, case) is Result.FAILS


REASON = "the server takes none of the cipher suites"


def test_it_fails_where_the_two_ends_cannot_work_together() -> None:
    """A server with which the deployment's Windows gets no TLS session in FIPS mode is unsupported, declared validated or not, and why is cited."""
    cannot = {v.FIPS_REASONS: (REASON,)}
    assert result_of(RULE, gmail_case(deployment=FIPS, profile=VALIDATED, endpoint=cannot)) is Result.FAILS
    assert result_of(RULE, gmail_case(deployment=FIPS, endpoint=cannot)) is Result.FAILS
    case = gmail_case(deployment=FIPS, endpoint=cannot)
    assert (REASON,) in [getattr(reading, "value", None) for reading in RULE.holds(case).because]


def test_it_is_unknown_where_that_is_not_known() -> None:
    """A validation is declared, but whether the two ends can work together did not show."""
    unseen = {v.FIPS_REASONS: Why.THROTTLED}
    assert result_of(RULE, gmail_case(deployment=FIPS, profile=VALIDATED, endpoint=unseen)) is Result.UNKNOWN


def test_it_is_unknown_without_the_operators_word() -> None:
    """Nothing that a connection shows proves a validated module."""
    assert result_of(RULE, gmail_case(deployment=FIPS)) is Result.UNKNOWN


def test_it_is_unknown_where_nothing_shows_who_answers() -> None:
    """A validation is declared, but one of the named providers may be what answers."""
    unseen = {v.SERVER_PRODUCT: Why.TIMED_OUT, v.PROVIDER: Why.TIMED_OUT}
    case = gmail_case(
        deployment=FIPS, profile=VALIDATED, endpoint=unseen, mailbox={v.MAILBOX_DOMAIN: "contoso.test", v.PROVIDER: Why.TIMED_OUT}
    )
    assert result_of(RULE, case) is Result.UNKNOWN


def test_it_does_not_apply_outside_fips_mode_or_to_ews() -> None:
    """The statement is about POP3/SMTP servers of a deployment in FIPS mode."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(deployment=FIPS)) is Result.NOT_APPLICABLE


def test_it_tells_that_fips_140_2_certificates_are_historical() -> None:
    """The remedy says when FIPS 140-2 certificates moved to the historical list."""
    assert "historical list on 2026-09-21/22" in RULE.remedy


def test_each_server_needs_its_own_certificate() -> None:
    """Where the outgoing server is not known to be validated, it is unknown, whatever is known of the incoming one."""
    word = {v.PROFILE_FIPS_VALIDATED: "CMVP #4985"}
    fips = {v.DEPLOYMENT_FIPS: True}
    assert result_of(RULE, gmail_case(deployment=fips, profile=word)) is Result.HOLDS
    unknown = {**word, v.PROFILE_OUTGOING_FIPS_VALIDATED: Why.NOT_ATTEMPTED}
    assert result_of(RULE, gmail_case(deployment=fips, profile=unknown)) is Result.UNKNOWN
