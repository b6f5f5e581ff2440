"""No way to sign in that both ends have."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Result
from probe.rules.on_premises.no_mechanism_in_common import RULE
from tests.cases import exchange_case, gmail_case, result_of


def ews(credentials: str, authentication: str, *schemes: str, status: int | Why = 401, modern: bool | Why = False) -> Case:
    """A mailbox on Exchange whose profile is set so, at an endpoint that offers those schemes."""
    return exchange_case(
        profile={v.PROFILE_CREDENTIALS: credentials, v.PROFILE_AUTHENTICATION: authentication},
        endpoint={v.AUTH_SCHEMES: schemes, v.HTTP_STATUS: status, v.MODERN_AUTH_OFFERED: modern},
    )


def mail(credentials: str, authentication: str, *mechanisms: str) -> Case:
    """A POP3/SMTP mailbox whose profile is set so, at endpoints that offer those mechanisms."""
    return gmail_case(
        profile={v.PROFILE_CREDENTIALS: credentials, v.PROFILE_AUTHENTICATION: authentication}, endpoint={v.AUTH_MECHANISMS: mechanisms}
    )


@pytest.mark.parametrize(
    ("authentication", "scheme"),
    [("auto", "Basic"), ("auto", "ntlm"), ("auto", "Negotiate"), ("negotiate", "Negotiate"), ("ntlm", "NTLM"), ("basic", "Basic")],
)
def test_it_holds_where_ews_offers_what_the_profile_is_set_to(authentication: str, scheme: str) -> None:
    """A scheme of the setting, in whatever case, is enough."""
    assert result_of(RULE, ews("profile", authentication, scheme)) is Result.HOLDS


@pytest.mark.parametrize(("authentication", "scheme"), [("auto", "Bearer"), ("basic", "NTLM"), ("ntlm", "Basic"), ("negotiate", "Basic")])
def test_it_fails_where_ews_offers_other_schemes(authentication: str, scheme: str) -> None:
    """A 401 that lists other schemes alone is not ready."""
    assert result_of(RULE, ews("profile", authentication, scheme)) is Result.FAILS


@pytest.mark.parametrize("status", [403, 503, Why.TIMED_OUT])
def test_an_answer_other_than_401_is_no_list_of_schemes(status: int | Why) -> None:
    """A server that is busy or forbids says nothing of its schemes."""
    assert result_of(RULE, ews("profile", "ntlm", status=status)) is Result.UNKNOWN


@pytest.mark.parametrize(("credentials", "authentication"), [("server-to-server", "auto"), ("mailbox", "oauth")])
def test_tokens_are_taken_where_bearer_or_modern_authentication_shows(credentials: str, authentication: str) -> None:
    """Token sign-in holds by either sign of it, fails where both are denied, and is open where one is not known."""
    assert result_of(RULE, ews(credentials, authentication, "Bearer", modern=Why.NOT_DISCLOSED)) is Result.HOLDS
    assert result_of(RULE, ews(credentials, authentication, "NTLM", modern=True)) is Result.HOLDS
    assert result_of(RULE, ews(credentials, authentication, "NTLM", modern=False)) is Result.FAILS
    assert result_of(RULE, ews(credentials, authentication, "NTLM", modern=Why.NOT_DISCLOSED)) is Result.UNKNOWN


def test_the_windows_account_needs_negotiate_or_ntlm() -> None:
    """Integrated sign-in goes by Negotiate or NTLM, whatever the authentication is set to."""
    assert result_of(RULE, ews("windows-integrated", "basic", "Negotiate")) is Result.HOLDS
    assert result_of(RULE, ews("windows-integrated", "basic", "Basic")) is Result.FAILS


@pytest.mark.parametrize(
    ("authentication", "mechanism"), [("auto", "PLAIN"), ("auto", "USER"), ("basic", "login"), ("ntlm", "NTLM"), ("oauth", "XOAUTH2")]
)
def test_it_holds_where_the_mail_server_offers_what_the_profile_is_set_to(authentication: str, mechanism: str) -> None:
    """A mechanism of the setting is enough."""
    assert result_of(RULE, mail("mailbox", authentication, mechanism)) is Result.HOLDS


@pytest.mark.parametrize(
    ("authentication", "mechanisms"), [("auto", ("XOAUTH2",)), ("auto", ()), ("basic", ("CRAM-MD5",)), ("oauth", ("PLAIN",))]
)
def test_it_fails_where_the_mail_server_offers_other_mechanisms(authentication: str, mechanisms: tuple[str, ...]) -> None:
    """Tokens alone for a password, nothing at all, or another mechanism is not ready."""
    assert result_of(RULE, mail("mailbox", authentication, *mechanisms)) is Result.FAILS


def test_it_is_unknown_whether_auto_can_do_what_else_is_offered() -> None:
    """Which further mechanisms Dynamics can do is not documented, so they leave `auto` open."""
    assert result_of(RULE, mail("mailbox", "auto", "CRAM-MD5")) is Result.UNKNOWN


def test_it_is_unknown_where_mechanisms_are_not_listed() -> None:
    """A server that lists no mechanisms decides nothing."""
    assert result_of(RULE, gmail_case(endpoint={v.AUTH_MECHANISMS: Why.NOT_DISCLOSED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_profile_without_credentials() -> None:
    """A profile without credentials is another rule's matter."""
    assert result_of(RULE, mail("anonymous", "auto", "PLAIN")) is Result.NOT_APPLICABLE


def test_what_is_set_for_sending_counts_at_the_outgoing_endpoint() -> None:
    """NTLM to send, at a server that has passwords in clear alone, fails there; what is set for collecting does not."""
    assert result_of(RULE, gmail_case(profile={v.PROFILE_OUTGOING_AUTHENTICATION: "ntlm"})) is Result.FAILS
    assert result_of(RULE, gmail_case(profile={v.PROFILE_OUTGOING_AUTHENTICATION: "basic"})) is Result.HOLDS
