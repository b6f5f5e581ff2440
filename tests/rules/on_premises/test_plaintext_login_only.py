"""Unencrypted logins only."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.plaintext_login_only import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of

UPGRADED: Known = {v.TLS_MODE: "starttls", v.AUTH_MECHANISMS_PLAIN: ()}


def test_it_holds_where_mechanisms_are_offered_under_tls() -> None:
    """Mechanisms under TLS are in order, with or without others before it."""
    assert result_of(RULE, gmail_case()) is Result.HOLDS
    assert result_of(RULE, gmail_case(endpoint=UPGRADED)) is Result.HOLDS
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.AUTH_MECHANISMS_PLAIN: ("PLAIN",)})) is Result.HOLDS


def test_it_fails_where_mechanisms_go_away_under_tls() -> None:
    """Mechanisms that are offered before TLS alone are not ready."""
    withdrawn: Known = {v.AUTH_MECHANISMS: (), v.AUTH_MECHANISMS_PLAIN: ("PLAIN",), v.TLS_MODE: "starttls"}
    assert result_of(RULE, gmail_case(outgoing=withdrawn)) is Result.FAILS


def test_it_fails_where_passwords_are_shown_and_there_is_no_tls() -> None:
    """A server without TLS that takes passwords in clear alone is not ready."""
    bare: Known = {v.AUTH_MECHANISMS: Why.NOT_APPLICABLE, v.AUTH_MECHANISMS_PLAIN: ("PLAIN", "LOGIN"), v.TLS_MODE: "none"}
    assert result_of(RULE, gmail_case(incoming=bare)) is Result.FAILS


def test_it_is_unknown_where_mechanisms_are_not_listed() -> None:
    """A server that lists no mechanisms decides nothing."""
    unlisted = {v.AUTH_MECHANISMS: Why.NOT_DISCLOSED, v.AUTH_MECHANISMS_PLAIN: Why.NOT_DISCLOSED}
    assert result_of(RULE, gmail_case(endpoint=unlisted)) is Result.UNKNOWN


def test_it_does_not_apply_to_ews() -> None:
    """EWS is spoken under TLS alone."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
