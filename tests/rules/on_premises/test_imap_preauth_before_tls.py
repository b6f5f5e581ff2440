"""IMAP servers that take everybody for signed in."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.imap_preauth_before_tls import RULE
from tests.cases import exchange_case, gmail_case, result_of

UPGRADED = {v.ENDPOINT_SECURITY: "starttls", v.ENDPOINT_SERVICE: "imap"}


def test_it_holds_where_there_is_nothing_to_find() -> None:
    """A server that greets with OK is in order."""
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.IMAP_PREAUTH: False})) is Result.HOLDS


def test_it_fails_where_one_endpoint_shows_it() -> None:
    """Greeted as signed in, nobody comes to TLS."""
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.IMAP_PREAUTH: False}, incoming={v.IMAP_PREAUTH: True})) is Result.FAILS


def test_it_is_unknown_where_it_was_not_seen() -> None:
    """What was not tried is no good news."""
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.IMAP_PREAUTH: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_where_tls_comes_first() -> None:
    """Without an upgrade there is nothing to go wrong with it."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
