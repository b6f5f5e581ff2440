"""Multi-factor authentication towards Exchange Online."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.mfa_towards_exchange_online import RULE
from tests.cases import exchange_case, online_case, result_of

AS_USER = {v.PROFILE_CREDENTIALS: "mailbox"}


def test_it_holds_where_the_account_needs_no_second_factor() -> None:
    """An account without multi-factor authentication keeps to the statement."""
    assert result_of(RULE, online_case(profile=AS_USER, mailbox={v.MFA_REQUIRED: False})) is Result.HOLDS


def test_it_fails_where_the_account_needs_one() -> None:
    """An account that needs a second factor cannot be signed in with."""
    assert result_of(RULE, online_case(profile=AS_USER, mailbox={v.MFA_REQUIRED: True})) is Result.FAILS


def test_it_is_unknown_where_nobody_knows() -> None:
    """Nothing on the wire shows whether a second factor is needed."""
    assert result_of(RULE, online_case(profile=AS_USER)) is Result.UNKNOWN
    unseen = {v.SERVER_PRODUCT: Why.TIMED_OUT}
    assert result_of(RULE, online_case(profile=AS_USER, mailbox={v.MFA_REQUIRED: True}, endpoint=unseen)) is Result.UNKNOWN


def test_it_does_not_apply_from_server_to_server_or_on_premises() -> None:
    """Server-to-server sign-in has no user, and Exchange Server is not meant."""
    assert result_of(RULE, online_case(mailbox={v.MFA_REQUIRED: True})) is Result.NOT_APPLICABLE
    assert result_of(RULE, exchange_case(mailbox={v.MFA_REQUIRED: True})) is Result.NOT_APPLICABLE
