"""Extended protocols and custom providers."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.custom_email_providers import RULE
from tests.cases import exchange_case, gmail_case, result_of


def test_it_holds_where_there_are_none() -> None:
    """A deployment without extensions keeps to the statement."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS


def test_it_fails_where_there_are() -> None:
    """Custom email providers are not supported."""
    assert result_of(RULE, gmail_case(deployment={v.DEPLOYMENT_CUSTOM_PROVIDERS: True})) is Result.FAILS


def test_it_is_unknown_where_nobody_answered() -> None:
    """What no wire can show and nobody said is unknown."""
    assert result_of(RULE, exchange_case(deployment={v.DEPLOYMENT_CUSTOM_PROVIDERS: Why.NOT_ATTEMPTED})) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
