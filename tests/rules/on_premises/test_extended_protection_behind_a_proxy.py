"""Extended Protection of an Exchange behind a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.rules import Otherwise, Result
from probe.rules.on_premises.extended_protection_behind_a_proxy import RULE
from tests.cases import exchange_case, result_of

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}
UNTOLD = ("bad-credentials", "account-locked", "protocol-disabled", "oauth-required")


def result(**endpoint: Any) -> Result:
    """What comes of the rule at an endpoint, whose facts are named by their last word."""
    keys: dict[str, FactKey[Any]] = {"refusal": v.AUTH_REFUSAL, "schemes": v.AUTH_SCHEMES, "server": v.HTTP_SERVER}
    return result_of(RULE, exchange_case(deployment=WITH_LOGIN, endpoint={keys[name]: value for name, value in endpoint.items()}))


def test_a_bare_refusal_behind_another_server_is_suspect() -> None:
    """Where a server that is not Windows' own stands before Exchange, a refusal without a reason may be Extended Protection's: advice."""
    assert result(refusal=UNTOLD, server="nginx/1.22.1") is Result.FAILS
    assert RULE.otherwise is Otherwise.ADVICE


@pytest.mark.parametrize(
    "known",
    [
        {"refusal": (), "server": "nginx"},
        {"refusal": ("account-locked",), "server": "nginx"},
        {"refusal": UNTOLD, "server": "nginx", "schemes": ("Basic",)},
        {"refusal": (), "server": "Microsoft-IIS/10.0"},
    ],
)
def test_it_holds_where_another_reason_is_told_or_nothing_is_bound(known: dict[str, Any]) -> None:
    """Who is let in, is refused for a reason that is told, or signs in by Basic is not kept out by it."""
    assert result(**known) is Result.HOLDS


@pytest.mark.parametrize("server", ["Microsoft-IIS/10.0", "Microsoft-HTTPAPI/2.0", Why.NOT_DISCLOSED])
def test_it_is_unknown_where_a_proxy_may_hide(server: Any) -> None:
    """A bare refusal by what calls itself IIS, or does not name itself, leaves it open."""
    assert result(refusal=UNTOLD, server=server) is Result.UNKNOWN


def test_it_does_not_apply_where_no_login_can_be_tried() -> None:
    """Without a login nothing is refused."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
