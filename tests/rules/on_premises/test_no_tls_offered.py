"""An endpoint that does not come to TLS."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.no_tls_offered import RULE
from tests.cases import exchange_case, gmail_case, result_of

IN_CLEAR_FIRST = {v.ENDPOINT_SECURITY: "starttls", v.TLS_MODE: "starttls"}


def test_it_holds_where_the_upgrade_came_about() -> None:
    """An endpoint that was upgraded to TLS is in order."""
    assert result_of(RULE, gmail_case(endpoint=IN_CLEAR_FIRST)) is Result.HOLDS


def test_it_fails_where_no_upgrade_is_offered_or_gone_through_with() -> None:
    """An endpoint that stays in clear is not ready."""
    assert result_of(RULE, gmail_case(endpoint=IN_CLEAR_FIRST, incoming={v.TLS_MODE: "none"})) is Result.FAILS


def test_it_is_unknown_where_the_upgrade_broke_off() -> None:
    """A handshake that broke off is another rule's matter."""
    assert result_of(RULE, gmail_case(endpoint={**IN_CLEAR_FIRST, v.TLS_MODE: Why.TLS_FAILED})) is Result.UNKNOWN


def test_it_does_not_apply_where_tls_comes_first() -> None:
    """An endpoint that speaks TLS from the first byte needs no upgrade."""
    assert result_of(RULE, gmail_case()) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
