"""IMAP/SMTP profiles."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.imap_smtp_profile import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_fails_for_a_profile_of_that_type() -> None:
    """An IMAP/SMTP profile is not plainly listed."""
    assert result_of(RULE, gmail_case(profile={v.PROFILE_SERVER_TYPE: "imap-smtp"})) is Result.FAILS


def test_it_fails_for_an_imap_endpoint() -> None:
    """An IMAP endpoint that is used is not plainly listed, whatever the profile is called."""
    assert result_of(RULE, gmail_case(incoming={v.ENDPOINT_SERVICE: "imap"})) is Result.FAILS


def test_it_does_not_apply_to_other_profiles() -> None:
    """POP3/SMTP and Exchange profiles are not meant."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE


def test_every_page_that_disagrees_is_cited() -> None:
    """The dated copy, the newer copy, the page that denies IMAP and the page that uses it are all cited."""
    assert len(RULE.references) == 4
    assert {r.dated for r in RULE.references} >= {"2020-05-19", "2020-05-18"}
