"""A certificate that is not trusted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.certificate_untrusted import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of

EXPIRED: Known = {v.CERTIFICATE_TRUSTED: False, v.CERTIFICATE_DISTRUSTED_BECAUSE: "certificate has expired"}


def test_it_holds_for_a_trusted_certificate() -> None:
    """A chain that was verified is in order."""
    assert result_of(RULE, exchange_case()) is Result.HOLDS


@pytest.mark.parametrize("reason", ["self-signed certificate", "unable to get local issuer certificate", "certificate is not yet valid"])
def test_it_fails_for_an_untrusted_certificate(reason: str) -> None:
    """A chain that was not verified is not ready."""
    distrusted: Known = {v.CERTIFICATE_TRUSTED: False, v.CERTIFICATE_DISTRUSTED_BECAUSE: reason}
    assert result_of(RULE, gmail_case(incoming=distrusted)) is Result.FAILS


def test_expiry_of_the_certificate_itself_is_left_to_the_other_rule() -> None:
    """A certificate that is distrusted for its age alone is told once, by the rule on expiry."""
    assert result_of(RULE, exchange_case(endpoint={**EXPIRED, v.CERTIFICATE_NOT_AFTER: datetime(2020, 1, 1, tzinfo=UTC)})) is Result.HOLDS


def test_it_fails_for_an_expired_issuer() -> None:
    """A chain that is distrusted for the age of an issuer is not ready, its own certificate being in time."""
    assert result_of(RULE, exchange_case(endpoint=EXPIRED)) is Result.FAILS


def test_it_is_unknown_where_no_certificate_was_seen() -> None:
    """A certificate that was not seen decides nothing."""
    unseen: Known = dict.fromkeys((v.CERTIFICATE_TRUSTED, v.CERTIFICATE_DISTRUSTED_BECAUSE, v.CERTIFICATE_NOT_AFTER), Why.TLS_FAILED)
    assert result_of(RULE, exchange_case(endpoint=unseen)) is Result.UNKNOWN


def test_it_does_not_apply_to_a_mailbox_that_is_not_served() -> None:
    """A mailbox that server-side synchronization does not serve is not meant."""
    unserved = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    assert result_of(RULE, exchange_case(mailbox=unserved)) is Result.NOT_APPLICABLE
