"""Commands that came before TLS."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.starttls_injection import RULE
from tests.cases import exchange_case, gmail_case, result_of

UPGRADED = {v.ENDPOINT_SECURITY: "starttls"}


def test_it_holds_where_there_is_nothing_to_find() -> None:
    """Commands that are thrown away do no harm."""
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.STARTTLS_TAKES_INJECTED: False})) is Result.HOLDS


def test_it_fails_where_one_endpoint_shows_it() -> None:
    """A command that is obeyed under TLS though it came before it is a weakness."""
    assert (
        result_of(RULE, gmail_case(endpoint={**UPGRADED, v.STARTTLS_TAKES_INJECTED: False}, incoming={v.STARTTLS_TAKES_INJECTED: True}))
        is Result.FAILS
    )


def test_it_is_unknown_where_it_was_not_seen() -> None:
    """What was not tried is no good news."""
    assert result_of(RULE, gmail_case(endpoint={**UPGRADED, v.STARTTLS_TAKES_INJECTED: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_where_tls_comes_first() -> None:
    """Without an upgrade there is nothing to go wrong with it."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
